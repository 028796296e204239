"""`./run snakemake WORDS`: say in a few lines what Snakemake would answer with a traceback, else start it.

One interpreter does both, since a dry run is mostly imports.
"""

import sys
from pathlib import Path

# a clone is enough: the package need not be installed
sys.path[0] = str(Path(__file__).resolve().parents[1])

from soundproof.runs.command_line import main
from soundproof.runs.engine_start import start_engine

sys.exit(main(sys.argv[1:]) or start_engine(sys.argv[1:]))

"""Say in a few lines what Snakemake would answer with a traceback: `./run snakemake WORDS` asks here first."""

import sys
from pathlib import Path

# a clone is enough: the package need not be installed
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from soundproof.runs.command_line import main

sys.exit(main(sys.argv[1:]))

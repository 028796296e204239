"""`./run snakemake WORDS`: say in a few lines what Snakemake would answer with a traceback, else start it.

One interpreter does both, since a dry run is mostly imports.
"""

import signal
import sys
from pathlib import Path

# a clone is enough: the package need not be installed
sys.path[0] = str(Path(__file__).resolve().parents[1])
# as a shell says of a command that Ctrl-C has ended
INTERRUPTED = 128 + signal.SIGINT

try:
    from soundproof.runs.command_line import main
    from soundproof.runs.engine_start import start_engine

    status = main(sys.argv[1:]) or start_engine(sys.argv[1:])
except KeyboardInterrupt:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # nobody has said it yet
        sys.stderr.write("\nInterrupted before any job began: the same command begins anew.\n")
    status = INTERRUPTED
sys.exit(status)

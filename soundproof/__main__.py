"""``python -m soundproof``: look into results, generate reference files, listen to the bench."""

import sys

from soundproof.cli import main

if __name__ == "__main__":
    sys.exit(main())

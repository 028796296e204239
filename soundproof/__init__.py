"""Attribution, faithfulness and localisation for anomalous sound.

Importing this package (or :mod:`soundproof.config`) never imports torch: a dry run of the workflow must
stay about as fast as Snakemake itself.
"""

__version__ = "0.1.0"

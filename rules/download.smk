"""Fetch what a data set needs.

DOES   download, verify size and checksum, unpack safely; files already valid are not fetched again
NEEDS  the network, or the files placed by hand where the error message says
GIVES  data/<data set>/..., with a manifest per choice of settings that names what is there
"""


rule download_dataset:
    """Fetch data set {wildcards.dataset}."""
    output:
        manifest=f"{DATA}/{{dataset}}/manifest-{{settings}}.json",
    log:
        f"{RUN}/logs/download_dataset/{{dataset}}-{{settings}}.log",
    retries: 2
    conda:
        "../envs/download.yaml"
    params:
        dataset=dataset_settings,
    script:
        "../workflow_scripts/download_dataset.py"

"""Fetch what a data set needs.

DOES   download, verify size and checksum, unpack safely; files already valid are not fetched again
NEEDS  the network, or the files placed by hand where the error message says
GIVES  data/<data set>/..., with a manifest that names what is there
"""


def dataset_settings(wildcards):
    """Settings of the data set, as the first study that uses it has them."""
    study = next(
        study for study in STUDIES.values() if study.dataset.kind == wildcards.dataset
    )
    return Stages(study).dataset()


rule download_dataset:
    """Fetch data set {wildcards.dataset}."""
    output:
        manifest=f"{CONFIG.data_dir}/{{dataset}}/manifest.json",
    log:
        f"{RUN}/logs/download_dataset/{{dataset}}.log",
    retries: 2
    params:
        dataset=dataset_settings,
        data_dir=CONFIG.data_dir,
    script:
        "../workflow_scripts/download_dataset.py"

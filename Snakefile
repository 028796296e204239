"""soundproof: from a checksummed download to every table and figure.

    download -> features -> training -> attribution -> faithfulness + localisation -> report

Settings: config/config.yaml; studies: config/studies/*.yaml; each stage: rules/*.smk.
"""

from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "rules/setup.smk"
include: "rules/paths.smk"
include: "rules/weights.smk"
include: "rules/inputs.smk"
include: "rules/guards.smk"
include: "rules/download.smk"
include: "rules/features.smk"
include: "rules/training.smk"
include: "rules/attribution.smk"
include: "rules/faithfulness.smk"
include: "rules/localisation.smk"
include: "rules/bands.smk"
include: "rules/explorer.smk"
include: "rules/report.smk"
include: "rules/verify.smk"
include: "rules/terminal.smk"


localrules:
    all,
    download_dataset,
    write_report,
    index_studies,
    verify,
    test_results,


rule all:
    """Every table, figure and report page of the run."""
    default_target: True
    input:
        f"{RUN}/index.html",


onerror:
    if not (TERMINAL and TERMINAL.interrupted):
        explain_failure(log)

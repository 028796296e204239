"""From measured numbers to tables, figures and pages.

DOES   gather all numbers of a study in one long table; finish tables and figures from it; write report pages
NEEDS  scores, explanations, faithfulness, localisation
GIVES  measurements.parquet; tables/, figures/, index.html of each study; index.html of the run
"""


rule collect_measurements:
    """Gather all measured numbers of study {wildcards.study}."""
    input:
        trained(f"{STUDY}/scores/{CELL}.parquet"),
        explained(f"{STUDY}/explanations/{{explainer}}/{CELL}.parquet"),
        explained(f"{STUDY}/faithfulness/{CELL}.parquet"),
        explained(f"{STUDY}/localisation/{CELL}.parquet"),
    output:
        measurements=f"{STUDY}/measurements.parquet",
    log:
        f"{RUN}/logs/collect_measurements/{{study}}.log",
    params:
        code=code("collect_measurements"),
    script:
        "../workflow_scripts/collect_measurements.py"

"""From relevance maps to localisation: does the map mark where the fault is?

DOES   compare maps with labelled time intervals and, where stems exist, with exact time-frequency masks
NEEDS  masks, the maps of all explainers
GIVES  localisation/<part>/<detector>/seed<seed>.parquet (rows of measurements; none without ground truth)
"""


rule measure_localisation:
    """Measure the localisation of all explanations of {wildcards.detector} on {wildcards.part}."""
    input:
        clips=f"{STUDY}/clips.parquet",
        masks=f"{STUDY}/masks/{{part}}.parquet",
        maps=lambda wildcards: expand(
            f"{STUDY}/attributions/{{explainer}}/{CELL}.parquet",
            explainer=list(STUDIES[wildcards.study].explainers),
            allow_missing=True,
        ),
    output:
        rows=f"{STUDY}/localisation/{CELL}.parquet",
    log:
        f"{RUN}/logs/measure_localisation/{{study}}/{CELL}.log",
    benchmark:
        f"{RUN}/benchmarks/measure_localisation/{{study}}/{CELL}.tsv"
    conda:
        "../envs/soundproof.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=lambda wildcards: stages(wildcards).localisation(),
        explainers=lambda wildcards: list(STUDIES[wildcards.study].explainers),
        code=code(
            "measure_localisation",
            lambda wildcards: stages(wildcards).localisation_code(),
        ),
    script:
        "../workflow_scripts/measure_localisation.py"

"""From relevance maps to localisation: does the map mark where the fault is?

DOES   compare maps with labelled time intervals and, where stems exist, with exact time-frequency masks
NEEDS  masks, the maps of all explainers
GIVES  localisation/<part>.parquet (rows of measurements; none without ground truth)
"""


rule measure_localisation:
    """Measure the localisation of all explanations on {wildcards.part} of study {wildcards.study}."""
    input:
        clips=f"{STUDY}/clips.parquet",
        masks=f"{STUDY}/masks/{{part}}.parquet",
        events=event_maps,
        maps=explained_of_part(f"{STUDY}/attributions/{{explainer}}/{FIT}.parquet"),
    output:
        rows=f"{STUDY}/localisation/{{part}}.parquet",
    log:
        f"{RUN}/logs/measure_localisation/{{study}}/{{part}}.log",
    priority: turn
    conda:
        "../envs/soundproof.yaml"
    resources:
        mem_mb=memory(4000, maps=False),
        runtime=minutes(60),
    params:
        fits=explained_fits_of_part,
        explainers=lambda wildcards: list(STUDIES[wildcards.study].explainers),
        record=stated(lambda jobs, of: jobs.measure_localisation(of.part)),
    script:
        "../workflow_scripts/measure_localisation.py"

"""From relevance maps to faithfulness: does the detector really use what the map marks?

DOES   replace, delete and insert what each map marks and measure the score; redraw the weights and compare maps.
       All explainers of a detector share one job, so that their perturbed clips share the passes. Where weights are
       redrawn and a detector was trained more than once, compare its trainings' maps as well
NEEDS  features, a fitted detector, the maps of all explainers
GIVES  faithfulness/<part>/<detector>/seed<seed>.parquet, trainings/<part>.parquet (rows of measurements)
"""


rule measure_faithfulness:
    """Measure the faithfulness of all explanations of {wildcards.detector} on {wildcards.part}."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=f"{STUDY}/features/{{part}}.parquet",
        model=f"{STUDY}/models/{FIT}.safetensors",
        maps=lambda wildcards: expand(
            f"{STUDY}/attributions/{{explainer}}/{FIT}.parquet",
            explainer=list(STUDIES[wildcards.study].explainers),
            allow_missing=True,
        ),
        backgrounds=backgrounds,
    output:
        rows=f"{STUDY}/faithfulness/{FIT}.parquet",
    log:
        f"{RUN}/logs/measure_faithfulness/{{study}}/{FIT}.log",
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        gpu=GPU,
        mem_mb=memory(2000),
        runtime=minutes(120),
    params:
        explainers=lambda wildcards: list(STUDIES[wildcards.study].explainers),
        record=stated(
            lambda jobs, of: jobs.measure_faithfulness(
                of.part, of.detector, int(of.seed)
            )
        ),
    script:
        "../workflow_scripts/measure_faithfulness.py"


rule compare_trainings:
    """Compare the maps of each detector's trainings on {wildcards.part} of study {wildcards.study}."""
    input:
        clips=f"{STUDY}/clips.parquet",
        maps=lambda wildcards: [
            f"{RUN}/{wildcards.study}/attributions/{explainer}/{wildcards.part}/{detector}/seed{seed}.parquet"
            for detector, seed in stages(wildcards).compared_fits(wildcards.part)
            for explainer in stages(wildcards).compared_explainers()
        ],
    output:
        rows=f"{STUDY}/trainings/{{part}}.parquet",
    log:
        f"{RUN}/logs/compare_trainings/{{study}}/{{part}}.log",
    conda:
        "../envs/soundproof.yaml"
    resources:
        mem_mb=memory(2000, maps=False),
        runtime=minutes(30),
    params:
        fits=lambda wildcards: stages(wildcards).compared_fits(wildcards.part),
        explainers=lambda wildcards: stages(wildcards).compared_explainers(),
        record=stated(lambda jobs, of: jobs.compare_trainings(of.part)),
    script:
        "../workflow_scripts/compare_trainings.py"

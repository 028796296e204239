"""From anomaly scores to relevance maps.

DOES   explain the score of the chosen test clips, one job per detector, seed and explainer
NEEDS  features, a fitted detector
GIVES  attributions/<explainer>/<part>/<detector>/seed<seed>.parquet (maps), explanations/... (numbers such as
       the completeness gap), timings/... (seconds per clip; these differ from run to run, nothing else does)
"""


rule attribute_clips:
    """Explain {wildcards.detector} on {wildcards.part} with {wildcards.explainer} (seed {wildcards.seed})."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=f"{STUDY}/features/{{part}}.parquet",
        model=f"{STUDY}/models/{CELL}.safetensors",
    output:
        maps=f"{STUDY}/attributions/{{explainer}}/{CELL}.parquet",
        numbers=f"{STUDY}/explanations/{{explainer}}/{CELL}.parquet",
        timing=f"{STUDY}/timings/{{explainer}}/{CELL}.parquet",
    log:
        f"{RUN}/logs/attribute_clips/{{study}}/{{explainer}}/{CELL}.log",
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        gpu=GPU,
        mem_mb=memory(2000),
        runtime=minutes(120),
    params:
        explainer=lambda wildcards: stages(wildcards).explainer(wildcards.explainer),
        explain=lambda wildcards: stages(wildcards).explain(),
        foreign_maps=foreign_maps,
        code=code(
            "attribute_clips",
            lambda wildcards: stages(wildcards).explainer_code(
                wildcards.explainer, wildcards.detector
            ),
        ),
    script:
        "../workflow_scripts/attribute_clips.py"

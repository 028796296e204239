"""From a fitted detector to its scores without one frequency band: does detection need the band?

DOES   remove each frequency band of every test clip in turn and score what is left; only for studies with `bands`
NEEDS  features, a fitted detector (no explanation)
GIVES  bands/<part>/<detector>/seed<seed>.parquet (rows of measurements)
"""


rule remove_bands:
    """Score {wildcards.part} without each frequency band ({wildcards.detector}, seed {wildcards.seed})."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=f"{STUDY}/features/{{part}}.parquet",
        model=f"{STUDY}/models/{CELL}.safetensors",
    output:
        rows=f"{STUDY}/bands/{CELL}.parquet",
    log:
        f"{RUN}/logs/remove_bands/{{study}}/{CELL}.log",
    benchmark:
        f"{RUN}/benchmarks/remove_bands/{{study}}/{CELL}.tsv"
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        gpu=GPU,
        mem_mb=2000 + CONFIG.memory_budget_mb,
        runtime=60,
    params:
        settings=lambda wildcards: stages(wildcards).bands(),
        code=code(
            "remove_bands",
            lambda wildcards: stages(wildcards).detector_code(wildcards.detector),
        ),
    script:
        "../workflow_scripts/remove_bands.py"

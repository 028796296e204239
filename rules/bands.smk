"""From a fitted detector to its scores without one frequency band: does detection need the band?

DOES   remove each frequency band of every test clip in turn and score what is left; only for studies with `bands`
NEEDS  features, all fitted detectors of a part (no explanation)
GIVES  bands/<part>.parquet (rows of measurements)
"""


rule remove_bands:
    """Score {wildcards.part} without each frequency band, with all detectors of study {wildcards.study}."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=f"{STUDY}/features/{{part}}.parquet",
        models=of_part(f"{STUDY}/models/{FIT}.safetensors"),
    output:
        rows=f"{STUDY}/bands/{{part}}.parquet",
    log:
        f"{RUN}/logs/remove_bands/{{study}}/{{part}}.log",
    priority: turn
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        gpu=GPU,
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        bands=lambda wildcards: stages(wildcards).bands(),
        fits=fits_of_part,
        record=stated(lambda jobs, of: jobs.remove_bands(of.part)),
    script:
        "../workflow_scripts/remove_bands.py"

"""From maps of normal sound to fitted detectors and anomaly scores.

DOES   fit each detector on each part with each seed (an interrupted training resumes); score the test clips
NEEDS  features/<part>.parquet
GIVES  models/<part>/<detector>/seed<seed>.safetensors, history/...; scores/<part>.parquet (rows of measurements).
       All detectors of a part share one scoring job: loading the libraries costs more than scoring
"""


rule train_detector:
    """Train {wildcards.detector} on {wildcards.part} (seed {wildcards.seed}, study {wildcards.study})."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=f"{STUDY}/features/{{part}}.parquet",
        weights=weights_of_detector,
    output:
        model=f"{STUDY}/models/{CELL}.safetensors",
        history=f"{STUDY}/history/{CELL}.parquet",
    log:
        f"{RUN}/logs/train_detector/{{study}}/{CELL}.log",
    benchmark:
        f"{RUN}/benchmarks/train_detector/{{study}}/{CELL}.tsv"
    # long trainings first: they feed everything else
    priority: lambda wildcards: 10 if wildcards.detector in STUDIES[wildcards.study].explained else 0
    retries: 1
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        gpu=GPU,
        mem_mb=memory(3000),
        runtime=minutes(240),
    params:
        detector=lambda wildcards: stages(wildcards).detector(wildcards.detector),
        # not an output: Snakemake removes the outputs of a killed job, and this must survive it
        checkpoints=f"{RUN}/checkpoints",
        code=code(
            "train_detector",
            lambda wildcards: stages(wildcards).detector_code(wildcards.detector),
        ),
    script:
        "../workflow_scripts/train_detector.py"


rule score_clips:
    """Score the test clips of {wildcards.part} with all detectors of study {wildcards.study}."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=f"{STUDY}/features/{{part}}.parquet",
        models=of_part(f"{STUDY}/models/{CELL}.safetensors"),
    output:
        scores=f"{STUDY}/scores/{{part}}.parquet",
    log:
        f"{RUN}/logs/score_clips/{{study}}/{{part}}.log",
    benchmark:
        f"{RUN}/benchmarks/score_clips/{{study}}/{{part}}.tsv"
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        gpu=GPU,
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        cells=cells_of_part,
        code=code("score_clips", all_detector_code),
    script:
        "../workflow_scripts/score_clips.py"

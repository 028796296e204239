"""From maps of normal sound to fitted detectors and anomaly scores.

DOES   fit each detector on each part with each seed (an interrupted training resumes); score the test clips.
       Detectors that are fitted without epochs share a job a part, and what a backbone makes of the clips
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
        models=[f"{STUDY}/models/{FIT}.safetensors"],
        histories=[f"{STUDY}/history/{FIT}.parquet"],
    log:
        f"{RUN}/logs/train_detector/{{study}}/{FIT}.log",
    priority: turn_of_training
    retries: 1
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        gpu=GPU,
        mem_mb=memory(3000),
        runtime=minutes(240),
    params:
        study=lambda wildcards: wildcards.study,
        trainings=one_training,
        # not an output: Snakemake removes the outputs of a killed job, and this must survive it
        checkpoints=f"{RUN}/checkpoints",
    script:
        "../workflow_scripts/train_detector.py"


# outputs depend on the study's detectors, which only a rule for each study can say
for NAME in STUDIES:
    FOLDER = f"{RUN}/{NAME}"
    AT_ONCE = trainings_at_once(NAME)
    if AT_ONCE.labels:

        rule:
            """Fit the simple detectors of a study."""
            name:
                f"fit_detectors_{NAME}"
            input:
                clips=f"{FOLDER}/clips.parquet",
                features=f"{FOLDER}/features/{{part}}.parquet",
                weights=weights_of(NAME, AT_ONCE.labels),
            output:
                models=kept(of_fits(f"{FOLDER}/models", AT_ONCE, ".safetensors")),
                histories=kept(of_fits(f"{FOLDER}/history", AT_ONCE)),
            log:
                f"{RUN}/logs/fit_detectors/{NAME}/{{part}}.log",
            priority: turn_of(NAME)
            retries: 1
            # profiles name the rule as it is called here
            group:
                group_of("fit_detectors")
            conda:
                "../envs/soundproof.yaml"
            threads: CONFIG.threads
            resources:
                gpu=GPU,
                mem_mb=memory(3000),
                runtime=minutes(240),
            params:
                study=NAME,
                trainings=of_study(NAME, shared_trainings),
                checkpoints=f"{RUN}/checkpoints",
            script:
                "../workflow_scripts/train_detector.py"

        workflow.get_rule(f"fit_detectors_{NAME}").docstring = (
            f"Fit the simple detectors on {{wildcards.part}} (study {NAME})."
        )
        # both could make them
        workflow.ruleorder(f"fit_detectors_{NAME}", "train_detector")


rule score_clips:
    """Score the test clips of {wildcards.part} with all detectors of study {wildcards.study}."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=f"{STUDY}/features/{{part}}.parquet",
        models=of_part(f"{STUDY}/models/{FIT}.safetensors"),
    output:
        scores=f"{STUDY}/scores/{{part}}.parquet",
    log:
        f"{RUN}/logs/score_clips/{{study}}/{{part}}.log",
    priority: turn
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        gpu=GPU,
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        fits=fits_of_part,
        record=stated(lambda jobs, of: jobs.score_clips(of.part)),
    script:
        "../workflow_scripts/score_clips.py"

"""From maps of normal sound to fitted detectors and anomaly scores.

DOES   fit each detector on each part with each seed (an interrupted training resumes); score the test clips.
       Detectors that are fitted in one pass over the clips share a job a part
NEEDS  features/<part>.parquet
GIVES  models/<part>/<detector>/seed<seed>.safetensors, history/...; scores/<part>.parquet (rows of measurements).
       All detectors of a part share one scoring job: loading the libraries costs more than scoring
"""


def trainings_at_once(study):
    """[detector, seed] of the trainings of a part that share a job."""
    chosen = STUDIES[study]
    return [
        [label, seed]
        for label in Stages(chosen).fitted_at_once()
        for seed in chosen.detectors[label].seeds or chosen.seeds
    ]


def of_trainings(study, kind, suffix):
    """Files of a part, one per training that shares the job, which decides what of them stays."""
    return [
        update(f"{STUDY}/{kind}/{{part}}/{label}/seed{seed}{suffix}")
        for label, seed in trainings_at_once(study)
    ]


def training_code(trainings):
    """Parameter function: digest of the code that fits each of the detectors in `trainings`."""
    return lambda wildcards: {
        label: jobs_of(wildcards).train_detector(wildcards.part, label, seed).code()
        for label, seed in trainings(wildcards)
    }


def training_settings(trainings):
    """Parameter function: kind and settings of each of the detectors in `trainings`."""
    return lambda wildcards: {
        label: stages(wildcards).detector(label) for label, _ in trainings(wildcards)
    }


def one_training(wildcards):
    """[detector, seed] that the wildcards name."""
    return [[wildcards.detector, int(wildcards.seed)]]


def shared_trainings(wildcards):
    """[detector, seed] of the study's trainings that share a job."""
    return trainings_at_once(wildcards.study)


rule train_detector:
    """Train {wildcards.detector} on {wildcards.part} (seed {wildcards.seed}, study {wildcards.study})."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=f"{STUDY}/features/{{part}}.parquet",
    output:
        models=[f"{STUDY}/models/{CELL}.safetensors"],
        histories=[f"{STUDY}/history/{CELL}.parquet"],
    log:
        f"{RUN}/logs/train_detector/{{study}}/{CELL}.log",
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
        trainings=one_training,
        detectors=training_settings(one_training),
        # not an output: Snakemake removes the outputs of a killed job, and this must survive it
        checkpoints=f"{RUN}/checkpoints",
        code=training_code(one_training),
    script:
        "../workflow_scripts/train_detector.py"


# outputs depend on the study's detectors, which only a rule for each study can say
for NAME in STUDIES:
    if trainings_at_once(NAME):

        rule:
            """Fit the simple detectors on {wildcards.part} (study {wildcards.study})."""
            name:
                f"fit_detectors_{NAME}"
            input:
                clips=f"{STUDY}/clips.parquet",
                features=f"{STUDY}/features/{{part}}.parquet",
            output:
                models=of_trainings(NAME, "models", ".safetensors"),
                histories=of_trainings(NAME, "history", ".parquet"),
            log:
                f"{RUN}/logs/fit_detectors/{{study}}/{{part}}.log",
            wildcard_constraints:
                study=NAME,
            retries: 1
            # profiles name the rule as it is called here
            group:
                GROUPS.get("fit_detectors")
            conda:
                "../envs/soundproof.yaml"
            threads: CONFIG.threads
            resources:
                gpu=GPU,
                mem_mb=memory(3000),
                runtime=minutes(240),
            params:
                trainings=shared_trainings,
                detectors=training_settings(shared_trainings),
                checkpoints=f"{RUN}/checkpoints",
                code=training_code(shared_trainings),
            script:
                "../workflow_scripts/train_detector.py"

        # both could make them
        workflow.ruleorder(f"fit_detectors_{NAME}", "train_detector")


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
    conda:
        "../envs/soundproof.yaml"
    threads: CONFIG.threads
    resources:
        gpu=GPU,
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        cells=cells_of_part,
        code=code(lambda jobs, of: jobs.score_clips(of.part)),
    script:
        "../workflow_scripts/score_clips.py"

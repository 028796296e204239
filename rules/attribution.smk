"""From anomaly scores to relevance maps.

DOES   explain the score of the chosen test clips, one job per detector and seed for all explainers of its study. A
       changed explainer has its own maps made anew; those of the others still fit, and the job carries them over
NEEDS  features, a fitted detector
GIVES  attributions/<explainer>/<part>/<detector>/seed<seed>.parquet (maps), explanations/... (numbers such as
       the completeness gap), timings/... (seconds per clip; these differ from run to run, nothing else does)
"""

# outputs depend on the study's explainers, which only a rule for each study can say
for NAME, CHOSEN in STUDIES.items():
    FOLDER = f"{RUN}/{NAME}"

    rule:
        """Explain a detector."""
        name:
            f"attribute_clips_{NAME}"
        input:
            clips=f"{FOLDER}/clips.parquet",
            features=f"{FOLDER}/features/{{part}}.parquet",
            model=f"{FOLDER}/models/{FIT}.safetensors",
        output:
            maps=of_explainers(NAME, "attributions"),
            numbers=of_explainers(NAME, "explanations"),
            timing=of_explainers(NAME, "timings"),
        log:
            f"{RUN}/logs/attribute_clips/{NAME}/{FIT}.log",
        # profiles name the rule as it is called here
        group:
            group_of("attribute_clips")
        conda:
            "../envs/soundproof.yaml"
        threads: CONFIG.threads
        resources:
            gpu=GPU,
            mem_mb=memory(2000),
            runtime=minutes(240),
        params:
            **{f"explainer_{label}": asked(NAME, label) for label in CHOSEN.explainers},
            study=NAME,
            labels=list(CHOSEN.explainers),
            # not an output: Snakemake removes the outputs of a failed job, and this must survive it
            checkpoints=f"{RUN}/checkpoints",
        script:
            "../workflow_scripts/attribute_clips.py"

    # what is said of a job, which the words above cannot take from a variable
    workflow.get_rule(f"attribute_clips_{NAME}").docstring = (
        "Explain {wildcards.detector} on {wildcards.part} "
        f"(seed {{wildcards.seed}}, study {NAME})."
    )

"""From anomaly scores to relevance maps.

DOES   explain the score of the chosen test clips, one job per detector and seed for all explainers of its study; where
       few clips are explained, one job for all detectors on one network. A changed explainer has its own maps made
       anew; those of the others still fit, and the job carries them over
NEEDS  features, a fitted detector
GIVES  attributions/<explainer>/<part>/<detector>/seed<seed>.parquet (maps), explanations/... (numbers such as
       the completeness gap), timings/... (seconds per clip; these differ from run to run, nothing else does)
"""

# outputs depend on the study's explainers, which only a rule for each study can say
for NAME, CHOSEN in STUDIES.items():
    FOLDER = f"{RUN}/{NAME}"
    for TOGETHER, SHARING in [("", None), *explained_together(NAME).items()]:
        RULE = "_".join(filter(None, ["attribute_clips", NAME, TOGETHER]))

        rule:
            """Explain detectors."""
            name:
                RULE
            input:
                clips=f"{FOLDER}/clips.parquet",
                features=f"{FOLDER}/features/{{part}}.parquet",
                models=of_fits(f"{FOLDER}/models", SHARING, ".safetensors"),
            output:
                maps=kept(of_explainers(NAME, "attributions", SHARING)),
                numbers=kept(of_explainers(NAME, "explanations", SHARING)),
                timing=kept(of_explainers(NAME, "timings", SHARING)),
            log:
                f"{RUN}/logs/attribute_clips/{NAME}/{log_of(TOGETHER)}.log",
            priority: turn_of(NAME)
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
                **{
                    f"explainer_{label}": asked(NAME, label, SHARING)
                    for label in CHOSEN.explainers
                },
                study=NAME,
                fits=partial(fits_of_job, SHARING),
                labels=list(CHOSEN.explainers),
                # not an output: Snakemake removes the outputs of a failed job, and this must survive it
                checkpoints=f"{RUN}/checkpoints",
            script:
                "../workflow_scripts/attribute_clips.py"

        # what is said of a job, which the words above cannot take from a variable
        workflow.get_rule(RULE).docstring = (
            f"Explain the detectors on {TOGETHER} on {{wildcards.part}} (study {NAME})."
            if TOGETHER
            else "Explain {wildcards.detector} on {wildcards.part} "
            f"(seed {{wildcards.seed}}, study {NAME})."
        )
        if TOGETHER:
            # both could make them
            workflow.ruleorder(RULE, f"attribute_clips_{NAME}")

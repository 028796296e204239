"""From relevance maps to faithfulness: does the detector really use what the map marks?

DOES   replace, delete and insert what each map marks and measure the score; redraw the weights and compare maps.
       All explainers of a detector share one job, so that their perturbed clips share the passes; where few clips are
       explained, all detectors on one network share it. Where weights are redrawn and a detector was trained more
       than once, compare its trainings' maps as well
NEEDS  features, a fitted detector, the maps of all explainers
GIVES  faithfulness/<part>/<detector>/seed<seed>.parquet, trainings/<part>.parquet (rows of measurements)
"""

for NAME in STUDIES:
    FOLDER = f"{RUN}/{NAME}"
    for TOGETHER, SHARING in [("", None), *explained_together(NAME).items()]:
        RULE = "_".join(filter(None, ["measure_faithfulness", NAME, TOGETHER]))

        rule:
            """Measure faithfulness."""
            name:
                RULE
            input:
                clips=f"{FOLDER}/clips.parquet",
                features=f"{FOLDER}/features/{{part}}.parquet",
                models=of_fits(f"{FOLDER}/models", SHARING, ".safetensors"),
                maps=of_explainers(NAME, "attributions", SHARING),
                backgrounds=of_study(NAME, backgrounds),
            output:
                rows=kept(of_fits(f"{FOLDER}/faithfulness", SHARING)),
            log:
                f"{RUN}/logs/measure_faithfulness/{NAME}/{log_of(TOGETHER)}.log",
            priority: turn_of(NAME)
            # profiles name the rule as it is called here
            group:
                group_of("measure_faithfulness")
            conda:
                "../envs/soundproof.yaml"
            threads: CONFIG.threads
            resources:
                gpu=GPU,
                mem_mb=memory(2000),
                runtime=minutes(120),
            params:
                study=NAME,
                fits=partial(fits_of_job, SHARING),
                explainers=list(STUDIES[NAME].explainers),
                records=judged(NAME, SHARING),
                # not an output: Snakemake removes the outputs of a failed job, and this must survive it
                checkpoints=f"{RUN}/checkpoints",
            script:
                "../workflow_scripts/measure_faithfulness.py"

        workflow.get_rule(RULE).docstring = (
            "Measure the faithfulness of all explanations of "
            + (
                f"the detectors on {TOGETHER} on {{wildcards.part}} (study {NAME})."
                if TOGETHER
                else f"{{wildcards.detector}} on {{wildcards.part}} (study {NAME}, seed {{wildcards.seed}})."
            )
        )
        if TOGETHER:
            # both could make them
            workflow.ruleorder(RULE, f"measure_faithfulness_{NAME}")


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
    priority: turn
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

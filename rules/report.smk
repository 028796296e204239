"""From measured numbers to tables, figures and pages.

DOES   gather all numbers of a study in one long table; finish tables and figures from it; make explanations audible and put them into words; write report pages
NEEDS  scores, explanations, faithfulness, localisation; of studies that make explanations audible or put them into words, their sound
GIVES  measurements.parquet; listening.parquet (sounds) and reasons.parquet (sentences), where the study asks; tables/, figures/, index.html of each study; index.html and metrics.json of the run
"""

from soundproof.runs.jobs_of import INDEX


rule collect_measurements:
    """Gather all measured numbers of study {wildcards.study}."""
    input:
        parts(f"{STUDY}/scores/{{part}}.parquet"),
        explained(f"{STUDY}/explanations/{{explainer}}/{FIT}.parquet"),
        faithfulness_rows,
        localisation_rows,
        without_bands,
        other_trainings,
    output:
        measurements=f"{STUDY}/measurements.parquet",
    log:
        f"{RUN}/logs/collect_measurements/{{study}}.log",
    priority: turn
    conda:
        "../envs/soundproof.yaml"
    params:
        record=stated(lambda jobs, of: jobs.collect_measurements()),
    script:
        "../workflow_scripts/collect_measurements.py"


rule illustrate_clips:
    """Compute what the pictures of single clips of study {wildcards.study} show."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=first_fit(f"{STUDY}/features/{{part}}.parquet"),
        masks=first_fit(f"{STUDY}/masks/{{part}}.parquet"),
        scores=first_fit(f"{STUDY}/scores/{{part}}.parquet"),
        models=of_first_part(f"{STUDY}/models/{FIT}.safetensors"),
        maps=of_first_part(f"{STUDY}/attributions/{{explainer}}/{FIT}.parquet"),
    output:
        illustrations=f"{STUDY}/illustrations.parquet",
    log:
        f"{RUN}/logs/illustrate_clips/{{study}}.log",
    priority: turn
    conda:
        "../envs/soundproof.yaml"
    params:
        detectors=lambda wildcards: STUDIES[wildcards.study].explained,
        seed=lambda wildcards: next(
            iter(STUDIES[wildcards.study].first_fits().values())
        )[1],
        explainers=lambda wildcards: list(STUDIES[wildcards.study].explainers),
        record=stated(lambda jobs, of: jobs.illustrate_clips()),
    script:
        "../workflow_scripts/illustrate_clips.py"


rule render_sounds:
    """Make explanations of clips of study {wildcards.study} audible."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=first_fit(f"{STUDY}/features/{{part}}.parquet"),
        scores=first_fit(f"{STUDY}/scores/{{part}}.parquet"),
        maps=of_first_part(f"{STUDY}/attributions/{{explainer}}/{FIT}.parquet"),
    output:
        sounds=f"{STUDY}/listening.parquet",
    log:
        f"{RUN}/logs/render_sounds/{{study}}.log",
    priority: turn
    conda:
        "../envs/soundproof.yaml"
    params:
        detectors=lambda wildcards: STUDIES[wildcards.study].explained,
        explainers=lambda wildcards: list(STUDIES[wildcards.study].explainers),
        first=lambda wildcards: next(
            iter(STUDIES[wildcards.study].first_fits().values())
        ),
        record=stated(lambda jobs, of: jobs.render_sounds()),
    script:
        "../workflow_scripts/render_sounds.py"


rule state_reasons:
    """Put what maps of study {wildcards.study} mark into words."""
    input:
        clips=f"{STUDY}/clips.parquet",
        features=first_of_parts(f"{STUDY}/features/{{part}}.parquet"),
        masks=first_of_parts(f"{STUDY}/masks/{{part}}.parquet"),
        maps=first_of_parts(f"{STUDY}/attributions/{{explainer}}/{FIT}.parquet"),
        scores=scores_of_gallery,
    output:
        reasons=f"{STUDY}/reasons.parquet",
    log:
        f"{RUN}/logs/state_reasons/{{study}}.log",
    priority: turn
    conda:
        "../envs/soundproof.yaml"
    params:
        fits=lambda wildcards: STUDIES[wildcards.study].first_of_parts(),
        explainers=lambda wildcards: list(STUDIES[wildcards.study].explainers),
        record=stated(lambda jobs, of: jobs.state_reasons()),
    script:
        "../workflow_scripts/state_reasons.py"


# outputs depend on what the study asks for, which only a rule for each study can say. Paths without a wildcard are
# found at once: Snakemake tries every pattern that begins alike
for NAME, CHOSEN in STUDIES.items():
    FOLDER = f"{RUN}/{NAME}"
    TABLES = Stages(CHOSEN).exhibits(tables=True)
    FIGURES = Stages(CHOSEN).exhibits(tables=False)

    rule:
        """Finish the tables of a study."""
        name:
            f"build_tables_{NAME}"
        input:
            measurements=f"{FOLDER}/measurements.parquet",
            clips=f"{FOLDER}/clips.parquet",
            features=of_study(NAME, first_fit(f"{STUDY}/features/{{part}}.parquet")),
            histories=of_study(NAME, trained(f"{STUDY}/history/{FIT}.parquet")),
            timings=of_study(
                NAME, explained(f"{STUDY}/timings/{{explainer}}/{FIT}.parquet")
            ),
            reported=of_study(NAME, reported),
            reasons=of_study(NAME, reasons_in_words),
        output:
            tables=artefact_files(FOLDER, TABLES),
        log:
            f"{RUN}/logs/build_tables/{NAME}.log",
        priority: turn_of(NAME)
        group:
            group_of("build_tables")
        conda:
            "../envs/soundproof.yaml"
        params:
            study=NAME,
            histories=of_study(NAME, trained_keys),
            names=TABLES,
            record=of_study(NAME, stated(lambda jobs, of: jobs.build_tables())),
        script:
            "../workflow_scripts/build_tables.py"

    # the terminal's line for the job
    workflow.get_rule(f"build_tables_{NAME}").docstring = (
        f"Finish the tables of study {NAME}."
    )

    rule:
        """Draw the figures of a study."""
        name:
            f"draw_figures_{NAME}"
        input:
            measurements=f"{FOLDER}/measurements.parquet",
            clips=f"{FOLDER}/clips.parquet",
            features=of_study(NAME, first_fit(f"{STUDY}/features/{{part}}.parquet")),
            histories=of_study(NAME, trained(f"{STUDY}/history/{FIT}.parquet")),
            timings=[],
            reported=of_study(NAME, reported),
            reasons=of_study(NAME, reasons_in_words),
            illustrations=f"{FOLDER}/illustrations.parquet",
        output:
            figures=artefact_files(FOLDER, FIGURES),
        log:
            f"{RUN}/logs/draw_figures/{NAME}.log",
        priority: turn_of(NAME)
        group:
            group_of("draw_figures")
        conda:
            "../envs/soundproof.yaml"
        params:
            study=NAME,
            histories=of_study(NAME, trained_keys),
            names=FIGURES,
            record=of_study(NAME, stated(lambda jobs, of: jobs.draw_figures())),
        script:
            "../workflow_scripts/draw_figures.py"

    # the terminal's line for the job
    workflow.get_rule(f"draw_figures_{NAME}").docstring = (
        f"Draw the figures of study {NAME}."
    )


rule write_report:
    """Write the page of study {wildcards.study}."""
    input:
        measurements=f"{STUDY}/measurements.parquet",
        clips=f"{STUDY}/clips.parquet",
        notes=f"{STUDY}/notes.parquet",
        features=first_fit(f"{STUDY}/features/{{part}}.parquet"),
        tables=shown_files(tables=True),
        figures=shown_files(tables=False),
    output:
        page=f"{STUDY}/index.html",
    log:
        f"{RUN}/logs/write_report/{{study}}.log",
    priority: turn
    conda:
        "../envs/soundproof.yaml"
    params:
        title=lambda wildcards: stages(wildcards).facts()["title"],
        facts=lambda wildcards: stages(wildcards).words(),
        names=lambda wildcards: stages(wildcards).shown(),
        left_out=lambda wildcards: stages(wildcards).left_out(),
        no_explorer=lambda wildcards: stages(wildcards).no_explorer(),
        code=lambda wildcards: jobs_of(wildcards).write_report().code(),
    script:
        "../workflow_scripts/write_report.py"


rule index_studies:
    """Write the run's index page and its headline numbers."""
    input:
        pages=expand(f"{STUDY}/index.html", study=STUDIES),
        sounds=[
            f"{RUN}/{name}/listening.parquet"
            for name, study in STUDIES.items()
            if study.listen
        ],
        explorers=[
            f"{RUN}/{name}/explorer.parquet"
            for name, study in STUDIES.items()
            if study.shown_fits()
        ],
    output:
        index=f"{RUN}/index.html",
        metrics=f"{RUN}/metrics.json",
    log:
        f"{RUN}/logs/index_studies.log",
    conda:
        "../envs/soundproof.yaml"
    params:
        run=CONFIG.run,
        studies=[
            {
                "name": name,
                "title": Stages(study).facts()["title"],
                "dataset": Stages(study).facts()["dataset"],
                "paper": Stages(study).paper(),
                "folder": f"{RUN}/{name}",
                "inputs": Stages(study).inputs_shown(),
                "explorer": bool(study.shown_fits()),
                "shown": Stages(study).shown(),
            }
            for name, study in STUDIES.items()
        ],
        left_out=config["left_out"],
        code=INDEX.code(),
    script:
        "../workflow_scripts/index_studies.py"

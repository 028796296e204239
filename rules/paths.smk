"""Where files lie, and which of them a study has. No rule stands here."""

from types import SimpleNamespace

from soundproof.config.stages import Stages
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.weights.place import NAME as WEIGHTS_FOLDER

RUN = str(Path(CONFIG.results_dir, CONFIG.run))
DATA = str(Path(CONFIG.data_dir))
WEIGHTS = f"{DATA}/{WEIGHTS_FOLDER}/{{weights}}.safetensors"
STUDY = f"{RUN}/{{study}}"
FIT = "{part}/{detector}/seed{seed}"


wildcard_constraints:
    study="|".join(STUDIES),
    part=r"[^/]+",
    detector=r"[^/]+",
    seed=r"-?\d+",
    dataset=r"[^/]+",
    settings=r"[0-9a-f]+",


def paths(study, detectors, template, part=None):
    """Paths of all trainings of the detectors (and of each explainer, where the template names one)."""
    return [
        template.format(
            study=study, part=of, detector=detector, seed=seed, explainer=explainer
        )
        for of, detector, seed in STUDIES[study].fits(detectors)
        if part in (None, of)
        for explainer in (
            STUDIES[study].explainers if "{explainer}" in template else [None]
        )
    ]


def explained(template):
    """Input function: a file per explained detector, part and seed (and explainer) of the study."""
    return lambda wildcards: paths(
        wildcards.study, STUDIES[wildcards.study].explained, template
    )


def explained_of_part(template):
    """Input function: a file per explained detector and seed (and explainer) of the part."""
    return lambda wildcards: paths(
        wildcards.study, STUDIES[wildcards.study].explained, template, wildcards.part
    )


def trained(template):
    """Input function: a file per detector, part and seed of the study."""
    return lambda wildcards: paths(
        wildcards.study, STUDIES[wildcards.study].detectors, template
    )


def of_part(template):
    """Input function: a file per detector and seed of the part."""
    return lambda wildcards: paths(
        wildcards.study, STUDIES[wildcards.study].detectors, template, wildcards.part
    )


def parts(template):
    """Input function: a file per part of the study."""
    return lambda wildcards: [
        template.format(study=wildcards.study, part=part)
        for part in STUDIES[wildcards.study].parts()
    ]


def of_first_part(template):
    """Input function: a file per explained detector (and explainer), of the first part and seed."""

    def firsts(wildcards):
        study = STUDIES[wildcards.study]
        return [
            template.format(
                study=wildcards.study,
                part=part,
                detector=detector,
                seed=seed,
                explainer=explainer,
            )
            for detector, (part, seed) in study.first_fits().items()
            for explainer in (study.explainers if "{explainer}" in template else [None])
        ]

    return firsts


def first_fit(template):
    """Input function: the file of the first part, explained detector and seed."""
    return lambda wildcards: of_first_part(template)(wildcards)[0]


def first_of_parts(template, fits=lambda study: study.first_of_parts()):
    """Input function: a file per part (detector and explainer), of the first seed of each, each once.

    `fits` tells which trainings of a study are meant.
    """

    def files(wildcards):
        study = STUDIES[wildcards.study]
        return list(
            dict.fromkeys(
                template.format(
                    study=wildcards.study,
                    part=part,
                    detector=detector,
                    seed=seed,
                    explainer=explainer,
                )
                for part, detector, seed in fits(study)
                for explainer in (
                    study.explainers if "{explainer}" in template else [None]
                )
            )
        )

    return files


def shown(template):
    """Input function: as `first_of_parts`, of those whose clips the explorer shows."""
    return first_of_parts(template, lambda study: study.shown_fits())


def artefact_files(folder, names):
    """Files of tables or figures; folders would be compared by time stamp, not by content."""
    return [f"{folder}/{file}" for name in names for file in ARTEFACTS[name].files]


def shown_files(*, tables):
    """Input function: files of the tables, or of the figures, that stand on the study's page."""
    return lambda wildcards: artefact_files(
        f"{RUN}/{wildcards.study}", stages(wildcards).exhibits(tables=tables)
    )


def of_study(name, function):
    """A function of wildcards, for a rule of one study, whose paths say its name instead of a wildcard.

    Snakemake looks for the maker of a file among all rules whose paths begin as the file's does, up to the first
    wildcard: with the study's name these are few.
    """
    return lambda wildcards: function(
        SimpleNamespace(study=name, **dict(wildcards.items()))
    )


def of_explainers(study, kind):
    """Files of a fit, one per explainer of the study. The job decides what of them stays, so none is removed before."""
    return [
        update(f"{RUN}/{study}/{kind}/{label}/{FIT}.parquet")
        for label in STUDIES[study].explainers
    ]


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
        update(f"{RUN}/{study}/{kind}/{{part}}/{label}/seed{seed}{suffix}")
        for label, seed in trainings_at_once(study)
    ]

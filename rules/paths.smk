"""Where files lie, and which of them a study has. No rule stands here."""

from types import SimpleNamespace
from typing import NamedTuple

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


class Sharing(NamedTuple):
    """Trainings of a part that share a job, where it is not one job each."""

    study: str
    labels: list

    def fits(self):
        """[detector, seed] of each."""
        chosen = STUDIES[self.study]
        return [
            [label, seed]
            for label in self.labels
            for seed in chosen.detectors[label].seeds or chosen.seeds
        ]


def trainings_at_once(study):
    """Trainings that share the job which fits them."""
    return Sharing(study, Stages(STUDIES[study]).fitted_at_once())


def explained_together(study):
    """Trainings that share the jobs which explain and judge them, by what these are called."""
    together = Stages(STUDIES[study]).explained_together()
    return {name: Sharing(study, labels) for name, labels in together.items()}


def of_fits(folder, sharing, suffix=".parquet"):
    """Files in a folder: of the training that the wildcards name, or of each that shares the job."""
    if sharing is None:
        return [f"{folder}/{FIT}{suffix}"]
    return [
        f"{folder}/{{part}}/{label}/seed{seed}{suffix}"
        for label, seed in sharing.fits()
    ]


def of_explainers(study, kind, sharing):
    """Files of each training, one per explainer of the study."""
    of_each = zip(
        *(
            of_fits(f"{RUN}/{study}/{kind}/{label}", sharing)
            for label in STUDIES[study].explainers
        )
    )
    return [path for paths in of_each for path in paths]


def kept(paths):
    """Outputs of a job that decides itself what of them stays, so that none is removed before it starts."""
    return [update(path) for path in paths]


def fits_of_job(sharing, wildcards):
    """[detector, seed] of the training that the wildcards name, or of each that shares the job."""
    if sharing is None:
        return [[wildcards.detector, int(wildcards.seed)]]
    return sharing.fits()


def log_of(together):
    """Name of a job's log in its study: what tells the jobs of a rule apart."""
    return f"{{part}}/on_{together}" if together else FIT


def turn_of(study):
    """Priority of a study's jobs: they come in the order in which studies are listed.

    Without it all studies end at once, and their last jobs, one after the other in each, leave cores idle.
    """
    return 100 * (len(STUDIES) - list(STUDIES).index(study))


def turn(wildcards):
    """As `turn_of`, of the study that the wildcards name."""
    return turn_of(wildcards.study)


def turn_of_maps(wildcards):
    """Maps, and trainings that are explained, come before all else: the longest chains of jobs begin with them."""
    return turn(wildcards) + 100 * len(STUDIES)


def turn_of_training(wildcards):
    """As `turn_of_maps` or `turn`, by whether the detector is explained."""
    explained = wildcards.detector in STUDIES[wildcards.study].explained
    return turn_of_maps(wildcards) if explained else turn(wildcards)

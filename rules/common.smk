"""Paths, settings and digests that the rules share; no rule stands here."""

import os
import sys
from functools import cache
from pathlib import Path

# a clone is enough: the package need not be installed
sys.path.insert(0, str(workflow.basedir))

from soundproof.runs.attempts import begin_run
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.runs.codebase import code_digest
from soundproof.runs.command_line import as_typed, check_words
from soundproof.config import load_config
from soundproof.config.demands import demands_of
from soundproof.config.stages import Stages
from soundproof.datasets.registry import DATASETS
from soundproof.folders.sources import joint, map_digests, source_digests
from soundproof.core.errors import SoundproofError
from soundproof.runs.hardware import hide_gpus, jobs_want_gpu
from soundproof.runs.interpreter import call_by_name
from soundproof.core.redaction import redact
from soundproof.weights.place import NAME as WEIGHTS_FOLDER


def read_config():
    """Validate the configuration, or stop with a message that says what to do."""
    settings = workflow.config_settings
    files = [Path(workflow.basedir, "config", "config.yaml"), *settings.configfiles]
    try:
        # as a program, or as a module of python
        if workflow.is_main_process and "snakemake" in Path(sys.argv[0]).parts[-2:]:
            check_words(sys.argv[1:])
        typed = as_typed(config, files, settings.config_args or [])
        return load_config(typed, Path(workflow.basedir, "config", "studies"))
    except SoundproofError as error:
        # the message is meant for a reader; a traceback of the parser would bury it
        sys.exit(f"Configuration error: {redact(str(error))}")


call_by_name()
if workflow.is_main_process:
    begin_run()
CONFIG, STUDIES = read_config()
# jobs read device, threads and memory from here: they shape no result, so they are no parameters of a rule
config.update(CONFIG.model_dump(mode="json"))
# what is demanded of clips only refuses: it is no parameter either
config["demands"] = {name: demands_of(study) for name, study in STUDIES.items()}
RUN = str(Path(CONFIG.results_dir, CONFIG.run))
# on a cluster jobs run elsewhere, and read this file there once more
HERE = workflow.local_exec and not workflow.remote_exec
GPU = int(jobs_want_gpu(CONFIG.device, here=HERE))
if workflow.remote_exec and not GPU:
    # a job that asked for no GPU must not take one that its node happens to show
    hide_gpus()
DATA = str(Path(CONFIG.data_dir))
WEIGHTS = f"{DATA}/{WEIGHTS_FOLDER}/{{weights}}.safetensors"
STUDY = f"{RUN}/{{study}}"
CELL = "{part}/{detector}/seed{seed}"
TABLES = [name for name, entry in ARTEFACTS.items() if entry.kind == "table"]
FIGURES = [name for name, entry in ARTEFACTS.items() if entry.kind != "table"]


wildcard_constraints:
    study="|".join(STUDIES),
    part=r"[^/]+",
    detector=r"[^/]+",
    explainer=r"[^/]+",
    seed=r"-?\d+",
    dataset=r"[^/]+",
    settings=r"[0-9a-f]+",


def stages(wildcards):
    """Settings and code of the study's stages."""
    return Stages(STUDIES[wildcards.study])


def code(rule, implementations=lambda wildcards: []):
    """Parameter that reruns a rule when the code it runs has changed in content."""
    script = Path(workflow.basedir, "workflow_scripts", f"{rule}.py")
    return lambda wildcards: code_digest(script, implementations(wildcards))


def memory(megabytes, maps=True):
    """Memory of a job, in MB, with what it may fill with maps; a second attempt has twice as much."""
    at_first = megabytes + (CONFIG.memory_budget_mb if maps else 0)
    return lambda wildcards, attempt: attempt * at_first


def minutes(at_first):
    """Time of a job, in minutes; a second attempt has twice as much."""
    return lambda wildcards, attempt: attempt * at_first


def manifest_of(wildcards):
    """What says which files of a study's data set were fetched; one's own files are told by their content."""
    dataset = STUDIES[wildcards.study].dataset
    if not DATASETS[dataset.kind].needs_download:
        return []
    return [f"{DATA}/{dataset.kind}/{stages(wildcards).manifest()}"]


@cache
def contents_of(study):
    """Digest of all files of one's own that a study's clips are read from, and of their names; None without any.

    A parameter instead of inputs: Snakemake would compare dates before contents, and names would be patterns.
    """
    try:
        return joint(source_digests(STUDIES[study].dataset))
    except SoundproofError as error:
        sys.exit(f"Cannot run: {error}")


def contents(wildcards):
    """As `contents_of`, of the study that the wildcards name."""
    return contents_of(wildcards.study)


@cache
def maps_of(study, label):
    """Digests of the files behind an explainer whose maps were made elsewhere; of others none."""
    try:
        return map_digests(STUDIES[study].explainers[label])
    except SoundproofError as error:
        sys.exit(f"Cannot run: {error}")


def foreign_maps(wildcards):
    """As `maps_of`, of the study and explainer that the wildcards name."""
    return maps_of(wildcards.study, wildcards.explainer)


def weights_of_detector(wildcards):
    """Files of the weights that a detector stands on; their content is pinned, so that their dates say nothing."""
    names = stages(wildcards).weights(wildcards.detector)
    return [ancient(WEIGHTS.format(weights=name)) for name in names]


def paths(study, detectors, template, part=None):
    """Paths of all trainings of the detectors (and of each explainer, where the template names one)."""
    return [
        template.format(
            study=study, part=of, detector=detector, seed=seed, explainer=explainer
        )
        for of, detector, seed in STUDIES[study].cells(detectors)
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


def trained_keys(wildcards):
    """(part, detector, seed) of each file that `trained` lists, in its order."""
    study = STUDIES[wildcards.study]
    return [list(cell) for cell in study.cells(study.detectors)]


def cells_of_part(wildcards):
    """(detector, seed) of each file that `of_part` lists, in its order."""
    return [cell[1:] for cell in trained_keys(wildcards) if cell[0] == wildcards.part]


def explained_cells_of_part(wildcards):
    """(detector, seed) of the files that `explained_of_part` lists, in its order."""
    labels = STUDIES[wildcards.study].explained
    return [cell for cell in cells_of_part(wildcards) if cell[0] in labels]


def all_detector_code(wildcards):
    """Modules of all detectors of the study."""
    return stages(wildcards).all_detector_code()


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
            for detector, (part, seed) in study.first_cells().items()
            for explainer in (study.explainers if "{explainer}" in template else [None])
        ]

    return firsts


def first_cell(template):
    """Input function: the file of the first part, explained detector and seed."""
    return lambda wildcards: of_first_part(template)(wildcards)[0]


def reported(wildcards):
    """Numbers of the papers that a study is compared with."""
    name = STUDIES[wildcards.study].reported
    # relative: Snakemake's record of inputs must fit in every clone
    return (
        [os.path.relpath(Path(workflow.basedir, "config", "reported", f"{name}.csv"))]
        if name
        else []
    )


def artefact_files(names):
    """Files of tables or figures; folders would be compared by time stamp, not by content."""
    return [f"{STUDY}/{file}" for name in names for file in ARTEFACTS[name].files]


def artefact_code(names):
    """Modules of tables or figures."""
    return sorted({ARTEFACTS[name].module for name in names})


def dataset_settings(wildcards):
    """Settings of the data set that a manifest is named after."""
    manifest = f"{wildcards.dataset}/manifest-{wildcards.settings}.json"
    return next(
        settings.dataset()
        for settings in map(Stages, STUDIES.values())
        if f"{settings.study.dataset.kind}/{settings.manifest()}" == manifest
    )


def without_bands(wildcards):
    """Files of scores without bands, where the study asks for them."""
    wanted = STUDIES[wildcards.study].bands is not None
    return parts(f"{STUDY}/bands/{{part}}.parquet")(wildcards) if wanted else []


def other_trainings(wildcards):
    """Files that compare the trainings of a detector, for parts where there are several of one."""
    wanted = stages(wildcards)
    return [
        f"{RUN}/{wildcards.study}/trainings/{part}.parquet"
        for part in STUDIES[wildcards.study].parts()
        if wanted.compared_cells(part)
    ]

"""Paths, settings and digests that the rules share; no rule stands here."""

import sys
from pathlib import Path

# a clone is enough: the package need not be installed
sys.path.insert(0, str(workflow.basedir))

from soundproof.codebase import code_digest
from soundproof.config import load_config
from soundproof.config.stages import Stages
from soundproof.datasets.registry import DATASETS
from soundproof.errors import SoundproofError


def read_config():
    """Validate the configuration, or stop with a message that says what to do."""
    try:
        return load_config(config, Path(workflow.basedir, "config", "studies"))
    except SoundproofError as error:
        # the message is meant for a reader; a traceback of the parser would bury it
        sys.exit(f"Configuration error: {error}")


CONFIG, STUDIES = read_config()
# jobs read device, threads and memory from here: they shape no result, so they are no parameters of a rule
config.update(CONFIG.model_dump(mode="json"))
RUN = f"{CONFIG.results_dir}/{CONFIG.run}"
# on a workstation a job asks for a GPU only where there is one; a cluster's login node need not have any,
# so there the configuration says `device: cuda`
GPU = int(CONFIG.device == "cuda" or (CONFIG.device == "auto" and Path("/dev/nvidia0").exists()))
STUDY = f"{RUN}/{{study}}"
CELL = "{part}/{detector}/seed{seed}"


wildcard_constraints:
    study="|".join(STUDIES),
    part=r"[^/]+",
    detector=r"[^/]+",
    explainer=r"[^/]+",
    seed=r"-?\d+",


def stages(wildcards):
    """Settings and code of the study's stages."""
    return Stages(STUDIES[wildcards.study])


def code(rule, implementations=lambda wildcards: []):
    """Parameter that reruns a rule when the code it runs has changed in content."""
    script = Path(workflow.basedir, "workflow_scripts", f"{rule}.py")
    return lambda wildcards: code_digest(script, implementations(wildcards))


def manifest_of(wildcards):
    """What must be fetched before a study's clips can be listed."""
    kind = STUDIES[wildcards.study].dataset.kind
    return [f"{CONFIG.data_dir}/{kind}/manifest.json"] if DATASETS[kind].needs_download else []


def cells(study, detectors, template):
    """Paths of all (part, detector, seed) combinations of a study."""
    return expand(
        template,
        study=study,
        part=STUDIES[study].parts(),
        detector=detectors,
        seed=STUDIES[study].seeds,
        explainer=list(STUDIES[study].explainers),
    )


def explained(template):
    """Input function: a file per explained detector, part and seed (and explainer) of the study."""
    return lambda wildcards: cells(wildcards.study, STUDIES[wildcards.study].explained, template)


def trained(template):
    """Input function: a file per detector, part and seed of the study."""
    return lambda wildcards: cells(wildcards.study, list(STUDIES[wildcards.study].detectors), template)

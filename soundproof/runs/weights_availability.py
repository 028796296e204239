"""Which studies can have the pretrained weights that they need; asked before anything is planned.

Weights come from a package index or an address that may be out of reach. A study without them cannot be made, and
the others must not suffer: it is left out, with the reason. The process that plans a run tries once to fetch the
checkpoints that are missing (a job makes weights of them); what it could not fetch it notes where the weights go,
so that the jobs, which read the workflow anew, leave out the same studies.

Importing this loads no numerical library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.core.errors import DownloadError
from soundproof.core.redaction import redact
from soundproof.downloads.retry_policy import Policy
from soundproof.storage.files import whole_file
from soundproof.weights.checkpoint import bring_checkpoint
from soundproof.weights.place import NAME, file_of
from soundproof.weights.records import recorded

_LOOKING = frozenset(
    [
        "-n",
        "--dry-run",
        "--dryrun",
        "--lint",
        "--dag",
        "--rulegraph",
        "--filegraph",
        "--d3dag",
        "--summary",
        "-S",
        "--detailed-summary",
        "-D",
        "--list",
        "-l",
        "--list-rules",
        "--list-target-rules",
        "--lt",
        "--list-changes",
        "--lc",
        "--unlock",
        "--cleanup-metadata",
        "--report",
    ]
)
_ONCE = Policy(attempts=1)


def only_looks(words: Sequence[str]) -> bool:
    """Whether Snakemake is asked for a plan or a list alone, with these words of its command line."""
    return any(word.partition("=")[0] in _LOOKING for word in words)


def left_out(studies: Mapping[str, Study], run: Path, data_dir: Path, *, fetch: bool) -> dict[str, str]:
    """Return the studies whose weights are out of reach, each with the reason in a sentence.

    A study that is fitted already stays, since its results need no weights.

    Args:
        studies: Studies by name.
        run: Folder of the run.
        data_dir: Folder of data.
        fetch: Try to fetch what is missing; otherwise go by what was noted before.

    Raises:
        StorageError: The folder of weights cannot be written.
    """
    missing = {
        weights: reason
        for weights in sorted({name for study in studies.values() for name in _needed(study, run)})
        if (reason := _out_of_reach(weights, data_dir, fetch=fetch))
    }
    return {
        name: " ".join(f"Weights '{weights}' are missing: {missing[weights]}" for weights in lacking)
        for name, study in studies.items()
        if (lacking := [weights for weights in _needed(study, run) if weights in missing])
    }


def _needed(study: Study, run: Path) -> list[str]:
    weights = Stages(study).all_weights()
    if not weights:
        return []
    models = run / study.name / "models"
    fits = study.fits(study.detectors)
    fitted = all((models / part / label / f"seed{seed}.safetensors").is_file() for part, label, seed in fits)
    return [] if fitted else weights


def _out_of_reach(weights: str, data_dir: Path, *, fetch: bool) -> str:
    folder = data_dir / NAME
    note = folder / f"{weights}.out-of-reach.txt"
    if file_of(weights, folder).is_file():
        return ""
    if not fetch:
        return note.read_text(encoding="utf-8") if note.is_file() else ""
    try:
        bring_checkpoint(weights, recorded(weights), data_dir, _ONCE)
    except DownloadError as error:
        reason = redact(_in_a_sentence(error))
        with whole_file(note) as partial:
            partial.write_text(reason, encoding="utf-8")
        return reason
    note.unlink(missing_ok=True)
    return ""


def _in_a_sentence(error: DownloadError) -> str:
    found, remedy = (" ".join(text.split()).rstrip(".") for text in (error.found, error.remedy))
    return f"{found}. To do: {remedy}."

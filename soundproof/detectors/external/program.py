"""A program of ``torch.export``: code that is trusted by its checksum, with nothing pickled in its file."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from soundproof.core.errors import DataError
from soundproof.detectors.external.calls import Calls
from soundproof.detectors.external.checks import check_state
from soundproof.detectors.external.model import ModelDetector
from soundproof.detectors.external.network import read_checked
from soundproof.detectors.external.settings import ExternalSettings
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import TrainingClips, TrainingRun

_EXPORT = (
    "export it anew with this torch: torch.export.save(torch.export.export(model.eval(), (clips,)), file)"
)


class ProgramDetector(ModelDetector):
    """A model in a ``.pt2`` file.

    Its weights are stored with the fitted detector and its code is not: as with a Python file, each job that asks
    the detector loads the very file that the settings name, and refuses one of another checksum.

    Args:
        shape: (n_freq, n_frames) of the maps.
        settings: Where the file is, and what the model returns.

    Raises:
        DataError: A file that cannot be read, has another checksum or holds pickled objects or compiled libraries;
            or a program that does not take one map for any number of clips, or for one.
    """

    def __init__(self, shape: tuple[int, int], settings: ExternalSettings) -> None:
        super().__init__(shape, settings)
        self.code = Calls(settings.model, "sound" if settings.hears else f"maps {shape}")
        self.network = ProgramNetwork(settings.model, read_checked(settings))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Check what the program returns; it learns nothing.

        Raises:
            DataError: One that explanations and metrics could not be trusted with (:meth:`settle`).
        """
        self.take_form_of(clips)
        of_clips, tried = self.settle(clips, run.device)
        check_state(of_clips, type(self)(self.shape, self.settings), tried)
        return no_history()


class ProgramNetwork(nn.Module):
    """A program as a module, which has no modes: training or not was settled when it was exported.

    Args:
        name: Name of the file, for messages.
        content: The file, whose checksum is known to be the right one.

    Raises:
        DataError: As :class:`ProgramDetector`, but for the checksum.
    """

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__()
        loaded = _loaded(name, content)
        self.one_by_one = _takes_one(name, loaded)
        self.program = loaded.module()
        for part in self.modules():
            # it refuses train() and eval()
            part.training = False

    def train(self, mode: bool = True) -> ProgramNetwork:
        """Leave it as it was exported."""
        return self

    def forward(self, x: Tensor) -> Any:
        """What the program returns; a program for one clip gets one after the other."""
        if not self.one_by_one or len(x) == 1:
            return self.program(x)
        return torch.cat([self.program(part) for part in torch.split(x, 1)])


def _loaded(name: str, content: bytes) -> ExportedProgram:
    asked = f"the program '{name}'"
    found = sorted(_running(name, content))
    if found:
        raise DataError(
            f"{asked} without pickled objects and compiled libraries",
            ", ".join(found[:3]),
            "export the bare network with torch.export.save, or bring the Python that makes it",
        )
    try:
        return torch.export.load(io.BytesIO(content))
    except Exception as error:
        said = " ".join(str(error).split())
        raise DataError(asked, f"torch cannot load it: {type(error).__name__}: {said}", _EXPORT) from error


def _running(name: str, content: bytes) -> Iterator[str]:
    """Members of a ``.pt2`` file that ``torch.export.load`` would unpickle or run without a word.

    Raises:
        DataError: It is no such file.
    """
    asked = f"the program '{name}'"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # torch writes each member below one folder, whose name is that of the file
            members = {PurePosixPath(*PurePosixPath(one).parts[1:]): one for one in archive.namelist()}
            if PurePosixPath("archive_format") not in members:
                raise DataError(asked, "no file that this torch wrote with torch.export.save", _EXPORT)
            for member, full in members.items():
                if member.is_relative_to("data/aotinductor"):
                    yield str(member)
                elif member.is_relative_to("data/sample_inputs"):
                    if not _holds_tensors_alone(archive.read(full)):
                        yield str(member)
                elif member.parts[:2] in (("data", "weights"), ("data", "constants")):
                    if member.suffix == ".pt":
                        yield str(member)
                    if member.suffix == ".json":
                        payloads = json.loads(archive.read(full))["config"].values()
                        yield from (f"{member}: {one['path_name']}" for one in payloads if one["use_pickle"])
    except (zipfile.BadZipFile, KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(asked, f"no whole file ({type(error).__name__}: {error})", _EXPORT) from error


def _holds_tensors_alone(content: bytes) -> bool:
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError):
        return False
    return True


def _takes_one(name: str, program: ExportedProgram) -> bool:
    """Whether it takes a single clip at a time.

    Raises:
        DataError: It has not one input and one output, or takes another fixed number of clips.
    """
    inputs, outputs = program.graph_signature.user_inputs, program.graph_signature.user_outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise DataError(
            f"the program '{name}' with one input and one output",
            f"{len(inputs)} inputs and {len(outputs)} outputs",
            "export the part of the model that takes maps and returns what 'output' says",
        )
    (given,) = (node.meta["val"] for node in program.graph.nodes if node.name == inputs[0])
    batch = given.shape[0] if isinstance(given, Tensor) and given.ndim else None
    if isinstance(batch, int) and batch != 1:
        raise DataError(
            f"the program '{name}' for any number of clips, or for one",
            f"it takes {batch} at a time",
            "export it with dynamic_shapes=({0: torch.export.Dim('clips')},), or for a batch of 1",
        )
    return isinstance(batch, int)

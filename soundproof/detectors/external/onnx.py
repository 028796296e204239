"""A model in an ONNX file: run by ONNX Runtime, and asked for what it returns alone."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.external.calls import Calls
from soundproof.detectors.external.checks import check_state
from soundproof.detectors.external.model import ModelDetector
from soundproof.detectors.external.network import read_checked
from soundproof.detectors.external.settings import ExternalSettings
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import TrainingClips, TrainingRun

_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}
_UNKNOWN = re.compile(r"([\w.]+:\w+)\(-?\d+\) is not a registered function/op|No Op registered for (\w+)")


class OnnxDetector(ModelDetector):
    """A model in a file that ONNX Runtime reads; nothing of it is executed as Python.

    The file's content is part of what is stored, so that the fitted detector needs the file no more. It has no
    gradients, and no weights that could be redrawn.

    Args:
        shape: (n_freq, n_frames) of the maps.
        settings: Where the file is, and what the model returns.
    """

    network: OnnxNetwork

    def __init__(self, shape: tuple[int, int], settings: ExternalSettings) -> None:
        super().__init__(shape, settings)
        self.code = Calls(settings.model, shape)
        self.network = OnnxNetwork(settings.model)

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Read the file and check what the model returns.

        Raises:
            ConfigError: ONNX Runtime is not installed.
            DataError: A file that cannot be read or has another checksum, operators that ONNX Runtime does not
                know, a model of another form, or one that explanations and metrics could not be trusted with.
        """
        self.network.take(read_checked(self.settings))
        tried = self.settle(clips, run.device)
        check_state(self, type(self)(self.shape, self.settings), tried)
        return no_history()


class OnnxNetwork(nn.Module):
    """The content of an ONNX file, as a module without gradients.

    Args:
        name: Name of the file, for messages.

    Attributes:
        content: The file, uint8 [n_bytes].
    """

    content: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.register_buffer("content", torch.zeros(0, dtype=torch.uint8))
        self._session: Any = None

    def __deepcopy__(self, memo: dict[int, Any]) -> OnnxNetwork:
        # sessions cannot be copied, and are opened when first asked
        made = OnnxNetwork(self.name)
        made.content = self.content.clone()
        return made.train(self.training)

    def take(self, content: bytes) -> None:
        """Take the content of a file."""
        self.content = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        self._session = None

    def forward(self, x: Tensor) -> Tensor:
        """What the model returns, on the device of its input; a model for one clip gets one after the other."""
        session = self._opened()
        (given,) = session.get_inputs()
        values = x.detach().cpu().numpy().astype(_TYPES[given.type])
        parts = np.split(values, len(values)) if given.shape[:1] == [1] else [values]
        with torch.no_grad():
            found = [torch.from_numpy(session.run(None, {given.name: part})[0]) for part in parts]
            return torch.cat(found).to(x.device)

    def _opened(self) -> Any:
        if self._session is None:
            self._session = _session(self.name, self.content.cpu().numpy().tobytes())
        return self._session


def _session(name: str, content: bytes) -> Any:
    runtime = _runtime()
    options = runtime.SessionOptions()
    # as all that computes here: the order of sums hangs on the threads
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        unknown = _UNKNOWN.search(str(error))
        if unknown:
            raise DataError(
                f"operators of ONNX in the model '{name}'",
                f"'{unknown[1] or unknown[2]}', which ONNX Runtime does not know",
                "export it without custom operators: code of other libraries is not loaded",
            ) from error
        found = f"ONNX Runtime cannot read it: {' '.join(str(error).split())}"
        raise DataError(
            f"the model '{name}'", found, "export it anew, in one file with its weights"
        ) from error
    _check_form(name, session)
    return session


def _check_form(name: str, session: Any) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    kinds = [one.type for one in (*inputs, *outputs)]
    if len(inputs) != 1 or len(outputs) != 1 or not set(kinds) <= _TYPES.keys():
        listed = ", ".join(f"{one.name}: {one.type}" for one in (*inputs, *outputs))
        raise DataError(
            f"the model '{name}' with one input and one output of real numbers",
            f"{len(inputs)} inputs and {len(outputs)} outputs ({listed})",
            "export the part of the model that takes maps and returns what 'output' says",
        )
    batch = inputs[0].shape[0] if inputs[0].shape else None
    if isinstance(batch, int) and batch != 1:
        raise DataError(
            f"the model '{name}' for any number of clips, or for one",
            f"it takes {batch} at a time",
            "export it with a free first axis, or for a batch of 1",
        )


def _runtime() -> ModuleType:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        remedy = "install it: ./run python -m pip install onnxruntime (the library: pip install 'soundproof[onnx]')"
        raise ConfigError("ONNX Runtime, which runs .onnx files", "it is not installed", remedy) from error
    module: ModuleType = onnxruntime
    return module

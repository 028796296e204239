"""A model in an ONNX file: run by ONNX Runtime, or by torch where gradients are wanted and it converts."""

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
from soundproof.detectors.external.converted import WITHOUT, converted
from soundproof.detectors.external.model import ModelDetector
from soundproof.detectors.external.network import read_checked
from soundproof.detectors.external.settings import ExternalSettings
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import TrainingClips, TrainingRun

_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}
_TORCH_TYPES = {"tensor(float)": torch.float32, "tensor(double)": torch.float64}
_AGREEMENT = 1e-4
"""Part of the largest value that ONNX Runtime returns for a group of clips, by which torch may differ from it."""
_UNKNOWN = re.compile(r"([\w.]+:\w+)\(-?\d+\) is not a registered function/op|No Op registered for (\w+)")


class OnnxDetector(ModelDetector):
    """A model in a file that ONNX Runtime reads; no code of others is loaded for it.

    The file's content is part of what is stored, so that the fitted detector needs the file no more. With gradients
    it is converted to torch, compared with ONNX Runtime on all training clips, and asked there from then on: scores
    and explanations are of one thing. It has no weights that could be redrawn.

    Args:
        shape: (n_freq, n_frames) of the maps.
        settings: Where the file is, and what the model returns.
    """

    network: OnnxNetwork

    def __init__(self, shape: tuple[int, int], settings: ExternalSettings) -> None:
        super().__init__(shape, settings)
        self.code = Calls(settings.model, "sound" if settings.hears else f"maps {shape}")
        self.network = OnnxNetwork(settings.model, settings.gradients)

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Read the file and check what the model returns.

        Raises:
            ConfigError: ONNX Runtime, or the converter, is not installed.
            DataError: A file that cannot be read or has another checksum, operators that ONNX Runtime does not
                know, a model of another form, one that does not convert or returns something else in torch (with
                gradients), or one that explanations and metrics could not be trusted with.
        """
        self.take_form_of(clips)
        self.network.take(read_checked(self.settings))
        if self.settings.gradients:
            self._check_conversion(clips, run.device)
        of_clips, tried = self.settle(clips, run.device)
        check_state(of_clips, type(self)(self.shape, self.settings), tried)
        return no_history()

    def _check_conversion(self, clips: TrainingClips, device: torch.device) -> None:
        original = type(self)(self.shape, self.settings.model_copy(update={"gradients": False}))
        original.network.content = self.network.content
        for of_clips, x in self.in_chunks(clips, device):
            with torch.no_grad():
                given = of_clips.given(x)
                expected, found = original.returned(given), of_clips.returned(given)
            apart, allowed = float((found - expected).abs().max()), _AGREEMENT * float(expected.abs().max())
            # NaN is no agreement
            if not apart <= allowed:
                raise DataError(
                    f"the model '{self.settings.model}' that returns the same in torch as in ONNX Runtime",
                    f"it differs by {apart:.3g} on training clips, where {allowed:.3g} is allowed",
                    WITHOUT,
                )


class OnnxNetwork(nn.Module):
    """The content of an ONNX file, as a module.

    Args:
        name: Name of the file, for messages.
        gradients: Whether torch runs it, and not ONNX Runtime.

    Attributes:
        content: The file, uint8 [n_bytes].
    """

    content: Tensor

    def __init__(self, name: str, gradients: bool) -> None:
        super().__init__()
        self.name = name
        self.gradients = gradients
        self.register_buffer("content", torch.zeros(0, dtype=torch.uint8))
        self._session: Any = None
        self._in_torch: list[nn.Module] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> OnnxNetwork:
        # sessions cannot be copied, and are opened when first asked
        made = OnnxNetwork(self.name, self.gradients)
        made.content = self.content.clone()
        return made.train(self.training)

    def take(self, content: bytes) -> None:
        """Take the content of a file."""
        self.content = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        self._session = None
        self._in_torch.clear()

    def forward(self, x: Tensor) -> Tensor:
        """What the model returns, on the device of its input; a model for one clip gets one after the other."""
        (given,) = self._opened().get_inputs()
        parts = torch.split(x, 1) if given.shape[:1] == [1] else (x,)
        run = self._by_torch if self.gradients else self._by_runtime
        return torch.cat([run(part, given) for part in parts])

    def _by_runtime(self, x: Tensor, given: Any) -> Tensor:
        values = x.detach().cpu().numpy().astype(_TYPES[given.type])
        (found,) = self._opened().run(None, {given.name: values})
        with torch.no_grad():
            return torch.from_numpy(found).to(x.device)

    def _by_torch(self, x: Tensor, given: Any) -> Tensor:
        if not self._in_torch:
            # in a list, which keeps it out of what is stored: the file's content stands there
            self._in_torch.append(converted(self.name, self.content.cpu().numpy().tobytes()))
        found: Tensor = self._in_torch[0].to(x.device)(x.to(_TORCH_TYPES[given.type]))
        return found

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

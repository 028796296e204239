"""A CLAP model in a folder that its user placed: read from the files that are tracked, and from no others.

CLAP (Wu et al. 2023, arXiv 2211.06687) maps sounds and sentences to vectors that are alike where one describes
the other. The networks are those of the library ``transformers``, which gets a configuration and tensors here, and
never a name that it might look up somewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional

from soundproof.backbones.digests import tensors_digest
from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.foundation.settings import (
    CONFIG,
    FRONT_END,
    INSTALL,
    NOT_INSTALLED,
    TENSORS,
    TOKENIZER,
    fault_of,
)
from soundproof.interfaces.backbone import Backbone, Layer, Origin

N_BANDS = 64
N_FRAMES = 1001
"""Bands and frames of ten seconds, which the network was trained on."""
FRONT_END_OF_RECIPE = {
    "sampling_rate": 48_000,
    "fft_window_size": 1024,
    "hop_length": 480,
    "feature_size": N_BANDS,
    "frequency_min": 50,
    "frequency_max": 14_000,
    "max_length_s": 10,
    "top_db": None,
    # with it the mel bands are Slaney's, without it HTK's
    "truncation": "rand_trunc",
}
"""What a model's own front end must be for the recipe ``clap`` to give what it was trained on."""
SILENCE_DB = -100.0
"""What the recipe makes of silence."""
_CREDIT = "weights that the user placed; authors and licence were not read, and are the user's to look up"
_ROWS = 32
"""Maps that go through at once: the network keeps some 25 MB of each."""


class ClapAudio(Backbone):
    """CLAP's encoder of sound, a vector of length 1 for a map: its one layer has one cell.

    A map is repeated until it lasts ten seconds, as CLAP's own front end repeats a short sound; bands that the
    recordings do not have are silent.

    Args:
        shape: (n_freq, n_frames) of the maps.
        folder: Of the model.
        sha256: Checksum that its tensors must have; None: any.

    Raises:
        ConfigError: The library is not installed.
        DataError: The folder cannot be used (:func:`read_clap`), or the maps have more bands or frames than CLAP.
    """

    def __init__(self, shape: tuple[int, int], folder: Path, sha256: str | None) -> None:
        super().__init__(shape)
        if shape[0] > N_BANDS or shape[1] > N_FRAMES:
            raise DataError(
                f"maps of at most {N_BANDS} bands and {N_FRAMES} frames for CLAP",
                f"{shape[0]} bands and {shape[1]} frames",
                "choose the recipe 'clap', and cut clips to ten seconds at most",
            )
        model = read_clap(folder, sha256)
        self.encoder: nn.Module = model.audio_model
        self.projection: nn.Module = model.audio_projection
        centre = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
        self.layers = (Layer("audio", model.config.projection_dim, shape, centre),)
        state = self.state_dict()
        self.origin = Origin(folder.name, tensors_digest(state), frozenset(state), _CREDIT)
        self.eval()

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps [B, n_freq, n_frames] in dB -> vectors of length 1, [B, n_dimensions, 1, 1]."""
        return [torch.cat([self._vectors(rows) for rows in torch.split(x, _ROWS)])[:, :, None, None]]

    def _vectors(self, x: Tensor) -> Tensor:
        whole = functional.pad(x, (0, 0, 0, N_BANDS - x.shape[1]), value=SILENCE_DB)
        frames = torch.arange(N_FRAMES, device=x.device) % x.shape[2]
        found = self.encoder(input_features=whole[:, :, frames].transpose(1, 2)[:, None])
        vectors: Tensor = functional.normalize(self.projection(found.pooler_output), dim=-1)
        return vectors

    def reset_parameters(self) -> None:
        """Set the tables of relative positions, which no layer resets by itself, to the 0 that they start from."""
        with torch.no_grad():
            for name, table in self.named_parameters():
                if name.endswith("relative_position_bias_table"):
                    table.zero_()


class ClapText:
    """CLAP's encoder of sentences.

    Args:
        folder: Of the model.
        sha256: Checksum that its tensors must have; None: any.

    Raises:
        ConfigError: As :class:`ClapAudio`.
        DataError: As :class:`ClapAudio`, or a tokenizer that cannot be read.
    """

    def __init__(self, folder: Path, sha256: str | None) -> None:
        self._model = read_clap(folder, sha256)
        _library()
        from tokenizers import Tokenizer

        path = folder / TOKENIZER
        try:
            self._tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except Exception as error:
            # the library raises nothing narrower
            raise _unusable(path, f"no tokenizer: {error}") from error

    def mean_vector(self, sentences: Sequence[str]) -> Tensor:
        """Mean of the sentences' vectors of length 1, brought to length 1 again, [n_dimensions].

        Raises:
            DataError: A sentence is longer than the network takes, or has a word that it has no vector for.
        """
        with torch.no_grad():
            return functional.normalize(torch.stack([self._vector(one) for one in sentences]).mean(0), dim=-1)

    def _vector(self, sentence: str) -> Tensor:
        ids = torch.tensor([self._tokenizer.encode(sentence).ids])
        try:
            found = self._model.text_model(input_ids=ids, attention_mask=torch.ones_like(ids))
        except (IndexError, RuntimeError) as error:
            raise DataError(
                f"a vector of the sentence '{sentence}'",
                f"{ids.shape[1]} tokens that the model does not take ({' '.join(str(error).split())})",
                "write shorter words for states and machines, or bring the tokenizer of this model",
            ) from error
        vector: Tensor = functional.normalize(self._model.text_projection(found.pooler_output), dim=-1)[0]
        return vector


def read_clap(folder: Path, sha256: str | None) -> Any:
    """Read a CLAP model, without running anything that stands in its folder.

    Args:
        folder: Of the model.
        sha256: Checksum that its tensors must have; None: any.

    Returns:
        ``transformers.ClapModel``, in evaluation.

    Raises:
        ConfigError: The library is not installed.
        DataError: A file is missing or unreadable, the tensors have another checksum or are of another model, or
            the model hears otherwise than the recipe ``clap``.
    """
    fault = fault_of(folder)
    if fault:
        raise DataError(f"the weights of CLAP in {folder}", *fault)
    library = _library()
    config, front_end = (_mapping(folder / name) for name in (CONFIG, FRONT_END))
    _check_front_end(folder / FRONT_END, front_end)
    _check_kind(folder / CONFIG, config)
    tensors = _tensors(folder / TENSORS, sha256)
    try:
        # starting weights are drawn, and then replaced
        with torch.random.fork_rng(devices=[]):
            model, report = library.ClapModel.from_pretrained(
                None,
                config=library.ClapConfig(**config),
                state_dict=tensors,
                output_loading_info=True,
            )
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise _unusable(folder, f"{CONFIG} and {TENSORS} that do not fit one another ({said})") from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise _unusable(folder / TENSORS, f"{len(missing)} tensors missing, such as {missing[0]}")
    return model.float().eval()


def _library() -> Any:
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise ConfigError("CLAP, which the library 'transformers' runs", NOT_INSTALLED, INSTALL) from error
    return transformers


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path, f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise _unusable(path, f"a {type(found).__name__} instead of a mapping")
    return found


def _check_front_end(path: Path, found: dict[str, Any]) -> None:
    for key, wanted in FRONT_END_OF_RECIPE.items():
        if found.get(key) != wanted:
            raise _unusable(path, f"'{key}: {found.get(key)}', where the recipe 'clap' has '{wanted}'")


def _check_kind(path: Path, config: dict[str, Any]) -> None:
    audio = config.get("audio_config")
    if config.get("model_type") != "clap" or not isinstance(audio, dict):
        raise _unusable(path, f"a model of the kind '{config.get('model_type')}' instead of 'clap'")
    if audio.get("enable_fusion"):
        raise _unusable(path, "a model that fuses views of long sounds ('enable_fusion')")


def _tensors(path: Path, sha256: str | None) -> dict[str, Tensor]:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, found):
        raise DataError(
            f"weights {path} with SHA-256 {sha256}",
            f"SHA-256 {found}",
            "bring the file that was meant, or correct 'sha256'",
        )
    try:
        return load(content)
    except SafetensorError as error:
        raise _unusable(path, f"no whole safetensors file: {error}") from error


def _unusable(path: Path, found: str) -> DataError:
    return DataError(
        f"a CLAP model that can be used: {path}",
        found,
        "place one like laion/clap-htsat-unfused, as its authors published it (docs/clap.md)",
    )

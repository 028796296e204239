"""Settings of detectors of one's own. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue, PositiveInt, model_validator

from soundproof.core.registry import Parameters

Output = Literal["score", "reconstruction", "cell_map", "embedding"]
Input = Literal["maps", "images", "audio"]


class ExternalSettings(Parameters):
    """Settings of a model of one's own."""

    model: str = Field(
        description="what makes the model from (bands, frames), or (samples, rate in Hz) of audio: "
        "'path/to/file.py:build' or 'package.module:build'; "
        "or an ONNX file, 'path/to/file.onnx'; or a program of torch.export, 'path/to/file.pt2'"
    )
    output: Output = Field(
        description="what the model returns for maps [B, bands, frames]: score [B], higher = more anomalous; "
        "reconstruction or cell_map [B, bands, frames]; embedding [B, dimensions], compared with normal clips; for "
        "audio [B, samples]: score, embedding, or reconstruction [B, samples]"
    )
    weights: Path | None = Field(
        None, description="file of its state_dict (.safetensors, or .pt/.pth that holds tensors only)"
    )
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="checksum that the weights, or the file with the model, must have; None: any (not for .pt2)",
    )
    arguments: dict[str, JsonValue] = Field(
        default_factory=dict, description="further arguments of the function, by name"
    )
    input: Input = Field(
        "maps",
        description="what the model takes: maps [B, bands, frames], images [B, 1, bands, frames], or audio "
        "[B, samples], whose features are inside the model (recipe 'audio', or another with `keep_sound`)",
    )
    rate_hz: PositiveInt | None = Field(
        None,
        description="audio: sampling rate that the model was made for; another one of the recipe is refused",
    )
    gradients: bool = Field(
        True,
        description="whether its output can be differentiated by its input; an ONNX file is converted for it",
    )
    cam_layer: str | None = Field(
        None, description="name of the layer that Grad-CAM looks at, as in named_modules(); None: none"
    )
    clip_score: Literal["mean", "max"] = Field(
        "mean", description="cell_map: the clip's score is the mean or the maximum of its cells"
    )
    neighbours: PositiveInt = Field(
        1, description="embedding: nearest normal clips whose mean distance is the score"
    )
    one_by_one: bool = Field(False, description="the model takes a single clip at a time")

    @model_validator(mode="after")
    def _fits_the_kind_of_model(self) -> ExternalSettings:
        if self.is_file:
            given = [name for name in ("weights", "arguments", "cam_layer") if getattr(self, name)]
            if given:
                raise ValueError(f"{self.model} holds all of the model: leave out '{given[0]}'")
            if self.is_program and self.sha256 is None:
                raise ValueError(
                    "loading a program of torch.export runs code that nobody reads: say by 'sha256' which one you "
                    f"trust (sha256sum {self.model})"
                )
        elif self.sha256 is not None and self.weights is None:
            raise ValueError("a checksum needs 'weights'")
        return self

    @model_validator(mode="after")
    def _fits_its_input(self) -> ExternalSettings:
        if self.input != "audio":
            if self.rate_hz is not None:
                raise ValueError(
                    f"'rate_hz' is for models that take audio; this one takes {self.input}: leave it out"
                )
            return self
        if self.output == "cell_map":
            raise ValueError(
                "a model that takes audio knows nothing of the study's cells: return a score, a reconstruction "
                "[B, samples], of which the error is taken cell by cell, or an embedding"
            )
        if self.cam_layer is not None:
            raise ValueError(
                "the bands and frames of a layer within a model that takes audio are its own, and Grad-CAM would "
                "lay them over the study's: leave out 'cam_layer', and take another explainer by gradients"
            )
        return self

    @property
    def hears(self) -> bool:
        """Whether the model takes sound, and not maps."""
        return self.input == "audio"

    @property
    def is_onnx(self) -> bool:
        """Whether the model is an ONNX file, which holds its weights and no code."""
        return self.model.endswith(".onnx")

    @property
    def is_program(self) -> bool:
        """Whether the model is a program of ``torch.export``, which holds its weights and is code to be trusted."""
        return self.model.endswith(".pt2")

    @property
    def is_file(self) -> bool:
        """Whether the model is a file that holds all of it, and not Python that makes it."""
        return self.is_onnx or self.is_program

    def named_modules(self) -> tuple[str, ...]:
        """Where the model's code is: a file, or the dotted name of a module; nowhere for a file that holds all."""
        return () if self.is_file else (self.model.rpartition(":")[0],)

    def own_files(self) -> tuple[Path, ...]:
        """The weights, or the file that holds all of the model."""
        if self.is_file:
            return (Path(self.model),)
        return () if self.weights is None else (self.weights,)


class ScoresSettings(Parameters):
    """Where scores that were made elsewhere are."""

    path: Path = Field(description="CSV with the columns clip_id and score (higher = more anomalous)")

    def own_files(self) -> tuple[Path, ...]:
        """The table."""
        return (self.path,)

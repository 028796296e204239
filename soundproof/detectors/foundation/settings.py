"""Settings of detectors that ask a model of sound and language; importing this loads no numerical library."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from string import Formatter
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt, StringConstraints, field_validator

from soundproof.core.registry import Parameters

RECIPE = "clap"
CONFIG, FRONT_END, TOKENIZER, TENSORS = FILES = (
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "model.safetensors",
)
"""Files of a folder in the layout of Hugging Face that are read, and no others."""
PACKAGE = "transformers"
NOT_INSTALLED = f"the library '{PACKAGE}' is not installed"
INSTALL = (
    f"install it: ./run python -m pip install '{PACKAGE}>=5.24,<6' (docs/clap.md; the library: pip install "
    "'soundproof[clap]')"
)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def fault_of(folder: Path) -> tuple[str, str] | None:
    """What is wrong with a folder of weights by its names alone, and what to do; None: nothing."""
    placing = f"place a CLAP model there: {', '.join(FILES)} (docs/clap.md)"
    if not folder.is_dir():
        return f"no folder {folder}", placing
    missing = [name for name in FILES if not (folder / name).is_file()]
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLES)
    if TENSORS in missing and pickles:
        return (
            f"a pickle alone in {folder} ({pickles[0]}), which may run code of its own when it is read",
            f"have the library save the model anew: save_pretrained writes {TENSORS} (docs/clap.md)",
        )
    return (f"no {', '.join(missing)} in {folder}", placing) if missing else None


class ClapZeroShotSettings(Parameters):
    """Settings of CLAP zero-shot."""

    weights: Path = Field(
        Path("data/weights/clap"),
        description=f"folder of a CLAP model that you placed, in the layout of Hugging Face: {', '.join(FILES)}",
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description=f"checksum that {TENSORS} must have; None: any"
    )
    template: str = Field(
        "the sound of {state} {machine}", description="what a clip is compared with, of {state} and {machine}"
    )
    normal: tuple[Words, ...] = Field(
        ("a normal", "a healthy", "an intact", "a smoothly running", "a well maintained"),
        min_length=1,
        description="words for {state} of normal clips",
    )
    anomalous: tuple[Words, ...] = Field(
        ("an anomalous", "a faulty", "a broken", "a damaged", "a worn out"),
        min_length=1,
        description="words for {state} of anomalous clips",
    )
    temperature: PositiveFloat = Field(0.07, description="cosines are divided by it before the softmax")
    window_s: PositiveFloat = Field(
        1.0, description="length of a window in time, seconds; they overlap by half"
    )
    window_bands: PositiveInt = Field(
        16, description="bands that stay in a window in frequency, all of them at most; they overlap by half"
    )

    @field_validator("template")
    @classmethod
    def _template(cls, value: str) -> str:
        named = sorted(name for _, name, *_ in Formatter().parse(value) if name is not None)
        if named != ["machine", "state"]:
            raise ValueError("write {state} and {machine} once each, and no other braces")
        return value

    def trained_on(self) -> tuple[str, ...]:
        """The recipe of what CLAP was trained on."""
        return (RECIPE,)

    def own_files(self) -> tuple[Path, ...]:
        """What is read of the folder."""
        return tuple(self.weights / name for name in FILES)

    def lacking(self) -> str:
        """Why the detector cannot be had here: weights or library are missing; empty: it can."""
        fault = fault_of(self.weights)
        if fault:
            found, remedy = fault
            return f"weights missing: {found}. To do: {remedy}, then run again"
        return (
            ""
            if find_spec(PACKAGE)
            else f"library missing: {NOT_INSTALLED}. To do: {INSTALL}, then run again"
        )

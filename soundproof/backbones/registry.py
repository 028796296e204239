"""Which backbones exist, and the settings of one. To add one: write its file, add its entry here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from soundproof.core.errors import ConfigError
from soundproof.core.registry import Entry, Parameters, Registry
from soundproof.features.recipes import RECIPES, FeatureSettings

_AISFX = "Ma and Lerch 2022, ISMIR, pages 866-875 (package aisfx 0.1.2, CC BY 4.0)"


@dataclass(frozen=True, kw_only=True)
class BackboneEntry(Entry):
    """Facts of a backbone.

    Attributes:
        weights: Record of the catalogue that holds its trained weights; None without any.
        recipes: Feature recipes that give what it was trained on; none: it takes maps of any recipe.
        least_side: Bands and frames that a map must have at least.
        most_bands: Bands that a map may have at most; None: any number.
        learns: It learns on the study's own clips, as part of the fit of the detector that stands on it.
        control: It is there for others to be compared with.
        network: It is a network with weights.
    """

    weights: str | None = None
    recipes: tuple[str, ...] = ()
    least_side: int = 1
    most_bands: int | None = None
    learns: bool = False
    control: bool = False
    network: bool = True


BACKBONES: Registry[BackboneEntry] = Registry(
    "backbone",
    [
        BackboneEntry(
            name="cnn9",
            title="CNN9 (sound effects)",
            implementation="soundproof.backbones.cnn9:Cnn9",
            citation=_AISFX,
            weights="cnn9",
            recipes=("cnn9",),
            least_side=8,
            most_bands=96,
        ),
        BackboneEntry(
            name="cnn14",
            title="CNN14 (AudioSet)",
            implementation="soundproof.backbones.cnn14:Cnn14",
            citation="Kong et al. 2020, arXiv 1912.10211",
            weights="cnn14",
            recipes=("panns",),
            least_side=16,
            most_bands=64,
        ),
        BackboneEntry(
            name="efficientnet_lite0",
            title="EfficientNet-Lite0 (photographs)",
            implementation="soundproof.backbones.efficientnet_lite0:EfficientNetLite0",
            citation="Tan and Le 2019, arXiv 1905.11946",
            weights="efficientnet_lite0",
            least_side=8,
        ),
        BackboneEntry(
            name="featex",
            title="FeatEx (the study's own clips)",
            implementation="soundproof.detectors.embedding.featex.backbone:FeatExMaps",
            citation="Wilkinghoff 2024, arXiv 2312.09578",
            learns=True,
            least_side=16,
        ),
        BackboneEntry(
            name="random",
            title="Random weights (control)",
            implementation="soundproof.backbones.random:RandomWeights",
            citation="control: the same network with weights that have learnt nothing",
            control=True,
        ),
        BackboneEntry(
            name="none",
            title="No network (control)",
            implementation="soundproof.backbones.none:Patches",
            citation="control: patches of the map itself",
            control=True,
            network=False,
        ),
        BackboneEntry(
            name="own",
            title="Own encoder",
            implementation="soundproof.backbones.own:own_backbone",
            citation="yours",
        ),
    ],
)


class BackboneSettings(Parameters):
    """Which backbone a detector stands on; in a file its name alone will do (``backbone: cnn9``)."""

    kind: Literal["cnn9", "cnn14", "efficientnet_lite0", "featex", "random", "none", "own"] = Field(
        "cnn9", description="name of the backbone"
    )
    network: Literal["cnn9", "cnn14", "efficientnet_lite0", "featex"] = Field(
        "cnn9", description="random: the network whose weights are drawn"
    )
    width: float = Field(1.0, gt=0, le=1, description="featex: factor on the published channels")
    epochs: PositiveInt = Field(10, description="featex: epochs of learning, at most")
    patch: PositiveInt = Field(5, description="none: side of a patch, cells")
    stride: PositiveInt = Field(4, description="none: cells from one patch to the next")
    file: str | None = Field(
        None, description="own: file of the weights (.safetensors, or .pt/.pth that holds tensors only)"
    )
    module: str | None = Field(
        None,
        description="own: 'package.module:Class', a soundproof.interfaces.backbone.Backbone made from a shape",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _own_is_whole(self) -> BackboneSettings:
        if self.kind == "own" and (self.file is None or self.module is None):
            raise ValueError("an own encoder needs 'file' and 'module'")
        return self

    @property
    def entry(self) -> BackboneEntry:
        """The registered facts."""
        return BACKBONES[self.kind]

    @property
    def built(self) -> BackboneEntry:
        """Facts of the network that is built: of ``random`` those of the network it draws weights for."""
        return BACKBONES[self.network if self.kind == "random" else self.kind]

    @property
    def least_side(self) -> int:
        """Bands and frames that a map must have at least."""
        return self.patch if self.kind == "none" else self.built.least_side

    def controls(self, other: BackboneSettings) -> bool:
        """Whether it is a control of the other one: random weights of the same network, or no network."""
        same = (self.network, self.width) == (other.kind, other.width)
        return self.kind == "none" or (self.kind == "random" and same)

    def trained_on(self) -> tuple[str, ...]:
        """Feature recipes that give what it was trained on."""
        return self.entry.recipes

    def needed_weights(self) -> tuple[str, ...]:
        """Records of the catalogue whose weights must be there."""
        return () if self.entry.weights is None else (self.entry.weights,)

    def own_files(self) -> tuple[Path, ...]:
        """Weights of a user's own encoder."""
        return () if self.file is None else (Path(self.file),)

    def named_modules(self) -> tuple[str, ...]:
        """Modules of the backbone, and of the network it draws weights for; a user's own as far as it is here."""
        own = () if self.module is None else (self.module.partition(":")[0],)
        return (*dict.fromkeys((self.entry.module, self.built.module)), *own)


_ANY = frozenset({"level", "frames_multiple", "empty_bands", "mask_fraction"})
"""Settings of features that leave a network's input what it was trained on."""


def check_input(settings: Parameters, features: FeatureSettings) -> None:
    """Refuse a trained network on maps of another kind than it was trained on.

    Its weights would mean nothing, and no score would show it.

    Args:
        settings: Of a detector, with or without such a network.
        features: Of the study.

    Raises:
        ConfigError: The recipe is another one, or changed where it matters.
    """
    for part in (settings, *settings.all_parts()):
        recipes = part.trained_on()
        if not recipes:
            continue
        if isinstance(part, BackboneSettings):
            asked = f"features for the backbone '{part.kind}'"
            instead = "choose the backbone 'random', 'none' or another"
        else:
            asked = f"features for a detector that was trained on the recipe '{recipes[0]}'"
            instead = "take that detector away"
        if features.recipe not in recipes:
            remedy = f"set 'features: {{recipe: {recipes[0]}}}', or {instead}"
            raise ConfigError(asked, f"recipe '{features.recipe}'", remedy)
        values = features.model_dump()
        trained = FeatureSettings(**{**RECIPES[features.recipe], "recipe": features.recipe}).model_dump()
        changed = [key for key in values if key not in _ANY and values[key] != trained[key]]
        if changed:
            found = f"'{changed[0]}: {values[changed[0]]}' instead of '{trained[changed[0]]}'"
            raise ConfigError(asked, found, f"leave out: {', '.join(changed)}")

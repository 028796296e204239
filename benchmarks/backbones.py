"""What a backbone costs per ten-second clip, beside the multiplications that it consists of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.rows import Row
from benchmarks.setting import Setting
from benchmarks.timing import interleaved
from soundproof.backbones.registry import BACKBONES
from soundproof.features.recipes import RECIPES, FeatureSettings
from soundproof.randomness.seeding import seed_from

SECONDS = 10
_SIDE = 1024
OF_16_KHZ = 69
"""Bands of the recipe ``cnn9`` that recordings of 16 kHz fill."""


def backbones(setting: Setting) -> list[Row]:
    """Run the networks on maps of ten seconds; trained weights take the same time as any."""
    cases = {
        "CNN9, 96 bands": ("cnn9", "cnn9", None),
        "CNN9, 69 bands (16 kHz)": ("cnn9", "cnn9", OF_16_KHZ),
        "CNN14, four blocks": ("cnn14", "panns", None),
        "EfficientNet-Lite0, three stages": ("efficientnet_lite0", "cnn9", None),
    }
    return [_row(case, *facts, setting) for case, facts in cases.items()]


def _row(case: str, backbone: str, recipe: str, bands: int | None, setting: Setting) -> Row:
    x = maps_of(FeatureSettings(**RECIPES[recipe]), SECONDS, bands, setting.clips).to(setting.device)
    network = BACKBONES[backbone].load()(tuple(x.shape[1:])).eval().to(setting.device)
    # as build_backbone lays them out
    network = network.requires_grad_(False).to(memory_format=torch.channels_last)
    factors = torch.randn(2, _SIDE, _SIDE, generator=_generator()).to(setting.device)
    timings = interleaved(
        {"network": lambda: network(x), "product": lambda: factors[0] @ factors[1]},
        setting.repeats,
        setting.device,
    )
    network_s, product_s = timings["network"], timings["product"]
    products = _multiplications(network, x) / _SIDE**3
    return Row(
        benchmark="backbones",
        case=f"{case}, {SECONDS} s",
        unit="ms/clip",
        ours=1e3 * network_s.seconds / len(x),
        against="its multiplications as matrix products",
        other=1e3 * product_s.seconds * products / len(x),
        ratio=network_s.over(product_s) / products,
        sense="x of it",
    )


def maps_of(recipe: FeatureSettings, seconds: int, bands: int | None, n_clips: int) -> Tensor:
    """Noise in the shape of a recipe's maps [n_clips, bands, frames]; ``bands`` None: all that it has."""
    frames = seconds * recipe.rate_hz // recipe.hop_length
    shape = (n_clips, bands or recipe.n_mels, frames - frames % recipe.frames_multiple)
    return torch.rand(shape, generator=_generator())


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(seed_from("benchmark backbones"))


def _multiplications(network: nn.Module, x: Tensor) -> int:
    """Multiplications of all convolutions."""
    counted: list[int] = []

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        weight = module.get_parameter("weight")
        counted.append(output.numel() * weight[0].numel())

    hooks = [
        module.register_forward_hook(count) for module in network.modules() if isinstance(module, nn.Conv2d)
    ]
    network(x)
    for hook in hooks:
        hook.remove()
    return sum(counted)

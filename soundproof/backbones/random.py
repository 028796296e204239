"""The same network with weights that have learnt nothing: what convolution and normalisation do by themselves."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from soundproof.backbones.digests import tensors_digest
from soundproof.core.errors import ArtefactError
from soundproof.interfaces.backbone import Backbone, Origin
from soundproof.randomness.seeding import seed_from

_BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d)


class RandomWeights(Backbone):
    """Wraps a network: random convolutions, batch norm by the statistics of training clips, channels standardised.

    Normal weights after He et al. 2015, arXiv 1502.01852: standard deviation sqrt(2 / inputs of a unit). Each
    tensor's draw derives from the seed and its name, on the CPU generator.

    Args:
        network: The network; its weights are replaced.
        name: What it is called.
        seed: Of the draw.
    """

    def __init__(self, network: Backbone, name: str, seed: int) -> None:
        super().__init__(network.shape)
        self.network = network
        self.layers = network.layers
        drawn = dict(network.named_parameters())
        for key, parameter in drawn.items():
            _draw(parameter, seed_from("backbone", name, seed, key), key)
        for number, layer in enumerate(self.layers):
            self.register_buffer(f"mean{number}", torch.full((layer.channels,), math.nan))
            self.register_buffer(f"deviation{number}", torch.full((layer.channels,), math.nan))
        kept = {f"network.{key}": value for key, value in drawn.items()}
        self.origin = Origin(f"random {name}, seed {seed}", tensors_digest(kept), frozenset(kept))

    def calibrate(self, x: Tensor) -> None:
        """Set batch norm and the channels' scales to the statistics of these clips [n, n_freq, n_frames]."""
        norms = [module for module in self.network.modules() if isinstance(module, _BATCH_NORM)]
        momenta = [norm.momentum for norm in norms]
        self.network.calibrate(x)
        with torch.no_grad():
            for norm in norms:
                # the next batch counts alone
                norm.momentum = 1.0
                norm.train()
            self.network(x)
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum
                norm.eval()
            for number, values in enumerate(self.network(x)):
                deviation, mean = torch.std_mean(values, dim=(0, 2, 3), correction=0)
                self.get_buffer(f"mean{number}").copy_(mean)
                # a channel that never moves stays 0
                self.get_buffer(f"deviation{number}").copy_(torch.where(deviation > 0, deviation, 1.0))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps [B, n_freq, n_frames] -> the network's maps, each channel standardised over the training clips.

        Raises:
            ArtefactError: It was not calibrated.
        """
        if self.get_buffer("mean0").isnan().any():
            raise ArtefactError(
                "a random backbone with the statistics of training clips",
                "none: it was not calibrated",
                "call 'calibrate' at the start of the detector's fit",
            )
        maps = self.network(x)
        return [
            (values - self._column(f"mean{number}")) / self._column(f"deviation{number}")
            for number, values in enumerate(maps)
        ]

    def _column(self, name: str) -> Tensor:
        return self.get_buffer(name)[:, None, None]


def _draw(parameter: nn.Parameter, seed: int, name: str) -> None:
    with torch.no_grad():
        if parameter.ndim < 2:
            # batch norm's scale and shift do nothing
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)
            return
        inputs = parameter[0].numel()
        generator = torch.Generator().manual_seed(seed)
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * math.sqrt(2 / inputs))

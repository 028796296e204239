"""FeatEx' STFT branch as a backbone: maps of a network that learnt by telling the study's own clips apart.

Nobody publishes FeatEx' weights, and they would not fit: it learns by classes of the very recordings at hand. So
the backbone learns as part of the fit of the detector that stands on it, from the same normal training clips and
the same seed. What it has learnt is stored in that detector's file, whole.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from soundproof.detectors.embedding.featex.branches import STEM_POOL, STFT_WIDTHS, StftBranch, scaled
from soundproof.detectors.embedding.featex.detector import FeatEx
from soundproof.detectors.embedding.featex.settings import FeatExSettings
from soundproof.interfaces.backbone import Backbone, Layer
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from
from soundproof.storage.provenance import canonical_json

BLOCKS_OF_LAYER = 2
"""Residual blocks from one map to the next: the second of a pair leaves the grid as it is."""
LAYER_WIDTHS = STFT_WIDTHS[:3]
"""Published channels of the maps that are given; the fourth pair would leave few cells of a short clip."""


class FeatExMaps(Backbone):
    """Maps after the first three pairs of residual blocks (16 + 32 + 64 channels, strides 4, 8, 16).

    Each clip's temporal mean is taken away first, as in FeatEx. Squeeze-excitation weighs channels by what the
    whole clip holds, so that a cell also sees, faintly, what is far from it.

    Args:
        shape: (n_freq, n_frames) of the maps. Where their cells lie depends on whether sizes are even: in clips
            of another length they may lie up to a stride beside what is stated.
        width: Factor on the published channels.
        epochs: Of learning, at most.
    """

    def __init__(self, shape: tuple[int, int], width: float = 1.0, epochs: int = 10) -> None:
        super().__init__(shape)
        self.settings = FeatExSettings(width=width, epochs=epochs)
        self.learns = canonical_json(self.settings.model_dump(mode="json"))
        # equal networks before they learn: whoever shares what was learnt tells them by their weights
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_from("featex backbone"))
            branch = StftBranch(shape, width)
        self.norm, self.stem = branch.norm, branch.stem
        self.blocks = nn.Sequential(*list(branch.blocks)[: BLOCKS_OF_LAYER * len(LAYER_WIDTHS)])
        axes = [_strides_and_offsets(size) for size in shape]
        self.layers = tuple(
            Layer(
                f"pair{number + 1}",
                scaled(channels, width),
                (axes[0][number][0], axes[1][number][0]),
                (axes[0][number][1], axes[1][number][1]),
            )
            for number, channels in enumerate(LAYER_WIDTHS)
        )

    def learn(self, clips: TrainingClips, run: TrainingRun) -> None:
        """Learn as FeatEx with both branches does, then keep the layers of its STFT branch.

        An interrupted fit begins to learn anew: the checkpoint is the detector's own.

        Raises:
            DataError: Fewer than three clips, or all of one class.
            TrainingError: The loss is not finite.
        """
        featex = FeatEx(self.shape, self.settings)
        own = TrainingRun(seed=run.seed, device=run.device, memory_budget_bytes=run.memory_budget_bytes)
        featex.fit(clips, own)
        if featex.stft is None:
            raise ValueError("FeatEx was built without its STFT branch")
        learnt = featex.stft.state_dict()
        self.load_state_dict({name: learnt[name] for name in self.state_dict()})

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps [B, n_freq, n_frames] -> [B, 16, f/4, t/4], [B, 32, f/8, t/8], [B, 64, f/16, t/16], about."""
        return self.of_deviations(x - x.mean(dim=2, keepdim=True))

    def of_deviations(self, x: Tensor) -> list[Tensor]:
        """The same of clips whose temporal mean is taken away already."""
        values = self.stem(self.norm(x)[:, None])
        maps = []
        for number, block in enumerate(self.blocks, start=1):
            values = block(values)
            if number % BLOCKS_OF_LAYER == 0:
                maps.append(values)
        return maps


def _strides_and_offsets(size: int) -> list[tuple[int, float]]:
    """Stride and first centre of each layer along an axis of so many cells, by the convolutions' paddings.

    A convolution of step 2 that is padded to half the size sees one cell more behind than before where the size is
    even: its first centre lies on cell 1, else on cell 0. The pooling adds a cell of its own grid.
    """
    stride, offset = 2, float(size % 2 == 0)
    halved = -(-size // 2)
    if halved >= STEM_POOL:
        offset += stride
    cells = (halved - STEM_POOL) // 2 + 1 if halved >= STEM_POOL else (halved + 2 - STEM_POOL) // 2 + 1
    stride *= 2
    found = [(stride, offset)]
    for _ in LAYER_WIDTHS[1:]:
        offset += stride * (cells % 2 == 0)
        cells = -(-cells // 2)
        stride *= 2
        found.append((stride, offset))
    return found

"""Robustness: does a map stay where it is when the sound changes in ways that change no fault?

After the sensitivity of Yeh et al. 2019 (arXiv 1901.09392), with changes that recordings really differ by in the
place of a ball around the input:

* ``louder``, ``softer``: the gain is larger or smaller by ``gain_db``;
* ``later``: the sound starts a frame later (what leaves at the end comes in at the beginning); the new map is moved
  back before it is compared;
* ``noise``: white noise, ``noise_db`` below the clip.

The changed sound goes through the study's recipe and is explained anew; the new map is compared with the one on
file by Spearman's rank correlation over all cells, as it is (signed). Random draws of an explainer are drawn anew,
as they are for any other recording.

Chance rows (explainer ``random_cells``), of each change, are two maps of independent noise. A high value is no
merit by itself: the clip's own map changes as little as the clip does, whatever the detector learnt. Read it beside
the input control.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import ConfigError, DataError
from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.faithfulness.settings import RobustnessSettings
from soundproof.faithfulness.similarity import similarity
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.interfaces.sounds import Sounds
from soundproof.randomness.seeding import seed_from
from soundproof.storage.measurements import UNIFORM, Block, rows_of

METRIC = "robustness"
LATER = "later"


def robustness(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[RobustnessSettings],
) -> pd.DataFrame:
    """Compare each map with those of the same explainer for the clip's changed sounds.

    Args:
        detector: Frozen detector.
        x: Maps on file [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Sounds of the clips, ``explain``, and the size of the changes.

    Returns:
        Metric ``robustness``, the change as protocol, and its chance rows. Explainers whose maps came from outside
        have no rows.

    Raises:
        ConfigError: Nobody can explain anew.
        DataError: There is no sound, it cannot be read, or it is not the one that ``x`` was made of.
    """
    if context.explain is None:
        raise ConfigError(METRIC, "nothing that makes new maps", "run it where the explainers run")
    if context.sounds is None:
        raise DataError(f"the sound of clips for '{METRIC}'", "none", "leave it out, or take data with sound")
    blocks: list[Block] = []
    for change, changed in _changed(x, context.sounds, context):
        blocks.append(_chance(x, change, context))
        # other names, so that what an explainer draws is drawn anew
        names = [f"{clip_id} {change}" for clip_id in context.clip_ids]
        for explainer, relevance in maps.items():
            anew = context.explain(explainer, detector, changed, names)
            if anew is None:
                continue
            again = anew.roll(-1, dims=2) if change == LATER else anew
            blocks.append(Block(METRIC, change, None, _alike(relevance, again), explainer))
    return rows_of(blocks, context.clip_ids)


def _changed(
    x: Tensor, sounds: Sounds, context: FaithfulnessContext[RobustnessSettings]
) -> Iterator[tuple[str, Tensor]]:
    """Each change, and the maps of the changed sounds, like ``x``."""
    factor = 10 ** (context.settings.gain_db / 20)
    hop = round(sounds.rate_hz / context.frames_per_second)

    def noisy(samples: Tensor, clip_id: str) -> Tensor:
        return samples + _noise(samples, clip_id, context.settings.noise_db, context.seed)

    changes: dict[str, Callable[[Tensor, str], Tensor]] = {
        "louder": lambda samples, _: samples * factor,
        "softer": lambda samples, _: samples / factor,
        LATER: lambda samples, _: samples.roll(hop),
        "noise": noisy,
    }
    clips = {
        clip_id: sounds.confirmed(clip_id, values.cpu().numpy())
        for clip_id, values in zip(context.clip_ids, x, strict=True)
    }
    for name, change in changes.items():
        made = [sounds.map(change(samples, clip_id), clip_id) for clip_id, samples in clips.items()]
        yield name, torch.stack(made).to(x)


def _noise(samples: Tensor, clip_id: str, below_db: float, seed: int) -> Tensor:
    """White noise so far below the clip, [n_samples], drawn by its id."""
    generator = torch.Generator().manual_seed(seed_from(METRIC, seed, clip_id))
    drawn = torch.randn(samples.shape, generator=generator)
    return drawn * (samples.square().mean().sqrt() * 10 ** (-below_db / 20))


def _alike(one: Tensor, other: Tensor) -> np.ndarray:
    """Rank correlation of signed maps [B, n_freq, n_frames], float64 [B]."""
    signed: np.ndarray = similarity(one.cpu().numpy(), other.detach().cpu().numpy())[0]
    return signed


def _chance(x: Tensor, change: str, context: FaithfulnessContext[RobustnessSettings]) -> Block:
    one, other = (context.uniform(f"{METRIC} {change}", draw, *x.shape[1:]) for draw in range(2))
    return Block(METRIC, f"{UNIFORM}_{change}", None, _alike(one, other), RANDOM_CELLS)

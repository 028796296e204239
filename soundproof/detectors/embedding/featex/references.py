"""What FeatEx compares with: embeddings that stand for the normal sound of each individual."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor

from soundproof.randomness.seeding import seed_from

CLASS_COLUMNS = ("machine", "machine_id", "domain", "attributes")


class References(NamedTuple):
    """Embeddings of normal sound.

    Attributes:
        embeddings: Float32 [n_references, n_dims], of length 1 at most.
        owners: Number of the individual of each, int64 [n_references] (:func:`individual_number`).
    """

    embeddings: Tensor
    owners: Tensor


def groups(frame: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """Number the combinations of those ``columns`` that ``frame`` has, int64 [n_clips]; null is a value."""
    present = [column for column in columns if column in frame]
    if not present:
        return np.zeros(len(frame), dtype=np.int64)
    numbers: np.ndarray = frame.groupby(present, dropna=False).ngroup().to_numpy(dtype=np.int64)
    return numbers


def individual_number(machine: str, machine_id: str) -> int:
    """A 63-bit number that depends on the individual's name alone, since a buffer cannot hold names."""
    return seed_from("featex individual", machine, machine_id)


def normal_references(embeddings: Tensor, frame: pd.DataFrame, n_centres: int, seed: int) -> References:
    """k-means centres of each individual's source clips, then every target clip.

    Centres are means of embeddings, as they are: ``1 - embedding . centre`` is then the mean cosine distance to
    the clips of the centre, so that an embedding is farther from a loose cluster than from a tight one.

    Args:
        embeddings: Of the normal training clips, [n_clips, n_dims], each of length 1.
        frame: Their rows of the ``clips`` table; without a domain, all are source clips.
        n_centres: Centres of each individual at most; fewer clips than that stand for themselves.
        seed: Run seed.
    """
    target = (
        (frame["domain"] == "target").fillna(False).to_numpy(dtype=bool)
        if "domain" in frame
        else np.zeros(len(frame), dtype=bool)
    )
    numbers = _individuals(frame)
    values = embeddings.cpu().numpy()
    found, owners = [], []
    for number in sorted(set(numbers[~target])):
        found.append(_centres(values[~target & (numbers == number)], n_centres, seed))
        owners.append(np.full(len(found[-1]), number))
    return References(
        torch.from_numpy(np.concatenate([*found, values[target]])).float(),
        torch.from_numpy(np.concatenate([*owners, numbers[target]])),
    )


def _individuals(frame: pd.DataFrame) -> np.ndarray:
    """Number of each clip's individual, int64 [n_clips]; a column that is missing names nobody."""
    names = [frame[column].astype(str) if column in frame else "" for column in ("machine", "machine_id")]
    named = pd.DataFrame(dict(enumerate(names)), index=frame.index)
    return np.array([individual_number(*row) for row in named.itertuples(index=False)], dtype=np.int64)


def _centres(values: np.ndarray, n_centres: int, seed: int) -> np.ndarray:
    distinct = np.unique(values, axis=0)
    if len(distinct) <= n_centres:
        return distinct
    state = seed_from("featex centres", seed) % 2**32
    # one thread: with more, the order of sums and with it the last bits depend on chance
    with threadpool_limits(limits=1):
        machine = KMeans(n_centres, n_init=10, random_state=state).fit(values.astype(np.float64))
    centres: np.ndarray = machine.cluster_centers_.astype(np.float32)
    return centres

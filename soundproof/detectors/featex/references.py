"""What FeatEx compares with: embeddings that stand for the normal sound of each machine."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor
from torch.nn import functional

from soundproof.seeding import seed_from

CLASS_COLUMNS = ("machine", "machine_id", "domain", "attributes")
INDIVIDUAL_COLUMNS = ("machine", "machine_id")


def groups(frame: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """Number the combinations of those ``columns`` that ``frame`` has, int64 [n_clips]; null is a value."""
    present = [column for column in columns if column in frame]
    if not present:
        return np.zeros(len(frame), dtype=np.int64)
    numbers: np.ndarray = frame.groupby(present, dropna=False).ngroup().to_numpy(dtype=np.int64)
    return numbers


def normal_references(embeddings: Tensor, frame: pd.DataFrame, n_centres: int, seed: int) -> Tensor:
    """k-means centres of each individual's source clips, then every target clip.

    Args:
        embeddings: Of the normal training clips, [n_clips, n_dims], each of length 1.
        frame: Their rows of the ``clips`` table; without a domain, all are source clips.
        n_centres: Centres of each individual at most; fewer clips than that stand for themselves.
        seed: Run seed.

    Returns:
        Float32 [n_references, n_dims], each of length 1.
    """
    target = (
        (frame["domain"] == "target").fillna(False).to_numpy(dtype=bool)
        if "domain" in frame
        else np.zeros(len(frame), dtype=bool)
    )
    individuals = groups(frame, INDIVIDUAL_COLUMNS)
    values = embeddings.cpu().numpy()
    references = [
        _centres(values[~target & (individuals == individual)], n_centres, seed)
        for individual in np.unique(individuals[~target])
    ]
    found = torch.from_numpy(np.concatenate([*references, values[target]]))
    return functional.normalize(found.float())


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

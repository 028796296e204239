"""FeatEx that also says whether it knows whose sound it hears: how well the pretext task is solved."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.featex.detector import FeatEx
from soundproof.interfaces.detector import TrainingClips, TrainingRun

NAMED = "individual_named"
"""Measure: 1 where the nearest reference of a clip is one of its own individual, else 0."""


class NamingFeatEx(FeatEx):
    """Scores as FeatEx does; beside its score, each clip has the measure :data:`NAMED`.

    The classification heads go after training, and one that was never trained has none worth asking; the nearest
    of all references has an owner after any number of epochs.

    Attributes:
        others: References of all other individuals, [n, n_dims]; None: nobody said whose sound it is.
    """

    others: Tensor | None = None

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """As FeatEx.

        Raises:
            DataError: As FeatEx; or all clips are of one individual, who is always named.
        """
        history = super().fit(clips, run)
        if len(set(self.owners.tolist())) == 1:
            raise DataError(
                "individuals to tell apart (machine, machine_id)",
                f"all {len(clips)} training clips are of one",
                "train on several ('scope: pooled'), or use the detector 'featex'",
            )
        return history

    def for_individual(self, machine: str, machine_id: str) -> FeatEx:
        """As FeatEx; the view knows the references of the others as well."""
        view = super().for_individual(machine, machine_id)
        if isinstance(view, NamingFeatEx) and view is not self:
            own = torch.isin(self.owners, view.owners)
            view.others = self.references[~own]
        return view

    def further_scores(self, x: Tensor) -> dict[tuple[str, float | None], Tensor]:
        """Whether the nearest of all references is one of the clip's own individual, [B]; nobody's never is."""
        if self.others is None:
            return {(NAMED, None): torch.zeros(len(x))}
        embedded = self.embed(x)
        own, foreign = ((embedded @ of.T).amax(dim=1) for of in (self.references, self.others))
        return {(NAMED, None): (own > foreign).float()}

"""Metrics of Quantus by name (Hedström et al. 2023, JMLR 24(34)), on our scores, maps and replacements.

What is handed over, clip by clip:

* the score as a model of two columns, ``(threshold - score, score - threshold)``: its second output is the score,
  and the larger of the two the decision. The threshold is a quantile of the normal training clips' scores;
* the maps on file and, where a metric asks for maps of changed clips, the explainer run again, with the draws that
  it has for the clip;
* for removed cells, our replacement. Quantus' own, one value for all ("black"), raises an anomaly score, and a map
  that marks harmless cells would look faithful.

Small noise that robustness metrics add is Quantus' own. Draws come from global generators, seeded by clip and
metric, so that all maps of a clip meet the same ones. Of a curve its mean is taken, the area under it.

Chance rows (explainer ``random_cells``, protocol ``chance_uniform_<metric>``) are those of a map of uniform noise,
which is drawn anew whenever it is asked for again. A map that is one value everywhere has no row, nor has a value
that Quantus leaves undefined; both are counted in the log.

Quantus is LGPL, and not installed with this package: ``pip install 'soundproof[quantus]'``.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from soundproof.core.errors import ConfigError, SoundproofError
from soundproof.detectors.background import background, known_normal
from soundproof.detectors.batching import in_passes
from soundproof.faithfulness.quantus_settings import TAKEN, QuantusSettings
from soundproof.faithfulness.registry import QUANTUS, RANDOM_CELLS, check_installed
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext, long_rows
from soundproof.randomness.drawing import seeded
from soundproof.randomness.seeding import seed_from
from soundproof.storage.measurements import UNIFORM

_LOG = logging.getLogger(__name__)
Again = Callable[[Tensor], Tensor]
"""From changed maps [n, n_freq, n_frames] of a clip to their relevance, likewise."""


class Decision(nn.Module):
    """A detector as Quantus takes models: maps [n, 1, n_freq, n_frames] -> (threshold - score, score - threshold).

    Args:
        detector: Frozen detector.
        threshold: Where its decision lies.
        rows_per_pass: Maps that may go through the detector at once.
    """

    def __init__(self, detector: Detector, threshold: float, rows_per_pass: int) -> None:
        super().__init__()
        # no module of this one: Quantus takes layers off that look like the last of a classifier
        self._score = detector.score
        self._threshold, self._rows_per_pass = threshold, rows_per_pass

    def forward(self, x: Tensor) -> Tensor:
        """Two columns [n, 2]."""
        above = in_passes(self._score, x[:, 0], self._rows_per_pass) - self._threshold
        return torch.stack([-above, above], dim=1)


class _MadeElsewhere(Exception):
    """Nobody here can make the map of a changed clip."""


def quantus(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[QuantusSettings],
) -> pd.DataFrame:
    """Measure maps by metrics of Quantus.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Metrics and replacement, normal clips, pass size, and ``explain`` where a metric re-explains.

    Returns:
        Metric ``quantus``, the name of Quantus' metric as protocol, and its chance rows.

    Raises:
        ConfigError: Quantus is not installed, patches that the maps do not divide into, nobody to explain anew, or
            Quantus itself fails.
    """
    settings = context.settings
    check_installed(QUANTUS)
    shape = (int(x.shape[1]), int(x.shape[2]))
    for name, parameters in settings.metrics.items():
        _check_patches(name, parameters, shape)
    if settings.re_explains and context.explain is None:
        raise ConfigError(QUANTUS, "nothing that makes new maps", "run it where the explainers run")
    normal = known_normal(context.normal, f"the threshold of the decision, for '{QUANTUS}'")
    with torch.no_grad():
        repaired = background(detector, x, settings.replacement, context.rows_per_pass, normal)
    random = context.uniform(RANDOM_CELLS, 0, *shape).to(x)
    frames = []
    for name, parameters in settings.metrics.items():
        asked = {**maps, RANDOM_CELLS: random}
        values = torch.full((len(asked), len(context.clip_ids)), torch.nan, dtype=torch.float64)
        for column, clip_id in enumerate(context.clip_ids):
            scores = normal.scores(detector, clip_id, context.rows_per_pass)
            decision = Decision(
                detector, float(torch.quantile(scores, settings.quantile)), context.rows_per_pass
            ).eval()
            for row, (label, relevance) in enumerate(asked.items()):
                measure = _Measured(name, parameters, decision, x[column], repaired[column])
                again = _again(label, name, detector, clip_id, context)
                values[row, column] = measure.value(relevance[column], again, clip_id, context.seed)
        frames.append(_rows(name, list(maps), values, context))
    return pd.concat(frames, ignore_index=True)


class _Measured:
    """A clip that is measured by one metric.

    Args:
        name: Name of the metric.
        parameters: Its parameters.
        decision: The model.
        x: The clip [n_freq, n_frames].
        repaired: What its removed cells show, likewise.
    """

    def __init__(
        self, name: str, parameters: Mapping[str, Any], decision: Decision, x: Tensor, repaired: Tensor
    ) -> None:
        self._name, self._parameters, self._decision, self._x = name, parameters, decision, x
        self._repaired = repaired.cpu().numpy().reshape(1, -1)
        given = {key: list(value) if isinstance(value, tuple) else value for key, value in parameters.items()}
        if name == "NonSensitivity":
            # it fails with more at once
            given["features_in_step"] = 1
        if TAKEN[name].removes:
            given["perturb_func"] = self._replace
        self._given = given

    def value(self, relevance: Tensor, again: Again, clip_id: str, seed: int) -> float:
        """The metric's value for a map [n_freq, n_frames]; NaN: undefined.

        Raises:
            ConfigError: Quantus fails.
        """
        import quantus as package

        def explain(model: nn.Module, inputs: np.ndarray, targets: np.ndarray, **options: Any) -> np.ndarray:
            # Quantus hands over [n, 1, n_freq, n_frames], or without the dimension of channels
            changed = torch.as_tensor(inputs).to(self._x).reshape(-1, *self._x.shape)
            return np.asarray(again(changed).detach().cpu().numpy()).reshape(np.shape(inputs))

        if bool(relevance.amax() == relevance.amin()):
            return float("nan")
        # numpy's seeds have 32 bits
        drawn = seed_from(QUANTUS, seed, self._name, clip_id) % 2**32
        try:
            with seeded(drawn), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                metric = getattr(package, self._name)(disable_warnings=True, **self._given)
                found = metric(
                    model=self._decision,
                    x_batch=self._x.cpu().numpy()[None, None],
                    y_batch=np.ones(1, dtype=int),
                    a_batch=relevance.cpu().numpy()[None, None],
                    explain_func=explain,
                    channel_first=True,
                    softmax=False,
                    device=str(self._x.device),
                    batch_size=1,
                )
        except _MadeElsewhere:
            return float("nan")
        except SoundproofError:
            raise
        except Exception as error:
            raise ConfigError(
                f"'{self._name}' of Quantus for clip '{clip_id}', with {self._parameters or 'its own parameters'}",
                f"{type(error).__name__}: {' '.join(str(error).split())}",
                "set its parameters otherwise, or leave it out",
            ) from error
        return float(np.mean(np.asarray(found[0], dtype=np.float64)))

    def _replace(self, arr: np.ndarray, indices: np.ndarray, **options: Any) -> np.ndarray:
        """Cells [1, n] of a flat clip [1, n_freq * n_frames] as they are repaired: Quantus' ``perturb_func``."""
        changed = arr.copy()
        flat = np.asarray(indices).reshape(-1)
        changed[0, flat] = self._repaired[0, flat]
        return changed


def _again(
    label: str,
    metric: str,
    detector: Detector,
    clip_id: str,
    context: FaithfulnessContext[QuantusSettings],
) -> Again:
    """Who explains changed maps of a clip: the explainer; or, for chance, new noise."""
    generator = torch.Generator().manual_seed(seed_from(QUANTUS, context.seed, metric, clip_id, RANDOM_CELLS))

    def noise(changed: Tensor) -> Tensor:
        return torch.rand(changed.shape, generator=generator)

    def explained(changed: Tensor) -> Tensor:
        explain = context.explain
        made = None if explain is None else explain(label, detector, changed, [clip_id] * len(changed))
        if made is None:
            raise _MadeElsewhere
        return made

    return noise if label == RANDOM_CELLS else explained


def _check_patches(name: str, parameters: Mapping[str, Any], shape: tuple[int, int]) -> None:
    """Refuse patches that do not divide the maps: Quantus would fill them up, and fail or replace the filling."""
    patches = TAKEN[name].patches
    if patches is None:
        return
    parameter, default = patches
    asked = parameters.get(parameter, default)
    for side in asked if isinstance(asked, tuple) else (asked,):
        if shape[0] % side or shape[1] % side:
            raise ConfigError(
                f"'{parameter}' of Quantus' {name}: {side}",
                f"maps of {shape[0]} bands and {shape[1]} frames, which are no multiple of it",
                f"choose one that divides both: {_common(shape)}",
            )


def _common(shape: tuple[int, int]) -> str:
    return ", ".join(
        str(side) for side in range(1, min(shape) + 1) if not (shape[0] % side or shape[1] % side)
    )


def _rows(
    name: str, explainers: list[str], values: Tensor, context: FaithfulnessContext[QuantusSettings]
) -> pd.DataFrame:
    """Rows of values [n_explainers + 1, B] of a metric, the last of which are chance."""
    undefined = int(values.isnan().sum())
    if undefined:
        _LOG.warning(
            "%s of Quantus: left out %d of %d values that are undefined", name, undefined, values.numel()
        )
    parts = ((name, explainers, values[:-1]), (f"{UNIFORM}_{name}", [RANDOM_CELLS], values[-1:]))
    return pd.concat(
        [
            long_rows(
                of_maps[None],
                metric=QUANTUS,
                protocol=protocol,
                explainers=labels,
                parameters=[None],
                clip_ids=context.clip_ids,
            )
            for protocol, labels, of_maps in parts
        ],
        ignore_index=True,
    ).dropna(subset=["value"])

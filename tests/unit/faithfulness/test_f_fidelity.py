"""F-Fidelity by hand, and the copy that it asks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from toys.attribution import HeldNormals
from toys.detectors import HeldClips, fitted
from toys.faithfulness import Linear, context

from soundproof.core.errors import ConfigError
from soundproof.detectors.reading import no_history
from soundproof.faithfulness.f_fidelity import f_fidelity
from soundproof.faithfulness.mask_tuning import ClipsWithHoles, mask_tuned
from soundproof.interfaces.detector import TrainingRun

CELLS = 10
WEIGHTS = torch.tensor([[4.0, 4.0, *[0.25] * 8]])
CLIP = torch.ones(1, 1, CELLS)
"""Score 10, of which the first two cells make 8."""
RIGHT = torch.tensor([[[2.0, 1.0, *[0.0] * 8]]])
NORMALS = HeldNormals(torch.rand(12, 6, 8, generator=torch.Generator().manual_seed(0)))


class Taught(Linear):
    """Learns nothing; what it was given is noted."""

    fits: list[tuple[int, bool]]

    def fit(self, clips, run):
        self.fits.append((len(clips), run.goes_on))
        return no_history()


def taught() -> Taught:
    detector = Taught(WEIGHTS)
    # shared by all copies
    Taught.fits = []
    return detector.freeze()


def measured(maps: dict[str, torch.Tensor], x: torch.Tensor = CLIP, **settings: object) -> pd.DataFrame:
    given = context("f_fidelity", len(x), **{"replacement": "zero", "fractions": (0.2,), **settings})
    given = replace(given, normal=HeldNormals(torch.ones(4, 1, CELLS)))
    return f_fidelity(taught(), x, maps, given)


def values(rows: pd.DataFrame, metric: str = "f_fidelity", protocol: str = "zero") -> np.ndarray:
    return rows[rows["metric"].eq(metric) & rows["protocol"].eq(protocol)]["value"].to_numpy()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # both marked cells go, and two others: 8 / 10 - 0.5 / 10
        ({"of_marked": 1, "missing": 0.2}, 0.75),
        # half of the marked cells: 4 / 10 - 0.25 / 10, whichever of them
        ({"of_marked": 0.5, "missing": 0.2}, 0.375),
        # no more than the copy knows to be missing
        ({"of_marked": 1, "missing": 0.1}, 0.375),
        # three of five, two of which are the right ones, by 400 lots; the others make 0.75
        (
            {"fractions": (0.5,), "of_marked": 0.6, "missing": 0.3, "draws": 400},
            (2 * 0.6 * 4 + 0.6 * 3 * 0.25 - 0.75) / 10,
        ),
    ],
)
def test_by_hand(settings, expected):
    spread = 0.03 if "draws" in settings else 1e-6
    assert values(measured({"right": RIGHT}, **settings)).item() == pytest.approx(expected, abs=spread)


def test_its_curve_has_the_mean_and_the_opposite_map_the_opposite_sign():
    maps = {"right": RIGHT, "wrong": -RIGHT}
    rows = measured(maps, fractions=(0.1, 0.2, 0.5), of_marked=1, missing=0.5)
    curve = rows[rows["metric"].eq("f_fidelity_curve") & rows["protocol"].eq("zero")]
    means = curve.groupby("explainer")["value"].mean()
    total = rows[rows["metric"].eq("f_fidelity") & rows["protocol"].eq("zero")].set_index("explainer")[
        "value"
    ]
    assert means.to_dict() == pytest.approx(total.to_dict())
    assert total["right"] > 0.5 > 0 > total["wrong"]
    assert sorted(curve["parameter"].unique()) == [0.1, 0.2, 0.5]


def test_random_orders_are_worth_nothing_and_a_score_that_is_not_positive_has_no_row(caplog):
    x = torch.cat([CLIP.expand(300, -1, -1), -CLIP])
    rows = measured({"right": RIGHT.expand(301, -1, -1)}, x=x)
    chance = values(rows, protocol="chance_uniform_zero")
    assert len(chance) == 300 and abs(chance.mean()) < 4 * chance.std() / np.sqrt(300)
    assert "1 clip" in caplog.text


def test_a_detector_is_tuned_once_and_stays_as_it_is():
    detector = taught()
    given = context("f_fidelity", 1, replacement="zero")
    given = replace(given, normal=HeldNormals(torch.ones(4, 1, CELLS)))
    first, second = (mask_tuned(detector, CLIP, given) for _ in range(2))
    assert first is second is not detector
    assert Taught.fits == [(4, True)]
    other = replace(given, seed=1)
    assert mask_tuned(detector, CLIP, other) is not first and len(Taught.fits) == 2


def test_an_auto_encoder_goes_on_from_its_weights():
    detector = fitted("dense_ae", NORMALS.maps, epochs=3, batch_size=4).freeze()
    before = {name: values.clone() for name, values in detector.state_dict().items()}
    given = replace(context("f_fidelity", 1, epochs=2), normal=NORMALS)
    tuned = mask_tuned(detector, NORMALS.maps[:1], given)
    assert all(torch.equal(before[name], values) for name, values in detector.state_dict().items())
    assert not any(weight.requires_grad for weight in [*detector.parameters(), *tuned.parameters()])
    moved = sum((tuned.state_dict()[name] - of_old).abs().sum() for name, of_old in before.items())
    fresh = fitted("dense_ae", NORMALS.maps, seed=5, epochs=3, batch_size=4)
    far = sum((fresh.state_dict()[name] - of_old).abs().sum() for name, of_old in before.items())
    assert 0 < moved < 0.5 * far
    # a second detector of the same weights gives the same copy
    again = fitted("dense_ae", NORMALS.maps, epochs=3, batch_size=4).freeze()
    same = mask_tuned(again, NORMALS.maps[:1], given)
    assert all(torch.equal(same.state_dict()[name], values) for name, values in tuned.state_dict().items())


def test_it_learns_to_expect_holes():
    detector = fitted("dense_ae", NORMALS.maps, epochs=30, batch_size=4).freeze()
    given = replace(context("f_fidelity", 1, epochs=30, missing=0.3, replacement="zero"), normal=NORMALS)
    tuned = mask_tuned(detector, NORMALS.maps[:1], given)
    holes = ClipsWithHoles(HeldClips(NORMALS.maps), detector, 0.3, "zero", seed=0).read(list(range(12)))
    with torch.no_grad():
        assert tuned.score(holes).mean() < detector.score(holes).mean()


def test_what_is_not_trained_by_epochs_is_fitted_anew():
    detector = fitted("gaussian", NORMALS.maps).freeze()
    given = replace(context("f_fidelity", 1, missing=0.2), normal=NORMALS)
    tuned = mask_tuned(detector, NORMALS.maps[:1], given)
    holes = ClipsWithHoles(HeldClips(NORMALS.maps), detector, 0.2, "band_median", seed=0)
    expected = fitted("gaussian", holes.read(list(range(12))))
    for name, found in tuned.state_dict().items():
        torch.testing.assert_close(found, expected.state_dict()[name])


def test_holes_hang_on_the_clip_alone():
    clips = HeldClips(NORMALS.maps + 1)
    holes = ClipsWithHoles(clips, taught(), 0.25, "zero", seed=0)
    read = holes.read(list(range(12)))
    assert len(holes) == 12 and (read == 0).sum(dim=(1, 2)).tolist() == [12] * 12
    assert torch.equal(read[read != 0], clips.maps[read != 0])
    assert torch.equal(holes.read([7, 2]), read[[7, 2]])
    assert not torch.equal(read[0] == 0, read[1] == 0)
    assert not torch.equal(ClipsWithHoles(clips, taught(), 0.25, "zero", seed=1).read([0]), read[:1])


def test_where_no_copy_can_be_tuned_it_says_so(caplog):
    class OfIndividuals(Taught):
        def for_individual(self, machine, machine_id):
            return self

    given = replace(context("f_fidelity", 1), normal=HeldNormals(torch.ones(4, 1, CELLS)))
    assert f_fidelity(OfIndividuals(WEIGHTS).freeze(), CLIP, {"right": RIGHT}, given).empty
    assert "F-Fidelity left out: OfIndividuals compares clips" in caplog.text
    with pytest.raises(ConfigError, match="no training clips"):
        f_fidelity(taught(), CLIP, {"right": RIGHT}, context("f_fidelity", 1))


def test_going_on_without_epochs_keeps_the_weights():
    detector = fitted("dense_ae", NORMALS.maps, epochs=2, batch_size=4)
    before = {name: values.clone() for name, values in detector.state_dict().items()}
    detector.settings = detector.settings.model_copy(update={"epochs": 0})
    detector.fit(HeldClips(NORMALS.maps), TrainingRun(seed=9, goes_on=True))
    weights = dict(detector.named_parameters())
    assert all(torch.equal(before[name], weights[name]) for name in weights)

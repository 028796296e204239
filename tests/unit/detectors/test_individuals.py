"""Whoever scores, explains or perturbs a clip asks the detector of the clip's own individual."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from soundproof.attribution.explain_clips import explain_clips
from soundproof.attribution.registry import EXPLAINERS
from soundproof.core.registry import Parameters
from soundproof.detectors.individuals import Shown, batches_by_individual, individuals_of
from soundproof.detectors.scoring import score_maps
from soundproof.faithfulness.band_scores import score_without_bands
from soundproof.faithfulness.band_settings import BandSettings
from soundproof.faithfulness.measure import measure_faithfulness
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.interfaces.detector import Detector
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance

AXES = Axes((100.0, 200.0, 300.0, 400.0), 10.0, 6, "dB")
IDS = [f"clip{row}" for row in range(6)]
CPU, BUDGET = torch.device("cpu"), 1 << 26
# interleaved on purpose; nobody knows whom the last clip shows
FAN, OTHER, PUMP = Shown("fan", "0"), Shown("fan", "1"), Shown("pump", "0")
WHO = dict(zip(IDS[:5], [FAN, OTHER, FAN, FAN, PUMP], strict=True))
WEIGHT = {("fan", "0"): 1.0, ("fan", "1"): 10.0, ("pump", "0"): 100.0}


class Kinds(Detector):
    """Scores the sum of squares times a weight that depends on the individual; 1000 for nobody in particular."""

    def __init__(self, weight: float = 1000.0) -> None:
        super().__init__((4, 6), Parameters())
        self.weight = nn.Parameter(torch.tensor(weight))

    def fit(self, clips, run):
        raise NotImplementedError

    def score(self, x):
        return self.weight * x.square().sum(dim=(1, 2))

    def for_individual(self, machine, machine_id):
        return Kinds(WEIGHT[machine, machine_id]).freeze() if (machine, machine_id) in WEIGHT else self


EXPECTED = np.array([1.0, 10.0, 1.0, 1.0, 100.0, 1000.0])


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(6, 4, 6)).astype(np.float32)


@pytest.fixture
def features(tmp_path, x):
    with MapWriter(tmp_path / "features.parquet", AXES, Provenance(stage="features")) as writer:
        writer.append(IDS, x)
    return MapReader(tmp_path / "features.parquet")


def test_individuals_are_read_off_the_clips():
    clips = pd.DataFrame({"clip_id": IDS[:2], "machine": ["fan", "pump"], "machine_id": ["0", "00"]})
    assert individuals_of(clips) == {"clip0": FAN, "clip1": Shown("pump", "00")}
    noted = clips.assign(attributes=["speed=fast", None])
    assert individuals_of(noted) == {"clip0": Shown("fan", "0", "speed=fast"), "clip1": Shown("pump", "00")}


def test_batches_end_where_the_individual_changes_and_keep_the_order(features, x):
    found = list(batches_by_individual(Kinds(), features, 4, IDS, WHO))
    assert [ids for _, ids, _ in found] == [IDS[:1], IDS[1:2], IDS[2:4], IDS[4:5], IDS[5:]]
    np.testing.assert_array_equal(np.concatenate([maps for _, _, maps in found]), x)


def test_batches_of_a_detector_that_scores_all_alike_are_full(features):
    class Alike(Kinds):
        def for_individual(self, machine, machine_id):
            return Detector.for_individual(self, machine, machine_id)

    detector = Alike()
    found = list(batches_by_individual(detector, features, 4, IDS, WHO))
    assert [ids for _, ids, _ in found] == [IDS[:4], IDS[4:]]
    assert all(view is detector for view, _, _ in found)


def test_scores(features, x):
    squares = (x.astype(np.float64) ** 2).sum(axis=(1, 2))
    own = score_maps(Kinds(), features, IDS, CPU, BUDGET, WHO)
    assert list(own["clip_id"]) == IDS
    np.testing.assert_allclose(own["value"], EXPECTED * squares, rtol=1e-5)
    nobody = score_maps(Kinds(), features, IDS, CPU, BUDGET)
    np.testing.assert_allclose(nobody["value"], 1000 * squares, rtol=1e-5)


def test_further_scores_stand_beside_the_score_under_their_own_names(features, x):
    class Further(Kinds):
        def further_scores(self, x):
            return {("largest", 0.5): 0.5 * x.amax(dim=(1, 2)), ("largest", 2.0): 2 * x.amax(dim=(1, 2))}

        def for_individual(self, machine, machine_id):
            return self

    found = score_maps(Further(), features, IDS, CPU, BUDGET, WHO)
    assert found["metric"].tolist() == ["anomaly_score"] * 6 + ["largest"] * 12
    assert found["parameter"].fillna(-1).tolist() == [-1.0] * 6 + [0.5] * 6 + [2.0] * 6
    np.testing.assert_allclose(found["value"][6:], np.outer([0.5, 2], x.max(axis=(1, 2))).ravel(), rtol=1e-6)


def test_scores_without_a_band(features, x):
    settings = BandSettings(scale="linear", bands=(4,), removals=("zero",))
    found = score_without_bands(Kinds(), features, IDS, settings, CPU, BUDGET, WHO)
    lowest = found[found["parameter"] == 1].set_index("clip_id")["value"]
    expected = EXPECTED * (x[:, 1:].astype(np.float64) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(lowest[IDS], expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["saliency", "integrated_gradients", "gradient_shap", "occlusion"])
def test_explanations_and_their_noisy_or_blanked_copies(kind, features, x, tmp_path):
    entry = EXPLAINERS[kind]
    settings = entry.settings({"window": (2, 2), "stride": (2, 2)} if kind == "occlusion" else {})

    def explained(name, individuals, detector):
        path = tmp_path / f"{name}.parquet"
        with MapWriter(path, AXES.with_unit("relevance"), Provenance(stage="attributions")) as writer:
            explain_clips(
                detector,
                "method",
                entry,
                settings,
                reader=features,
                clip_ids=IDS,
                writer=writer,
                seed=0,
                device=CPU,
                memory_budget_bytes=BUDGET,
                individuals=individuals,
            )
        return MapReader(path).read(IDS)

    own, of_one = explained("own", WHO, Kinds()), explained("one", None, Kinds(1.0))
    np.testing.assert_allclose(own, EXPECTED[:, None, None] * of_one, rtol=1e-4, atol=1e-4)


def test_perturbed_clips_and_explanations_anew(features, tmp_path):
    maps = {"saliency": features}
    asked = []

    def explain(name, detector, x, clip_ids):
        asked.append((detector.weight.item(), tuple(clip_ids)))
        return x

    def measured(individuals, detector):
        families = {"ff_background": {}, "band_removal": {"bands": (4,)}, "randomisation": {"draws": 2}}
        return measure_faithfulness(
            detector,
            features,
            maps,
            IDS,
            {name: FAITHFULNESS[name].settings(values) for name, values in families.items()},
            annotated={},
            segment_frames=2,
            device=CPU,
            memory_budget_bytes=BUDGET,
            explain=explain,
            individuals=individuals,
        )

    own = measured(WHO, RandomKinds())
    assert {ids for _, ids in asked} == {("clip0",), ("clip1",), ("clip2", "clip3"), ("clip4",), ("clip5",)}
    of_one = measured(None, RandomKinds(1.0))
    effects = [frame[frame["metric"] == "band_effect"].reset_index(drop=True) for frame in (own, of_one)]
    weight = effects[0]["clip_id"].map(dict(zip(IDS, EXPECTED, strict=True)))
    np.testing.assert_allclose(effects[0]["value"], weight * effects[1]["value"], rtol=1e-4, atol=1e-4)
    # what is relative to the clip's score is the same, whatever the weight: intact and changed copies agree on it
    ratios = [frame[frame["metric"] == "ff_background_frame"]["value"] for frame in (own, of_one)]
    np.testing.assert_allclose(*ratios, atol=1e-5)
    assert len(ratios[0])


class RandomKinds(Kinds):
    """Kinds with weights that can be redrawn."""

    def for_individual(self, machine, machine_id):
        return RandomKinds(WEIGHT[machine, machine_id]).freeze()

    def randomise(self, seed):
        self.weight = nn.Parameter(self.weight.detach() + 1)

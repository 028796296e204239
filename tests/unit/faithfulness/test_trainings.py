"""The ceiling of model randomisation: maps of one training beside those of another."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from soundproof.faithfulness import trainings
from soundproof.faithfulness.similarity import similarity
from soundproof.faithfulness.trainings import compare_trainings
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance

AXES = Axes((100.0, 200.0, 300.0), 10.0, 5, "relevance")
CLIPS = ["a", "b", "c", "d"]


@pytest.fixture
def maps(tmp_path):
    rng = np.random.default_rng(0)
    made = {}
    for detector, seeds in {"ae": (0, 1, 7), "cae": (0,)}.items():
        for seed in seeds:
            made[detector, seed] = {}
            for explainer in ("saliency", "grad_cam"):
                path = tmp_path / f"{detector}{seed}{explainer}.parquet"
                values = rng.normal(size=(4, 3, 5)).astype(np.float32)
                if (seed, explainer) == (7, "grad_cam"):
                    values[0] = 3.0  # ranks nothing
                with MapWriter(path, AXES, Provenance(stage="attributions")) as writer:
                    writer.append(CLIPS, values)
                made[detector, seed][explainer] = MapReader(path)
    return made


def rho(one, other):
    return spearmanr(one.ravel(), other.ravel()).statistic


def test_each_training_has_its_mean_similarity_to_the_others(maps):
    clips = ["b", "d"]
    found = list(compare_trainings(maps, clips))
    assert [(one.detector, one.seed) for one in found] == [("ae", 0), ("ae", 1), ("ae", 7)]
    assert {one.rows["metric"].unique().item() for one in found} == {"training_similarity"}
    for one in found:
        values = one.rows.set_index(["explainer", "protocol", "clip_id"])["value"]
        assert len(values) == 2 * 2 * 2
        for (explainer, protocol, clip), value in values.items():
            change = np.abs if protocol == "absolute" else np.asarray
            own, *others = (
                change(maps["ae", seed][explainer].read([clip])[0])
                for seed in sorted((0, 1, 7), key=lambda seed: seed != one.seed)
            )
            assert value == pytest.approx(np.mean([rho(own, other) for other in others]))


def test_a_constant_map_is_like_no_other(maps):
    found = {one.seed: one.rows.query("explainer == 'grad_cam'") for one in compare_trainings(maps, ["a"])}
    assert (found[7]["value"] == 0).all()
    pair = rho(*(maps["ae", seed]["grad_cam"].read(["a"])[0] for seed in (0, 1)))
    assert found[0].set_index("protocol").loc["signed", "value"] == pytest.approx(pair / 2)


def test_batches_change_nothing(maps, monkeypatch):
    whole = [one.rows for one in compare_trainings(maps, CLIPS)]
    monkeypatch.setattr(trainings, "ROWS_PER_GROUP", 3)
    for rows, other in zip(whole, compare_trainings(maps, CLIPS), strict=True):
        keys = ["explainer", "protocol", "clip_id"]
        assert rows.sort_values(keys, ignore_index=True).equals(
            other.rows.sort_values(keys, ignore_index=True)
        )


def test_trained_once_nothing_is_compared(maps):
    assert list(compare_trainings({("cae", 0): maps["cae", 0]}, CLIPS)) == []


def test_a_map_and_its_negative_are_opposite_and_alike_in_magnitude():
    one = np.random.default_rng(1).normal(size=(2, 4, 6))
    np.testing.assert_allclose(similarity(one, -one), [[-1, -1], [1, 1]])

"""A metric that is registered and measured appears wherever explanations are judged, with no list to extend."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from toys.study import EXPLAINERS, full_study, measurements, results_of

from soundproof.analysis.criteria import all_criteria
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.writing import write_finished_table
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.interfaces.metric import Criterion, MetricEntry
from soundproof.localisation.registry import LOCALISATION
from soundproof.report.headline import DETECTION, headline, headline_criteria, headline_sentence
from soundproof.storage.provenance import Provenance
from soundproof.tables import agreement, cost, quality, significance

NAME, TITLE, FAVOURS = "toy_distance", "Toy distance", "The toy favours nobody."


def entry(**facts) -> MetricEntry:
    defaults = {
        "name": NAME,
        "title": TITLE,
        "implementation": "soundproof.localisation.iou:measure",
        "citation": "none",
        "category": "localisation",
        "higher_is_better": False,
        "needs": frozenset(),
        "chance": "1",
        "unit": "seconds",
    }
    return MetricEntry(**(defaults | facts))


@pytest.fixture
def registered(monkeypatch):
    criterion = Criterion(name=NAME, title=TITLE, favours=FAVOURS, level=1.0, headline=-1)
    monkeypatch.setitem(LOCALISATION._entries, NAME, entry(criteria=(criterion,)))


@pytest.fixture
def study(registered):
    """The toy study with distances that grow from one explainer to the next."""
    full = full_study(n_each=6)
    anomalous = full.clips.loc[full.clips["label"].eq("anomaly"), "clip_id"]
    rng = np.random.default_rng(3)
    rows = [
        {"detector": detector, "seed": seed, "explainer": name, "metric": NAME, "clip_id": clip_id}
        | {"machine": "fan", "value": 0.2 * turn + rng.normal(0, 0.01)}
        for detector in ("ae", "mae")
        for seed in (0, 1)
        for turn, name in enumerate(EXPLAINERS)
        for clip_id in anomalous
    ]
    columns = full.measurements.columns
    own = measurements(rows)[columns]
    facts = {"clips": full.clips, "costs": full.costs}
    kept = full.measurements[~full.measurements["metric"].str.startswith(("band_", "aupro"))]
    both = [part.to_dict("records") for part in (kept, own)]
    return results_of(measurements([*both[0], *both[1]]), **facts)


def test_it_stands_in_quality_with_direction_chance_and_whom_it_favours(study):
    table = quality.build(study)
    found = table.frame.set_index(["detector", "explainer"])
    assert found.loc[("ae", "saliency"), NAME] == pytest.approx(0.2, abs=0.02)
    assert (found[f"{NAME}_chance_uniform"] == 1.0).all()
    assert TITLE in {column.header for column in table.formats}
    assert TITLE in table.caption.split("Lower is better for: ")[1].split(".")[0]
    assert FAVOURS in table.caption


def test_it_is_tested_compared_priced_and_drawn(study):
    tested = significance.build(study).frame
    rows = tested[tested["axis"].eq(NAME) & tested["detector"].eq("ae")]
    assert len(rows) == len(EXPLAINERS) * (len(EXPLAINERS) - 1) / 2
    # with six clips nothing is decided, but the lower one has the lower median
    first = rows[rows["a"].eq("error_map") & rows["b"].eq("saliency")].iloc[0]
    assert first["median_difference"] < 0
    compared = agreement.build(study).frame
    assert NAME in set(compared["axis_a"]) | set(compared["axis_b"])
    assert NAME in cost.build(study).frame
    figure = ARTEFACTS["quality_overview"].load()(study).figure
    assert any(axes.get_title() == f"{TITLE} ←" for axes in figure.axes)
    plt.close(figure)


def test_it_makes_the_headline_in_its_own_direction(study, tmp_path):
    for name in ("quality", DETECTION):
        made = ARTEFACTS[name].load()(study)
        write_finished_table(made, tmp_path, name, name, Provenance(stage="test"))
    explained = headline(tmp_path)["explanation"]["ae"]
    assert explained["saliency"][NAME] == pytest.approx(0.2, abs=0.02)
    assert "Best by toy distance: Error map of " in headline_sentence(tmp_path)


def test_without_a_criterion_the_first_measure_is_one():
    (criterion,) = entry(measures=("toy_mean", "toy_curve"), criteria=()).criteria
    assert (criterion.name, criterion.metric, criterion.title) == ("toy_mean", "toy_mean", TITLE)
    assert (criterion.judges, criterion.higher_is_better) == ("localisation", False)
    assert criterion.tested and criterion.headline is not None


def test_a_criterion_cannot_contradict_its_metric():
    with pytest.raises(ValueError, match="judged by 'other'"):
        entry(criteria=(Criterion(name="other", title="Other"),))
    (criterion,) = entry(criteria=(Criterion(name=NAME, title=TITLE, higher_is_better=True),)).criteria
    assert not criterion.higher_is_better


def test_names_and_titles_of_criteria_are_unique():
    names = [criterion.name for criterion in all_criteria()]
    titles = [criterion.title for criterion in all_criteria()]
    assert len(set(names)) == len(names) and len(set(titles)) == len(titles)
    for registry in (LOCALISATION, FAITHFULNESS):
        assert all(of.criteria for of in registry.values())


def test_headlines_keep_their_places():
    everything = pd.DataFrame(columns=[criterion.name for criterion in all_criteria()])
    placed = [criterion.words for criterion in headline_criteria(everything)]
    assert placed[:3] == ["cell AUROC", "frame AUROC", "AU-PRO"]
    assert placed[-2:] == ["FF frame", "segment F1 (p98)"]

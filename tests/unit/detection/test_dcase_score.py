from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from soundproof.core.errors import DataError
from soundproof.detection.dcase_score import AREAS, official_score, rule_of, section_areas
from soundproof.interfaces.metric import Undefined

# normal source 1 2, normal target 3 6, anomalous source 5 4, anomalous target 2 7
SCORES = np.array([1.0, 2.0, 3.0, 6.0, 5.0, 4.0, 2.0, 7.0])
ANOMALOUS = np.array([False] * 4 + [True] * 4)
DOMAINS = np.array(["source", "source", "target", "target"] * 2)


def test_since_2022_anomalies_of_both_domains_meet_the_normal_clips_of_one() -> None:
    areas = section_areas(SCORES, ANOMALOUS, DOMAINS, "shared anomalies")
    # source: 5, 4, 7 beat both of 1, 2; 2 beats 1 and ties with 2
    assert areas["auc_source"] == pytest.approx((2 + 2 + 1.5 + 2) / 8)
    # target: against 3, 6: 5 and 4 beat one, 2 none, 7 both
    assert areas["auc_target"] == pytest.approx((1 + 1 + 0 + 2) / 8)
    # the 7 lifts the curve to 0.25; the next clip, the normal 6, leads on to a false-positive rate of 0.25
    flat = 0.25 * 0.1
    assert areas["pauc"] == pytest.approx(0.5 * (1 + (flat - 0.005) / (0.1 - 0.005)))


def test_in_2021_domains_are_apart() -> None:
    areas = section_areas(SCORES, ANOMALOUS, DOMAINS, "apart")
    assert list(areas) == ["auc_source", "auc_target", "pauc_source", "pauc_target"]
    assert areas["auc_source"] == 1.0
    assert areas["auc_target"] == pytest.approx((0 + 2) / 4)
    assert areas["pauc_source"] == 1.0


def test_in_2020_there_are_no_domains() -> None:
    areas = section_areas(SCORES, ANOMALOUS, np.array([""] * 8), "no domains")
    assert list(areas) == ["auc", "pauc"]
    assert areas["auc"] == pytest.approx((3 + 3 + 1.5 + 4) / 16)


@given(
    scores=hnp.arrays(np.float64, 24, elements=st.integers(0, 9).map(float)),
    anomalous=hnp.arrays(np.bool_, 24),
    target=hnp.arrays(np.bool_, 24),
)
def test_against_scikit_learn_and_a_count_of_pairs(scores, anomalous, target) -> None:
    domains = np.where(target, "target", "source")
    areas = section_areas(scores, anomalous, domains, "shared anomalies")
    for domain in ("source", "target"):
        normal = scores[~anomalous & (domains == domain)]
        anomaly = scores[anomalous]
        found = areas[f"auc_{domain}"]
        if not len(normal) or not len(anomaly):
            assert isinstance(found, Undefined)
            continue
        wins = (anomaly[:, None] > normal).mean() + (anomaly[:, None] == normal).mean() / 2
        assert found == pytest.approx(wins)
    if 0 < anomalous.sum() < 24:
        assert areas["pauc"] == pytest.approx(roc_auc_score(anomalous, scores, max_fpr=0.1))


def test_the_official_score_is_the_mean_of_the_year() -> None:
    areas = [0.5, 0.8, 0.6, 0.9, 0.7, 0.55]
    assert official_score(areas, "shared anomalies") == pytest.approx(hmean(areas))
    assert official_score(areas, "no domains") == pytest.approx(sum(areas) / 6)
    assert official_score([0.0, 1.0], "apart") == 0.0


def test_every_year_has_a_rule() -> None:
    assert [rule_of(year) for year in (2020, 2021, 2022, 2025)] == [*AREAS, "shared anomalies"]


def test_a_clip_without_domain_is_refused() -> None:
    domains = DOMAINS.copy()
    domains[0] = ""
    with pytest.raises(DataError, match="a domain for every test clip"):
        section_areas(SCORES, ANOMALOUS, domains, "apart")

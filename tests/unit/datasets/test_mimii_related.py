"""MIMII DUE and MIMII DG, which share the scheme of DCASE 2021 and 2022."""

from __future__ import annotations

from pathlib import Path

import dcase_toys as toys
import pytest

from soundproof.core.errors import ConfigError, DataError
from soundproof.datasets.dcase.dataset import DcaseDataset
from soundproof.datasets.dcase.editions import RELATED
from soundproof.datasets.dcase.files import needed
from soundproof.datasets.dcase.settings import related_parameters
from soundproof.datasets.dcase.tree import TaskClip, check_counts, check_totals


def clips(
    machine: str, train: tuple[int, int], source: tuple[int, int], target: tuple[int, int]
) -> list[TaskClip]:
    """Clips of three sections, so many of each kind in all."""
    kinds = [("train", "source", "normal", train[0]), ("train", "target", "normal", train[1])]
    for domain, counts in (("source", source), ("target", target)):
        kinds += [("test", domain, "normal", counts[0]), ("test", domain, "anomaly", counts[1])]
    return [
        TaskClip(
            file=Path(),
            place="",
            machine=machine,
            section=f"0{n % 3}",
            split=split,
            label=label,
            domain=domain,
        )
        for split, domain, label, count in kinds
        for n in range(count)
    ]


def test_the_numbers_of_mimii_due_are_compared():
    due = RELATED["mimii_due"]
    check_totals(clips("fan", (3000, 9), (300, 300), (300, 300)), due, "fan")
    check_totals(clips("gearbox", (3017, 9), (411, 351), (309, 336)), due, "gearbox")
    with pytest.raises(
        DataError, match=r"302 clips of kind test/target/anomaly in 'slider'[\s\S]*301 \(-1\)"
    ):
        check_totals(clips("slider", (3000, 9), (310, 302), (300, 301)), due, "slider")


def test_no_numbers_of_mimii_dg_are_known():
    few = clips("bearing", (1, 1), (1, 1), (1, 1))
    check_totals(few, RELATED["mimii_dg"], "bearing")
    check_counts(few, RELATED["mimii_dg"], "bearing")


def archives(kind: str, **settings: object) -> list[tuple[str, int | None]]:
    return [
        (item.remote.name, item.remote.record)
        for item in needed(related_parameters(kind).model_validate(settings))
    ]


def test_archives_lie_where_the_catalogue_says():
    assert archives("mimii_due", machines=["fan"]) == [("dev_data_fan.zip", 4740355)]
    # test clips and truth of the evaluation sections were published with DCASE 2021
    first, second, truth = archives("mimii_due", machines=["fan"], part="eval")
    assert first == ("eval_data_fan_train.zip", 4740355)
    assert second == ("eval_data_fan_test.zip", 4884786)
    assert truth[0].startswith("dcase2021_task2_evaluator")
    assert archives("mimii_dg", machines=["valve"]) == [("valve.zip", 6529888)]


def test_mimii_dg_has_no_evaluation_part():
    with pytest.raises(ConfigError, match="part 'eval' of mimii_dg"):
        related_parameters("mimii_dg").model_validate({"part": "eval"})


@pytest.mark.parametrize("listed", [True, False])
def test_mimii_dg_is_read_with_and_without_attributes_files(listed, tmp_path):
    places = [*toys.train_names(), *toys.test_names()]
    files = {f"fan/{place}": toys.wav(place) for place in places}
    if listed:
        files["fan/attributes_00.csv"] = toys.attributes("fan", places).encode()
    toys.write(tmp_path, files)
    settings = related_parameters("mimii_dg").model_validate({"folder": str(tmp_path), "machines": ["fan"]})
    table = DcaseDataset(settings, tmp_path).clips()
    assert len(table) == len(places)
    assert table["attributes"].notna().all() == listed
    assert set(table["dataset"]) == {"mimii_dg"}

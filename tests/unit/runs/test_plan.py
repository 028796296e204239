from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from soundproof.config import load_config
from soundproof.config.load import load_study
from soundproof.downloads.catalogue.lock import Lock, Told
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.remote_file import RemoteFile
from soundproof.runs import download_plan as data_plan
from soundproof.runs import plan as run_plan
from soundproof.runs.download_plan import downloads, in_words, shopping_list
from soundproof.runs.plan import jobs_per_step, plan_in_words
from soundproof.runs.weights_plan import missing_weights

ROOT = Path(__file__).parents[3]
STUDIES = ROOT / "config" / "studies"


def dcase(**dataset: object):
    return load_study("dcase2022", STUDIES, {"dataset": dataset, "seeds": [0, 1]})


def test_jobs_of_a_study_by_hand() -> None:
    # two detectors are trained and explained, with two seeds, pooled: one job fits the simple detectors, one scores
    # all, and one explains each training; its clips have no labelled events, and it asks for no localisation
    assert jobs_per_step({"dcase2022": dcase()}, Path("results/any")) == {
        "dcase2022": {
            "download": 1,
            "features": 2,
            "training": 2 * 2 + 1 + 1,
            "attribution": 2 * 2,
            "faithfulness": 2 * 2,
            "localisation": 0,
            "bands": 0,
            "explorer": 1,
            "report": 5,
        }
    }


def test_studies_with_equal_settings_share_a_download_and_others_do_not() -> None:
    fan, same, valve = (dcase(machines=[name]) for name in ("fan", "fan", "valve"))
    studies = {"a": fan, "b": same, "c": valve}
    counts = jobs_per_step(studies, Path("results/any"))
    assert [counts[name]["download"] for name in studies] == [1, 0, 1]


def test_bytes_known_unknown_and_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sized = RemoteFile("a.zip", ("https://x/a.zip",), 5_000, "0" * 32)
    needed = (
        Needed(sized, "toy"),
        Needed(RemoteFile("b.zip", ("https://x/b.zip",), md5="1" * 32), "toy"),
        Needed(RemoteFile("c.zip", ("https://x/c.zip",), 7_000, "2" * 32), "toy", instead=("c",)),
        Needed(RemoteFile("d.zip", ("https://x/d.zip",), 9_000, "3" * 32), "toy"),
        Needed(RemoteFile("e.zip", ("https://x/e.zip",), 9**9, "4" * 32), "toy", members=60),
        Needed(RemoteFile("f.zip", ("https://x/f.zip",), record=8), "toy"),
    )
    entry = SimpleNamespace(name="toy", needed=lambda settings: needed, licence="CC0-1.0: none")
    monkeypatch.setattr(data_plan, "DATASETS", {"dcase2022": entry, "toy": entry})
    (tmp_path / "toy/c").mkdir(parents=True)
    (tmp_path / "toy/a.zip.part").write_bytes(bytes(1_000))
    (tmp_path / "toy/d.zip").write_bytes(bytes(9_000))
    lock = Lock(tmp_path / "lock.json")
    lock.pin([(needed[5].remote, Told(url="u", n_bytes=300, md5="5" * 32))])
    (plan,) = downloads({"one": dcase(), "two": dcase()}, tmp_path, lock)
    assert (plan.known_bytes, plan.n_unknown, plan.n_members) == (4_000 + 300, 1, 60)
    assert sorted(path.name for path in plan.there) == ["c.zip", "d.zip"]
    assert plan.studies == ["one", "two"]
    assert in_words([plan]) == [
        "to download: 4.3 kB, size unknown for 1 file",
        "toy: 3 files, 4.3 kB, size unknown for 1 file; 60 members of 1 archives, "
        f"into {tmp_path}/toy; 2 files already there [CC0-1.0: none]",
    ]
    listed = shopping_list([plan])
    assert [line.split(" ")[0] for line in listed] == [f"{tmp_path}/toy/{n}.zip" for n in "abef"]
    assert listed[0].endswith(f"/toy/a.zip (5000 bytes, md5 {'0' * 32}) from https://x/a.zip")
    assert "60 of its members" in listed[2]
    # a file of another size is not there
    (tmp_path / "toy/d.zip").write_bytes(bytes(8_999))
    (plan,) = downloads({"one": dcase()}, tmp_path, lock)
    assert "d.zip" in {path.name for path in plan.missing}


def test_the_plan_of_the_bench_needs_nothing() -> None:
    config, studies = load_config({"studies": ["p1"]}, STUDIES)
    text = plan_in_words(config, studies)
    assert "to download: nothing" in text
    assert text.startswith("Plan of the run 'bench'")


def test_a_list_of_files_at_hand_is_not_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    config, studies = load_config({"studies": ["p1"]}, STUDIES)
    text = plan_in_words(config, studies)
    files = run_plan.expected_files(studies, Path(config.results_dir) / config.run)
    listings: list[object] = []
    monkeypatch.setattr(run_plan, "expected_files", lambda *args: listings.append(args) or files)
    assert plan_in_words(config, studies, files) == text
    assert not listings
    assert plan_in_words(config, studies) == text
    assert len(listings) == 1


def test_the_sub_command_shows_the_papers_without_numerical_libraries() -> None:
    program = (
        "import sys; from soundproof.cli import main; main(sys.argv[1:]);"
        "print(*[name for name in ('torch', 'pandas', 'numpy', 'scipy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, "plan", "--configfile", str(ROOT / "config/paper.yaml")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in ("planer", "dcase2022", "dcase2023"):
        assert f"\n  {name}" in said
    assert "size unknown for" in said and "CC-BY-NC-SA-4.0" in said
    assert said.splitlines()[-1] == ""


def test_weights_are_told_until_they_are_there(tmp_path: Path) -> None:
    values = {"studies": ["p2"], "data_dir": str(tmp_path)}
    config, studies = load_config(values, STUDIES)
    place = tmp_path / "weights" / "cnn9.safetensors"
    lines = plan_in_words(config, studies).splitlines()[-2:]
    assert lines[0].strip() == "to download: 23.1 MB"
    assert lines[1].strip() == (
        f"weights cnn9: 23.1 MB from the Python package aisfx==0.1.2, into {place.parent} [CC-BY-4.0]"
    )
    assert shopping_list([], missing_weights(studies, tmp_path)) == [
        f"{place} (made from 23.1 MB) from the Python package aisfx==0.1.2"
    ]
    place.parent.mkdir()
    place.touch()
    assert missing_weights(studies, tmp_path) == []
    assert plan_in_words(config, studies).splitlines()[-1].strip().startswith("to download: nothing")


def test_weights_of_a_record_have_its_file_s_size(tmp_path: Path) -> None:
    study = load_study("mimii_cnn14", STUDIES)
    (found,) = missing_weights({"a": study, "b": study}, tmp_path)
    assert (found.name, found.n_bytes) == ("cnn14", 327_428_481)
    assert "zenodo.org/records/3987831" in found.source

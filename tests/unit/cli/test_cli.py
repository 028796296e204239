from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from soundproof.cli import main
from soundproof.cli.drawing import picture_of
from soundproof.config.load import load_study
from soundproof.datasets.bench.dataset import BenchDataset
from soundproof.datasets.bench.settings import BenchParameters
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import save_detector
from soundproof.storage.maps import Axes, MapWriter
from soundproof.storage.provenance import Provenance
from soundproof.storage.tables import write_table

STUDIES = Path(__file__).parents[3] / "config" / "studies"
RECORD = Provenance(
    stage="features",
    settings={"n_mels": 4},
    code="c0de",
    inputs={"clips": "abcd"},
    seed=7,
    versions={"numpy": "9"},
)
GRID = Axes((100.0, 200.0, 400.0, 800.0), 40.0, 80, "dB")


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    path = tmp_path / "maps.parquet"
    values = np.zeros((2, 4, 80), np.float32)
    values[0, 1, 3] = 12.5
    with MapWriter(path, GRID, RECORD) as writer:
        writer.append(["fan_0", "fan_1"], values)
    return path


def test_inspect_shows_schema_axes_provenance_and_rows(
    maps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(maps)]) == 0
    text = capsys.readouterr().out
    for part in (
        "2 rows in 1 row groups",
        "fixed_size_list<element: float>[320]",
        "4 rows, 100.0 to 800.0 Hz",
        "80 frames, 40 per second (2 s)",
        "unit: dB",
        f"settings_digest: {RECORD.settings_digest}",
        "code: c0de",
        "clips: abcd",
        "seed: 7",
        "device: cpu",
        "numpy: '9'",
        "n_mels: 4",
        "First 2 rows",
        "fan_1",
        "max 12.5",
    ):
        assert part in text


def test_head_limits_the_rows(maps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(maps), "--head", "1"]) == 0
    text = capsys.readouterr().out
    assert "fan_0" in text and "fan_1" not in text
    assert main(["inspect", str(maps), "--head", "0"]) == 0
    assert "fan_0" not in capsys.readouterr().out


def test_a_wide_table_is_printed_on_its_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame({f"column_{n}": [n / 3, None] for n in range(9)})
    write_table(frame, path, RECORD)
    assert main(["inspect", str(path)]) == 0
    line = next(
        line for line in capsys.readouterr().out.splitlines() if "column_8" in line and "2.66667" in line
    )
    assert "–" in line


def test_a_file_of_another_origin_is_shown_without_provenance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "foreign.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    assert main(["inspect", str(path)]) == 0
    assert "not written by soundproof" in capsys.readouterr().out


def test_inspect_reads_fitted_detectors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.safetensors"
    entry = DETECTORS["clip_level"]
    save_detector(path, entry.load()((4, 80), entry.settings({})), "clip_level", RECORD)
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert "kind: clip_level" in text and "4 bands x 80 frames" in text and "code: c0de" in text


def test_draw_writes_a_picture(maps: Path, tmp_path: Path) -> None:
    out = tmp_path / "pictures" / "map.png"
    assert main(["inspect", str(maps), "--clip", "fan_0", "--draw", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.width > picture.height > 100


def test_draw_takes_the_first_clip_and_says_which(
    maps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(maps), "--draw", str(tmp_path / "map.png")]) == 0
    assert "the map of clip fan_0" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["inspect", str(maps), "--clip", "fan_0"])
    assert "--draw OUT.png" in capsys.readouterr().err


def test_a_picture_has_seconds_hertz_and_unit() -> None:
    values = np.linspace(-1, 3, 320, dtype=np.float32).reshape(4, 80)
    figure = picture_of(values, GRID, "fan_0")
    axes, bar = figure.axes
    assert axes.get_xlabel() == "Time (s)" and axes.get_ylabel() == "Frequency (Hz)"
    assert bar.get_ylabel() == "dB"
    image = axes.images[0]
    assert tuple(image.get_extent()) == (0, 2.0, -0.5, 3.5)
    assert image.get_clim() == (-3.0, 3.0)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["100", "200", "400", "800"]
    assert list(axes.get_yticks()) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["inspect", "nowhere.parquet"], "no such file"),
        (["inspect", "notes.txt"], "ends in '.txt'"),
        (["inspect", "nowhere.safetensors"], "no such file"),
        (["render", "fan_x", "--study", "p1", "--folder", "out"], "clip 'fan_x'"),
        (["render", "fan_x", "--study", "p0", "--folder", "out"], "study 'p0'"),
        (["render", "x", "--study", "planer", "--folder", "out"], "not those of the bench"),
    ],
)
def test_an_expected_failure_says_what_to_do(
    words: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    message = capsys.readouterr().err
    assert named in message and "to do:" in message


def test_a_table_that_holds_no_maps_cannot_be_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.parquet"
    write_table(pd.DataFrame({"a": [1]}), path, RECORD)
    assert main(["inspect", str(path), "--clip", "x", "--draw", str(tmp_path / "x.png")]) == 1
    assert "a table without axes" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize("words", [["inspect", "x", "--clip", "y"], ["inspect", "x", "--head", "-1"], []])
def test_wrong_usage_ends_with_status_2(words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)


def test_render_writes_stems_that_sum_to_the_mixture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_study("tiny", STUDIES).dataset.settings
    assert isinstance(settings, BenchParameters)
    clips = BenchDataset(settings, tmp_path).clips()
    clip_id = clips.loc[clips["label"] == "anomaly", "clip_id"].iloc[0]
    assert main(["render", clip_id, "--study", "tiny", "--folder", str(tmp_path / "wav")]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.split()]
    sounds = {path.stem.rpartition("_")[2]: soundfile.read(path, dtype="float32") for path in printed}
    assert sorted(sounds) == ["fault", "mixture", "normal"]
    assert {rate for _, rate in sounds.values()} == {settings.sample_rate_hz}
    total = sounds["normal"][0] + sounds["fault"][0]
    np.testing.assert_array_equal(total, sounds["mixture"][0])
    assert np.abs(sounds["fault"][0]).max() > 0


def test_config_writes_then_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ["--root", str(tmp_path)]
    assert main(["config", "check", *root]) == 1
    assert "python -m soundproof config write" in capsys.readouterr().err
    assert main(["config", "write", *root]) == 0
    assert "config.yaml" in capsys.readouterr().out
    assert main(["config", "check", *root]) == 0
    assert main(["config", "write", *root]) == 0
    assert "nothing to write" in capsys.readouterr().out


def test_help_needs_no_numerical_library() -> None:
    program = (
        "import sys, soundproof.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('heavy:', *[n for n in ('torch', 'pandas', 'pyarrow', 'matplotlib') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].strip() == "heavy:"

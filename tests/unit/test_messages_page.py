"""Every message of docs/messages.md is provoked, and is what the page says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from soundproof.clips.notes import described
from soundproof.config.demands import demands_of
from soundproof.config.model import Study
from soundproof.core.errors import SoundproofError
from soundproof.datasets.own.recordings import RecordingsDataset
from soundproof.folders.settings import RecordingsParameters
from soundproof.runs.demands import refuse_unfit

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
RATE = 16_000
SPLIT = {"train/normal/a": 2.0, "train/normal/b": 2.0, "train/normal/c": 2.0, "test/normal/n": 2.0}
FAULTY = {"test/anomaly/f": 2.0}


def rows(columns: int) -> list[tuple[str, ...]]:
    """Rows of the page's tables with so many columns, without their headers."""
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split(" | ")]
        if (
            line.startswith("| ")
            and len(cells) == columns
            and set(line) - set("| -")
            and cells[0]
            not in (
                "said",
                "note",
            )
        ):
            found.append(tuple(cells))
    return found


def fits(pattern: str, text: str) -> bool:
    return re.match(re.escape(pattern).replace(re.escape("..."), ".*"), text, re.DOTALL) is not None


def write(
    root: Path, lengths: dict[str, float], labels: str = "", raw: dict[str, bytes] | None = None
) -> Any:
    for number, (name, seconds) in enumerate(lengths.items()):
        path = root / "fan" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(number).uniform(-0.5, 0.5, round(seconds * RATE)), RATE)
    for name, content in (raw or {}).items():
        (root / "fan" / name).write_bytes(content)
    settings: dict[str, Any] = {"folder": str(root / "fan")}
    if labels:
        (root / "labels.csv").write_text(labels, encoding="utf-8")
        settings["labels"] = str(root / "labels.csv")
    return settings


def wav(root: Path) -> bytes:
    write(root, SPLIT)
    return (root / "fan/train/normal/a.wav").read_bytes()


def flac(root: Path, total: int, cut: int | None = None) -> dict[str, bytes]:
    write(root, SPLIT | FAULTY)
    soundfile.write(root / "x.flac", np.random.default_rng(9).uniform(-0.5, 0.5, 32_000), RATE)
    content = bytearray((root / "x.flac").read_bytes())
    content[21], content[22:26] = content[21] & 0xF0, total.to_bytes(4, "big")
    return {"train/normal/x.flac": bytes(content)[:cut]}


def table(root: Path, text: str) -> Any:
    return write(root, {"a": 2.0, "b": 2.0}, text)


EVENTS = "path,label,split,onset_s,offset_s\n" + "".join(
    f"train/normal/{n}.wav,normal,train,,\n" for n in "abc"
)
EVENTS += "test/normal/n.wav,normal,test,,\ntest/anomaly/f.wav,anomaly,test,"

ERRORS: dict[str, Callable[[Path], Any]] = {
    "cut off": lambda root: write(root, SPLIT, raw={"train/normal/x.wav": wav(root)[:-100]}),
    "states less": lambda root: write(root, SPLIT, raw={"train/normal/x.wav": wav(root) + b"\7" * 40_000}),
    "flac differs": lambda root: write(root, {}, raw=flac(root, 5_000)),
    "flac unknown": lambda root: write(root, {}, raw=flac(root, 0, -50)),
    "empty": lambda root: write(root, SPLIT | {"train/normal/x": 0.0}),
    "damaged": lambda root: write(root, {}, raw=flac(root, 32_000, 40_000)),
    "lost": lambda root: write(root, {**SPLIT, **FAULTY}, EVENTS + "1.8,1.9\n") | {"segment_seconds": 1.5},
    "accidents": lambda root: write(
        root, {**SPLIT, **FAULTY, "train/normal/x": 0.01, "train/normal/y": 0.01}
    ),
    "short": lambda root: write(root, {**SPLIT, **FAULTY}) | {"segment_seconds": 3.0},
    "outside": lambda root: write(root, {**SPLIT, **FAULTY}, EVENTS + "1.8,9\n"),
    "machines": lambda root: write(
        root, {f"{m}/{n}": s for m in ("p", "q") for n, s in (SPLIT | FAULTY).items()}
    ),
    "no normals": lambda root: write(root, {"normal/a": 2.0, "abnormal/a": 2.0}),
    "same": lambda root: write(root, SPLIT | FAULTY, raw={"test/normal/x.wav": wav(root) + b"LIST\0\0\0\0"}),
    "few": lambda root: write(root, {"train/normal/a": 2.0, "test/normal/n": 2.0, **FAULTY}),
    "window": lambda root: write(root, dict.fromkeys(SPLIT | FAULTY, 0.05)),
    "side": lambda root: write(root, dict.fromkeys(SPLIT | FAULTY, 0.1)),
    "fields": lambda root: table(root, "path,label\na.wav,normal,x\n"),
    "workbook": lambda root: table(root, "PK\3\4"),
    "quotes": lambda root: table(root, 'path,label\n"a.wav,normal\n'),
    "bare": lambda root: table(root, "path,label\n,\n"),
    "header": lambda root: table(root, "a.wav,normal\n"),
    "lable": lambda root: table(root, "path,lable\n"),
    "nearest": lambda root: table(root, "path,label\nA.wav,normal\n"),
    "differ": lambda root: table(root, "path,label\na.wav,normal\na.wav,anomaly\n"),
    "number": lambda root: table(root, 'path,label,onset_s,offset_s\na.wav,anomaly,"8,5",9\n'),
}


def latin(root: Path) -> Any:
    settings = table(root, "path,label\n")
    (root / "labels.csv").write_bytes(b"path,label\n\xfc.wav,normal\n")
    return settings


ERRORS["latin"] = latin


def listed(settings: dict[str, Any], root: Path) -> RecordingsDataset:
    """List and read clips as the workflow does."""
    data = RecordingsDataset(RecordingsParameters(**settings), root)
    study = {
        "name": "own",
        "dataset": {"kind": "recordings", **settings},
        "features": {"recipe": "machine"},
        "scope": "pooled",
        "detectors": {"ae": {"kind": "skip_cae", "explain": True}},
        "explainers": {"error_map": {}},
        "explain": {"clips": "test"},
    }
    clips = data.clips()
    refuse_unfit(clips, demands_of(Study.model_validate(study)))
    for clip_id in clips["clip_id"]:
        data.read(clip_id)
    return data


def test_each_error_is_the_one_on_the_page(tmp_path: Path) -> None:
    unseen = rows(3)
    assert len(unseen) > 20
    for name, provoke in ERRORS.items():
        root = tmp_path / name
        root.mkdir()
        with pytest.raises(SoundproofError) as caught:
            listed(provoke(root), root)
        error = caught.value
        said = (error.asked, error.found, error.remedy)
        found = [row for row in rows(3) if all(map(fits, row, said))]
        assert found, (name, said)
        unseen = [row for row in unseen if row not in found]
    assert not unseen


NOTES: dict[str, Callable[[Path], Any]] = {
    "pieces": lambda root: write(root, SPLIT | FAULTY, EVENTS + "0.2,0.4\n") | {"segment_seconds": 1.0},
    "short": lambda root: write(root, SPLIT | FAULTY | {"train/normal/x": 0.01}),
    "ends": lambda root: write(root, SPLIT | FAULTY) | {"segment_seconds": 0.9},
    "beyond": lambda root: write(root, SPLIT | FAULTY, EVENTS + "1.5,1.9\n") | {"segment_seconds": 0.9},
    "long": lambda root: write(root, SPLIT | FAULTY | {"train/normal/x": 40.0}),
    "no normals": lambda root: write(root, {name: 2.0 for name in SPLIT if "train" in name} | FAULTY),
}


def test_each_note_is_the_one_on_the_page(tmp_path: Path) -> None:
    def said() -> Iterator[tuple[str, str]]:
        for name, provoke in NOTES.items():
            root = tmp_path / name
            root.mkdir()
            data = listed(provoke(root), root)
            for note in [*described(data.clips()), *data.notes()]:
                if note.kind != "read":
                    yield f"{note.kind}: {note.subject}", note.text

    unseen = rows(2)
    for subject, text in said():
        found = [row for row in rows(2) if row[0] == subject and fits(row[1], text)]
        assert found, (subject, text)
        unseen = [row for row in unseen if row not in found]
    assert not unseen

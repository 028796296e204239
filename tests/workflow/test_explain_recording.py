"""A recording is scored and explained by a finished study as the workflow itself did, or refused."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from checkout import STUDY

from soundproof.cli import main
from soundproof.core.errors import ArtefactError, ConfigError, DataError, SoundproofError
from soundproof.datasets.open import open_dataset
from soundproof.one_recording.explain import Asked, explain_recording
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import KEY
from soundproof.storage.tables import read_provenance, read_table

DETECTOR, SEED = "ae", 0
FIT = f"all/{DETECTOR}/seed{SEED}.parquet"


@pytest.fixture(scope="module")
def study(finished) -> Path:
    return finished.path / STUDY


@pytest.fixture(scope="module")
def clip_id(study) -> str:
    """A clip that the study explained."""
    return MapReader(study / "attributions" / "error_map" / FIT).clip_ids[-1]


@pytest.fixture
def wav(study, clip_id, tmp_path):
    """Writes the clip, under its own name, as WAV."""
    settings = read_provenance(study / "features" / "all.parquet").settings
    audio = open_dataset(settings["dataset"], Path("data")).read(clip_id)

    def write(subtype: str, change=lambda samples: samples) -> Path:
        path = tmp_path / f"{clip_id}.wav"
        soundfile.write(path, change(audio.samples), audio.rate_hz, subtype=subtype)
        return path

    return write


def of_workflow(study, clip_id, explainer):
    """Score and map that the workflow wrote."""
    rows = read_table(study / "scores" / "all.parquet")
    (score,) = rows.loc[rows["clip_id"].eq(clip_id) & rows["detector"].eq(DETECTOR), "value"]
    return score, MapReader(study / "attributions" / explainer / FIT).read([clip_id])[0]


@pytest.mark.parametrize("explainer", ["error_map", "integrated_gradients"])
@pytest.mark.parametrize(("subtype", "tolerance"), [("FLOAT", 2e-6), ("PCM_16", 2e-2)])
def test_a_test_clip_as_a_file_gets_the_score_and_the_map_of_the_workflow(
    study, clip_id, wav, explainer, subtype, tolerance
):
    found = explain_recording(Asked(path=wav(subtype), study=study, explainer=explainer), Path("data"))
    score, relevance = of_workflow(study, clip_id, explainer)
    assert found.score == pytest.approx(score, rel=tolerance)
    assert np.abs(found.relevance - relevance).max() <= tolerance * np.abs(relevance).max()
    features = MapReader(study / "features" / "all.parquet").read([clip_id])[0]
    assert np.abs(found.features - features).max() <= tolerance * np.abs(features).max()


def test_what_is_heard_sums_to_the_clip_and_the_standing_is_that_among_normal_test_clips(study, clip_id, wav):
    found = explain_recording(Asked(path=wav("FLOAT"), study=study, machine="fan"), Path("data"))
    clip, marked, left = (
        soundfile.read(io.BytesIO(found.sounds[role]), dtype="int16")[0].astype(int)
        for role in ("clip", "marked", "left")
    )
    assert np.array_equal(marked + left, clip) and marked.any() and left.any()
    rows, clips = read_table(study / "scores" / "all.parquet"), read_table(study / "clips.parquet")
    normal = clips[clips["split"].eq("test") & clips["label"].eq("normal") & clips["machine"].eq("fan")]
    scores = rows.loc[rows["detector"].eq(DETECTOR) & rows["clip_id"].isin(normal["clip_id"]), "value"]
    assert found.standing.n_normal == len(normal) == len(scores) > 0
    assert found.standing.n_as_high == int((scores >= found.score).sum())


def test_the_command_writes_one_page_and_says_where_or_prints_json(study, wav, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = wav("PCM_16")
    words = ["explain", str(path), "--study", str(study)]
    assert main(words) == 0
    said, page = capsys.readouterr().out, tmp_path / f"{path.stem}-explained" / "index.html"
    assert said.splitlines()[-1] == f"Open {page}" and "normal test clips score lower" in said
    # nobody said which of the machines it is
    assert "name it with --machine and --unit" in said
    sounds = sorted(one.name.split(".")[1] for one in page.parent.glob("clips/*.wav"))
    assert sounds == ["clip", "left", "marked"] and page.is_file()
    # an earlier page is replaced, anything else is left alone
    assert main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["detector"] == DETECTOR and answer["page"] == str(page)
    assert (
        0 <= answer["false_alarm_rate_low"] <= answer["false_alarm_rate"] <= answer["false_alarm_rate_high"]
    )
    assert answer["percentile"] == pytest.approx(100 * (1 - answer["false_alarm_rate"]))
    assert main([*words, "--out", str(tmp_path)]) == 1
    assert "--out" in capsys.readouterr().err and path.is_file()


def test_what_is_marked_is_said_in_words_and_a_shaft_only_where_its_speed_is_given(
    study, wav, tmp_path, capsys
):
    path = wav("PCM_16")
    words = ["explain", str(path), "--study", str(study), "--machine", "fan", "--out", str(tmp_path / "page")]
    words += ["--explainer", "error_map", "--json"]
    assert main(words) == 0
    alone = json.loads(capsys.readouterr().out)
    assert alone["words"] and alone["no_words"] is None and "shaft" not in alone["words"]
    # of a recording only attributes are stated, even by a study whose rules would name a fault
    assert "Likely" not in alone["words"]
    assert alone["attributes"]["high_hz"] > alone["attributes"]["low_hz"] > 0
    assert set(alone["attributes_of_normal"])
    said = (tmp_path / "page" / "index.html").read_text()
    assert alone["words"] in said
    assert main([*words, "--shaft-speed", "53", "--balls", "8", "--diameter-ratio", "0.2"]) == 0
    known = json.loads(capsys.readouterr().out)["words"]
    assert known.startswith(alone["words"]) and "shaft" in known.removeprefix(alone["words"])
    for options, told in (
        (("--shaft-speed", "0"), "a shaft speed above 0"),
        (("--shaft-speed", "nan"), "a shaft speed above 0"),
        (("--balls", "8", "--diameter-ratio", "0.2"), "--shaft-speed"),
        (("--teeth", "20"), "--shaft-speed"),
        (("--shaft-speed", "20", "--balls", "8"), "the geometry of a bearing"),
        (("--shaft-speed", "20", "--contact-angle", "90"), "a contact angle"),
    ):
        assert main([*words, *options]) == 1
        assert told in capsys.readouterr().err


def test_what_the_study_cannot_answer_is_refused_with_what_to_do(study, wav, tmp_path):
    path = wav("PCM_16")
    cases = {
        "machine": (ConfigError, {"machine": "fam"}, "did you mean 'fan'"),
        "unit": (ConfigError, {"machine": "fan", "unit": "id77"}, "Known: id00"),
        "unit of no machine": (ConfigError, {"unit": "id00"}, "--machine"),
        "detector": (ConfigError, {"detector": "gaussian"}, "use one of: ae"),
        "explainer": (ConfigError, {"explainer": "saliency"}, "error_map"),
        "seed": (ArtefactError, {"seed": 5}, "name one of these seeds"),
        "study": (ArtefactError, {"study": study.parent / "tyni"}, "bench/tiny"),
        "recording": (DataError, {"path": tmp_path / "missing.wav"}, "name a wav, flac or ogg file"),
    }
    for kind, changes, advice in cases.values():
        with pytest.raises(kind) as caught:
            explain_recording(Asked(**({"path": path, "study": study} | changes)), Path("data"))
        assert isinstance(caught.value, SoundproofError) and advice in caught.value.remedy


def test_silence_another_rate_and_another_length_are_refused(study, wav):
    for change, said in (
        (np.zeros_like, "are 0"),
        (lambda samples: samples[: len(samples) // 2], "1 s"),
        (lambda samples: np.tile(samples, 5), "10 s"),
        (lambda samples: np.where(np.arange(len(samples)) == 9, np.nan, samples), "NaN"),
    ):
        with pytest.raises(DataError) as caught:
            explain_recording(Asked(path=wav("FLOAT", change), study=study), Path("data"))
        assert said in caught.value.found
    path = wav("FLOAT")
    sound, rate_hz = soundfile.read(path)
    soundfile.write(path, sound[::2], rate_hz // 2)
    with pytest.raises(DataError) as caught:
        explain_recording(Asked(path=path, study=study), Path("data"))
    assert "8000 Hz: the study listens to bands" in caught.value.found


def test_of_a_long_file_the_part_that_is_named_is_explained(study, clip_id, wav):
    path = wav("FLOAT", lambda samples: np.concatenate([samples[::-1], samples, samples[::-1]]))
    found = explain_recording(
        Asked(path=path, study=study, explainer="error_map", from_s=2.0, to_s=4.0), Path("data")
    )
    score, relevance = of_workflow(study, clip_id, "error_map")
    assert found.score == pytest.approx(score, rel=2e-6)
    assert np.allclose(found.relevance, relevance, atol=2e-6 * relevance.max())
    assert (found.span.from_s, found.span.to_s) == (2.0, 4.0) and 2.0 <= found.peak[0] < 4.0


def test_a_study_that_is_not_whole_says_what_is_missing(study, wav, tmp_path):
    copy = tmp_path / "bench" / "tiny"
    shutil.copytree(study, copy)
    path = wav("PCM_16")

    def said() -> str:
        with pytest.raises(ArtefactError) as caught:
            explain_recording(Asked(path=path, study=copy), Path("data"))
        assert "run the " in caught.value.remedy
        return f"{caught.value.asked}: {caught.value.found}"

    model = copy / "models" / "all" / DETECTOR / "seed0.safetensors"
    # trained anew, and its clips not scored yet
    content = model.read_bytes()
    model.write_bytes(content.replace(b'epochs\\":2', b'epochs\\":3'))
    assert "another training" in said()
    model.unlink()
    assert "no model in" in said()
    model.write_bytes(content)
    (copy / "tables" / "verdict.parquet").unlink()
    assert "verdict" in said()
    shutil.rmtree(copy / "models")
    assert "no folder 'models'" in said()


def test_a_study_that_does_not_say_how_sound_becomes_its_maps_is_refused(study, wav, tmp_path):
    copy = tmp_path / "bench" / "tiny"
    shutil.copytree(study, copy)
    features = copy / "features" / "all.parquet"
    table = pq.read_table(features)
    record = json.loads(table.schema.metadata[KEY])
    asked = Asked(path=wav("PCM_16"), study=copy)
    # written without the note of their scaling, as by an older version: any score would be of another map
    pq.write_table(table, features)
    with pytest.raises(ArtefactError) as unnoted:
        explain_recording(asked, Path("data"))
    assert "standardised" in unnoted.value.asked
    record["settings"]["dataset"] = {"kind": "planer"}
    metadata = table.schema.metadata | {KEY: json.dumps(record).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), features)
    with pytest.raises(DataError) as caught:
        explain_recording(asked, Path("data"))
    assert "ready-made spectrograms" in caught.value.found and "recordings" in caught.value.remedy

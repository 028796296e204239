"""The bench as a data set: determinism, levels, SNR, events and identifiers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from scipy import fft, signal
from sklearn.metrics import roc_auc_score

from soundproof.audio.mixing import fault_mask
from soundproof.core.errors import ConfigError, DataError
from soundproof.core.registry import Entry
from soundproof.datasets.bench.dataset import BenchDataset
from soundproof.datasets.bench.render import render
from soundproof.datasets.bench.settings import FAULTS_BY_MACHINE, BenchParameters
from soundproof.datasets.bench.synthesis import MACHINES, Individual
from soundproof.storage.schemas import CLIPS

ENTRY = Entry(name="bench", title="", implementation="a:b", citation="", parameters=BenchParameters)
SMALL = {"train_clips": 1, "test_normal": 2, "test_anomaly": 4, "seconds": 3.0}


def bench(**settings):
    return BenchDataset(BenchParameters(**{**SMALL, **settings}), Path("nowhere"))


@pytest.fixture(scope="module")
def dataset():
    return bench()


@pytest.fixture(scope="module")
def clips(dataset):
    return dataset.clips()


@pytest.fixture(scope="module")
def anomalies(dataset, clips):
    """(row, stems) of every fault of every machine."""
    rows = clips[clips["label"] == "anomaly"].itertuples()
    return [(row, dataset.stems(row.clip_id)) for row in rows]


def dbfs(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))


def power_in_event(samples, event, rate_hz):
    """Independent of the bench's own measure: density integrated over the band."""
    inside = samples[round(event["onset_s"] * rate_hz) : round(event["offset_s"] * rate_hz)].astype(float)
    n_fft = fft.next_fast_len(inside.size, real=True)
    frequency, density = signal.periodogram(inside, rate_hz, nfft=n_fft, detrend=False)
    band = (frequency >= event["low_hz"]) & (frequency <= event["high_hz"])
    return density[band].sum(), density.sum()


def test_clips_table_fits_the_schema(clips):
    table = pa.Table.from_pandas(clips, schema=CLIPS, preserve_index=False)
    assert table.num_rows == 5 * 7
    assert clips["clip_id"].is_unique
    assert clips["clip_id"].is_monotonic_increasing
    assert set(clips.loc[clips["split"] == "train", "label"]) == {"normal"}
    assert clips.loc[clips["label"] == "normal", "events"].map(len).eq(0).all()
    assert clips.loc[clips["label"] == "anomaly", "events"].map(len).eq(1).all()


def test_anomalies_cycle_over_the_faults_of_their_machine(clips):
    anomalous = clips[clips["label"] == "anomaly"]
    for machine, group in anomalous.groupby("machine"):
        assert sorted(group["anomaly_type"]) == sorted(FAULTS_BY_MACHINE[machine])


def test_every_machine_has_a_model_and_the_plan_uses_all_seven_faults():
    assert set(MACHINES) == set(FAULTS_BY_MACHINE)
    assert len({fault for faults in FAULTS_BY_MACHINE.values() for fault in faults}) == 7


def test_a_clip_is_the_same_whatever_the_counts_order_and_instance(dataset):
    other = bench(train_clips=3, test_normal=5, test_anomaly=9, machines=("valve", "fan"), ids_per_machine=2)
    for clip_id in (
        "fan_id00_test_anomaly_rub_002",
        "fan_id00_train_normal_000",
        "valve_id00_test_normal_001",
    ):
        assert (other.read(clip_id).samples == dataset.read(clip_id).samples).all()


def test_seed_machine_id_and_clip_number_change_the_sound(dataset):
    first = dataset.read("fan_id00_test_normal_000").samples
    other = bench(ids_per_machine=2, seed=1)
    assert not np.allclose(first, other.read("fan_id00_test_normal_000").samples)
    assert not np.allclose(first, dataset.read("fan_id00_test_normal_001").samples)


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_individuals_differ(machine):
    settings = BenchParameters(ids_per_machine=2)
    one, two = (Individual.draw(machine, machine_id, settings) for machine_id in ("id00", "id01"))
    assert repr(one.machine) != repr(two.machine)
    assert repr(one.defects) != repr(two.defects)
    assert not np.allclose(one.path.response, two.path.response)


def test_stems_sum_to_the_clip(dataset, anomalies):
    for row, stems in anomalies:
        audio = dataset.read(row.clip_id)
        assert audio.samples.dtype == stems.normal.dtype == stems.fault.dtype == np.float32
        assert audio.samples.shape == (row.n_samples,)
        assert audio.rate_hz == stems.rate_hz == row.sample_rate_hz
        assert (audio.samples == stems.normal + stems.fault).all()


def test_normal_clips_have_a_silent_fault(dataset):
    assert not dataset.stems("pump_id00_test_normal_000").fault.any()


def test_events_lie_inside_the_clip_and_hold_the_fault(anomalies):
    for row, stems in anomalies:
        event = row.events[0]
        onset, offset = (round(event[edge] * stems.rate_hz) for edge in ("onset_s", "offset_s"))
        assert 0 <= onset < offset <= row.n_samples
        assert 0 <= event["low_hz"] < event["high_hz"] <= stems.rate_hz / 2
        assert not stems.fault[:onset].any()
        assert not stems.fault[offset:].any()
        in_band, total = power_in_event(stems.fault, event, stems.rate_hz)
        assert in_band / total > 0.89  # 90 % by construction, more where the spectrum is lines
        if row.anomaly_type != "missing_stroke":
            assert 0.2 <= event["offset_s"] - event["onset_s"] <= 0.5 * 3.0 + 0.1


def test_bands_are_where_the_physics_puts_them(dataset, anomalies):
    for row, _ in anomalies:
        individual = Individual.draw(row.machine, row.machine_id, dataset.settings)
        low_hz, high_hz = row.events[0]["low_hz"], row.events[0]["high_hz"]
        defects = individual.defects
        if row.anomaly_type == "bearing":
            assert low_hz < defects.bearing.resonance_hz < high_hz
        elif row.anomaly_type == "imbalance":
            assert 0.5 < low_hz / individual.machine.shaft_hz < high_hz / individual.machine.shaft_hz < 3.5
        elif row.anomaly_type == "hum":
            assert low_hz == pytest.approx(2 * defects.mains_hz, rel=0.1)
        elif row.anomaly_type == "air_leak":
            assert low_hz > 2500
        elif row.anomaly_type == "loose_part":
            assert high_hz < 2.0 * defects.knock_hz[1]


@pytest.mark.parametrize("snr_db", [-6.0, 6.0])
def test_snr_is_exact_within_time_and_band(snr_db):
    dataset = bench(snr_db=snr_db)
    for row in dataset.clips().query("label == 'anomaly'").itertuples():
        stems = dataset.stems(row.clip_id)
        powers = [power_in_event(stem, row.events[0], 16_000)[0] for stem in (stems.fault, stems.normal)]
        measured_db = 10 * np.log10(powers[0] / powers[1])
        assert row.snr_db == snr_db
        if row.anomaly_type == "missing_stroke" and snr_db > 0:
            assert -1.5 < measured_db < 0.5  # all of the stroke is gone, and no more
        else:
            assert measured_db == pytest.approx(snr_db, abs=0.05)


def test_a_missing_stroke_is_heard_as_a_gap_and_masked_there():
    dataset = bench(machines=("valve", "slide_rail"), snr_db=20.0, test_anomaly=1)
    for row in dataset.clips().query("label == 'anomaly'").itertuples():
        stems = dataset.stems(row.clip_id)
        event = row.events[0]
        heard = power_in_event(stems.normal + stems.fault, event, 16_000)[0]
        assert heard < 0.1 * power_in_event(stems.normal, event, 16_000)[0]
        parts = (stems.normal, stems.fault, stems.normal + stems.fault)
        frequency, time, _ = signal.spectrogram(stems.normal, 16_000, nperseg=512)
        mask = fault_mask(*(signal.spectrogram(part, 16_000, nperseg=512)[2] for part in parts), 0.5)
        rows = (frequency > event["low_hz"]) & (frequency < event["high_hz"])
        columns = (time > event["onset_s"]) & (time < event["offset_s"] - 0.1)
        assert mask[np.ix_(rows, columns)].mean() > 0.6
        outside = (time < event["onset_s"] - 0.05) | (time > event["offset_s"] + 0.05)
        assert not mask[:, outside].any()


def level_auc(dataset):
    plan = dataset.clips().query("split == 'test'")
    levels = [round(dbfs(dataset.read(clip_id).samples), 4) for clip_id in plan["clip_id"]]
    return roc_auc_score(plan["label"] == "anomaly", levels), levels


def test_level_tells_nothing_when_normalised_and_much_when_natural():
    sizes = {"machines": ("fan", "pump", "gearbox"), "test_normal": 4}
    normalised, levels = level_auc(bench(**sizes))
    assert normalised == pytest.approx(0.5, abs=0.1)
    assert np.allclose(levels, -30.0, atol=1e-3)
    assert level_auc(bench(**sizes, level="natural"))[0] > 0.9


def test_a_list_of_snrs_meets_every_fault_evenly():
    dataset = bench(machines=("fan",), test_anomaly=8, test_normal=4, seconds=2.0, snr_db=(-6, 6))
    test = dataset.clips().query("split == 'test'")
    counts = test.groupby(["anomaly_type", "snr_db"], dropna=False).size()
    assert counts[counts.index.get_level_values(0).notna()].tolist() == [1] * 8
    assert test.query("label == 'normal'")["snr_db"].value_counts().to_dict() == {-6.0: 2, 6.0: 2}


def test_domains_are_dcase_like_and_crossed_with_faults():
    settings = {"machines": ("fan",), "train_clips": 20, "test_anomaly": 8, "seconds": 2.0}
    dataset = bench(**settings, domains=True)
    clips = dataset.clips()
    assert clips.query("split == 'train'")["domain"].value_counts().to_dict() == {"source": 18, "target": 2}
    counts = clips.query("label == 'anomaly'").groupby(["anomaly_type", "domain"]).size()
    assert counts.tolist() == [1] * 8
    blades = Individual.draw("fan", "id00", dataset.settings).machine.blades
    speeds = {}
    for domain, group in clips.query("split == 'train'").groupby("domain"):
        speeds[domain] = [
            blade_pass_hz(dataset.read(clip_id).samples) / blades for clip_id in group["clip_id"]
        ]
    nominal_hz = Individual.draw("fan", "id00", dataset.settings).machine.shaft_hz
    assert np.median(speeds["source"]) == pytest.approx(nominal_hz, rel=0.015)
    assert abs(np.median(speeds["target"]) / nominal_hz - 1) > 0.1
    assert bench(**settings).clips()["domain"].isna().all()


def blade_pass_hz(samples):
    frequency, density = signal.periodogram(samples, 16_000, window="hann")
    inside = (frequency > 150) & (frequency < 700)
    return frequency[inside][np.argmax(density[inside])]


def test_without_room_a_fault_ends_with_its_source():
    dataset = bench(machines=("pump",), room=False)
    event = dataset.clips().query("anomaly_type == 'hum'")["events"].iloc[0][0]
    stems = dataset.stems("pump_id00_test_anomaly_hum_003")
    assert np.flatnonzero(stems.fault)[-1] == pytest.approx(event["offset_s"] * 16_000, abs=60)


@pytest.mark.parametrize("machine", ["slide_rail", "valve"])
def test_the_shortest_clips_still_hold_a_whole_stroke(machine):
    dataset = bench(machines=(machine,), ids_per_machine=8, seconds=2.0, test_anomaly=10, domains=True)
    ids = [clip_id for clip_id in dataset._plan if "missing_stroke" in clip_id]
    assert all(dataset.stems(clip_id).fault.any() for clip_id in ids)


def test_other_rates_and_lengths():
    audio = bench(sample_rate_hz=44_100, seconds=2.5).read("gearbox_id00_test_anomaly_bearing_000")
    assert audio.samples.size == 110_250
    assert np.isfinite(audio.samples).all()


def test_unknown_machine_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'gearbox'"):
        ENTRY.settings({"machines": ["gerbox"]})
    with pytest.raises(ConfigError, match="repeated machine"):
        ENTRY.settings({"machines": ["fan", "fan"]})


def test_unknown_clip_names_the_nearest(dataset):
    with pytest.raises(DataError, match="fan_id00_test_anomaly_rub_002"):
        dataset.read("fan_id00_test_anomaly_rub_2")


@pytest.mark.parametrize(
    "wrong", [{"snr_db": []}, {"seconds": 1.0}, {"level": "loud"}, {"sample_rate_hz": 8000}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        ENTRY.settings(wrong)


def test_render_writes_wav_files_that_still_sum(tmp_path):
    clip_id = "valve_id00_test_anomaly_air_leak_001"
    files = render([clip_id], BenchParameters(**SMALL), tmp_path / "wav")
    mixture, normal, fault = (soundfile.read(file, dtype="float32")[0] for file in files)
    assert [file.name for file in files] == [
        f"{clip_id}_{part}.wav" for part in ("mixture", "normal", "fault")
    ]
    assert (mixture == normal + fault).all()
    assert len(list((tmp_path / "wav").iterdir())) == 3


def test_event_share_bounds_how_long_faults_last():
    short = bench(seconds=5.0, event_share=[0.1, 0.3], machines=["fan", "valve"], test_anomaly=8)
    clips = short.clips()
    added = clips[clips["label"].eq("anomaly") & ~clips["anomaly_type"].eq("missing_stroke")]
    lengths = np.array([events[0]["offset_s"] - events[0]["onset_s"] for events in added["events"]])
    # the room's reverberation outlasts the fault by up to 0.1 s
    assert (lengths >= 0.1 * 5.0 - 0.05).all() and (lengths <= 0.3 * 5.0 + 0.2).all()
    with pytest.raises(ConfigError, match="shortest"):
        bench(event_share=[0.5, 0.2])

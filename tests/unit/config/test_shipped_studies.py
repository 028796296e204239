from __future__ import annotations

import json
from pathlib import Path, PurePath

import pytest
import yaml
from toys.configuration import load, studies_dir
from toys.own_models import REQUIRED

from soundproof.config import Config, load_config
from soundproof.config.load import load_study
from soundproof.config.stages import Stages
from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS, SURVEYED
from soundproof.features.rates import fit_to_rates
from soundproof.storage.provenance import canonical_json

STUDIES = Path(__file__).parents[3] / "config" / "studies"
NAMES = sorted(path.stem for path in STUDIES.glob("*.yaml"))


def folder_for(name: str, root: Path) -> dict[str, object] | None:
    return {"dataset": {"folder": str(root)}} if name.startswith("recordings") else None


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_study_reads_and_its_stages_are_plain_json(name: str, tmp_path: Path) -> None:
    study = load_study(name, STUDIES, folder_for(name, tmp_path))
    stages = Stages(study)
    plain = [
        stages.dataset(),
        stages.features(),
        stages.explain(),
        stages.faithfulness(),
        stages.localisation(),
    ]
    plain += [stages.detector(label) for label in study.detectors]
    plain += [stages.explainer(label) for label in study.explainers]
    assert json.loads(canonical_json(plain)) == plain


def test_the_default_run_names_studies_that_are_there() -> None:
    config, studies = load_config({}, STUDIES)
    assert list(studies) == list(Config().studies) == list(config.studies)


def test_the_studies_on_patches_have_every_detector_on_every_backbone_it_can_stand_on() -> None:
    # the projector, which takes longer, stands with the others on real sound
    studies = [load_study(name, STUDIES) for name in ("p2", "p4", "p4_esc10")]
    standing = {
        (study.detectors[label].kind, name)
        for study in studies
        for label, name in Stages(study).backbones().items()
    }
    # the memory per context asks what a context changes, in a study of its own, and not what a network does
    on_patches = [
        entry
        for name, entry in DETECTORS.items()
        if entry.settings(REQUIRED.get(name, {})).parts() and name != "context_memory"
    ]
    assert len(on_patches) == 8
    for entry in on_patches:
        wanted = {name for name in ("cnn9", "random", "none") if entry.stands_on(name)}
        assert {name for kind, name in standing if kind == entry.name} == wanted
    # all of them are explained, by the same explainers
    for study in studies:
        assert set(Stages(study).backbones()) <= set(study.explained)


@pytest.mark.parametrize("name", ["envmix", "envmix_6db", "envmix_minus6db", "envmix_cnn14"])
def test_envmix_asks_for_p2s_measures_as_p2_defines_them(name: str) -> None:
    study = load_study(name, STUDIES)
    # the event is the noise of the mixing rule, so that its share falls with the SNR
    assert study.faithfulness["soft_removal"].settings.snr == "background_over_event"
    assert "clean_background" in study.faithfulness
    assert study.localisation["aupro"].settings.limit == 0.3
    assert {"pooled_cells", "frame_ranking", "cell_mse"} <= set(study.localisation)
    assert study.localisation["frame_ranking"].settings.reduction == "top5_mean"


@pytest.mark.parametrize("name", ["p2", "envmix", "envmix_cnn14", "envmix_esc10", "mimii", "mimii_cnn14"])
def test_every_corrected_memory_on_a_trained_network_has_both_controls_with_all_else_equal(name: str) -> None:
    study = load_study(name, STUDIES)
    controls = Stages(study).controls()
    checked = 0
    for label, found in controls.items():
        chosen = study.detectors[label]
        corrected = getattr(chosen.settings, "protocol", "corrected") == "corrected"
        if corrected and chosen.kind in ("patchcore", "padim", "band_memory"):
            backbones = [study.detectors[other].settings.backbone.kind for other in found]
            assert backbones == ["random", "none"], label
            checked += 1
    assert checked


def test_the_paper_of_a_study_is_its_key_whatever_its_title_says() -> None:
    read = load_study("p3", STUDIES, {"title": "P1 or another headline"})
    assert Stages(read).paper().startswith("P3, ") and "Paper" in Stages(read).words()
    # those that extend a study ask its question, unless they take it away
    assert Stages(load_study("mimii_0db", STUDIES)).paper().startswith("P2, ")
    assert Stages(load_study("p1", STUDIES, {"paper": None})).paper() == ""
    assert Stages(load_study("tiny", STUDIES)).paper() == ""


def test_planer_is_p1_at_its_own_scale() -> None:
    study = load_study("planer", STUDIES)
    ae, mae = (study.detectors[label].plain() for label in ("ae", "mae"))
    published = {
        "kind": "skip_cae_transformer",
        "epochs": 500,
        "patience": 30,
        "min_delta": 1e-5,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "restart_epochs": 5,
        "min_learning_rate": 1e-5,
        "validation_fraction": 0.1,
    }
    for plain, ratio in ((ae, 0.0), (mae, 0.3)):
        assert published.items() <= plain.items()
        assert (plain["mask_ratio"], plain["mask_patch"]) == (ratio, [4, 4])
    assert study.seeds[0] == 1986
    assert study.detectors["isolation_forest"].plain()["random_state"] == 1986
    explainers = {label: chosen.plain() for label, chosen in study.explainers.items()}
    assert explainers["integrated_gradients"]["steps"] == 50
    assert (explainers["smooth_grad"]["samples"], explainers["smooth_grad"]["sigma"]) == (25, 0.1)
    assert (explainers["gradient_shap"]["samples"], explainers["gradient_shap"]["sigma"]) == (25, 0.09)
    assert study.explain.clips == "annotated" and study.explain.per_machine is None
    assert (study.reported, study.reported_dataset) == ("p1", "planer")
    assert study.parts() == ["all"]


def test_features_of_ready_made_spectrograms_claim_nothing_about_sound() -> None:
    stages = Stages(load_study("planer", STUDIES))
    assert stages.features() == {"recipe": "as_shipped", "frames_multiple": 8, "standardise": "none"}
    for features in ({"n_fft": 512}, {"recipe": "planer"}, {"level": "normalise"}):
        with pytest.raises(ConfigError, match="come ready-made"):
            load_study("planer", STUDIES, {"features": features})
    study = load_study("planer", STUDIES, {"features": {"standardise": "band"}})
    assert study.features.standardise == "band"


def test_recordings_need_nothing_but_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "saw_3"
    folder.mkdir()
    config, studies = load_config({"recordings": str(folder), "studies": ["p1"], "run": "bench"}, STUDIES)
    assert (config.run, config.studies) == ("recordings-saw_3", ("recordings", "recordings_level"))
    plain, level = studies["recordings"], studies["recordings_level"]
    assert plain.dataset.plain()["folder"] == str(folder)
    assert plain.dataset.plain()["machines"] == ["saw_3"]
    assert plain.dataset == level.dataset
    assert (plain.features.level, level.features.level) == ("keep", "normalise")
    assert plain.features.sample_rate_hz is None, "all that the recordings have"
    heard = fit_to_rates(plain.features, [16_000])
    assert (heard.n_mels, heard.frames_per_second) == (64, 40.0)
    assert plain.features.standardise == "band"
    assert plain.explained == ["ae", "mae"]


def test_recordings_may_be_a_label_table_and_keep_a_run_name_and_a_study(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("path,label\n", encoding="utf-8")
    values = {"recordings": str(labels), "studies": ["recordings"], "run": "mine"}
    config, studies = load_config(values, STUDIES)
    assert (config.run, config.studies) == ("mine", ("recordings",))
    plain = studies["recordings"].dataset.plain()
    assert (plain["folder"], plain["labels"]) == (tmp_path.as_posix(), str(labels))


def test_own_overrides_go_over_the_folder_of_recordings(tmp_path: Path) -> None:
    overrides = {"recordings": {"dataset": {"machine": "saw"}, "seeds": [3]}}
    _, studies = load_config({"recordings": str(tmp_path), "overrides": overrides}, STUDIES)
    assert studies["recordings"].dataset.plain()["machine"] == "saw"
    assert studies["recordings"].seeds == (3,)
    assert studies["recordings_level"].dataset.plain()["machine"] == "saw"


def test_one_study_may_be_named_without_a_list() -> None:
    assert load_config({"studies": "p1"}, STUDIES)[0].studies == ("p1",)


def test_paths_in_settings_are_strings(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    _, studies = load(tmp_path, explainers={"mine": {"kind": "external", "path": str(maps)}})
    plain = Stages(studies["toy"]).explainer("mine")
    assert plain == {"kind": "external", "path": str(maps), "resolution": "same"}
    assert not isinstance(plain["path"], PurePath)


def test_titles_and_being_explained_change_no_weights(tmp_path: Path) -> None:
    _, before = load(tmp_path)
    _, after = load(tmp_path, detectors={"ae": {"title": "Other"}, "cae": {"explain": True}})
    assert Stages(before["toy"]).detector("ae") == Stages(after["toy"]).detector("ae")
    assert Stages(before["toy"]).detector("ae")["kind"] == "skip_cae"


def test_segment_f1_follows_the_segments_of_ff_unless_told_otherwise(tmp_path: Path) -> None:
    def length(**overrides: object) -> float:
        _, studies = load(tmp_path, **overrides)
        return float(studies["toy"].localisation["segment_f1"].plain()["segment_s"])

    assert length() == 1.0
    assert length(segment_seconds=0.5) == 0.5
    assert length(segment_seconds=0.5, localisation={"segment_f1": {"segment_s": 2.0}}) == 2.0


def test_a_study_of_machines_has_a_part_for_each(tmp_path: Path) -> None:
    _, studies = load(tmp_path, scope="machine")
    assert studies["toy"].parts() == ["fan", "valve"]


def test_own_seeds_of_a_detector_replace_those_of_the_study(tmp_path: Path) -> None:
    _, studies = load(tmp_path, scope="machine", detectors={"isolation_forest": {"seeds": [5]}})
    study = studies["toy"]
    assert study.fits(["isolation_forest", "ae"]) == [
        (part, *cell) for part in ("fan", "valve") for cell in (("isolation_forest", 5), ("ae", 0), ("ae", 1))
    ]
    assert "seeds" not in Stages(study).detector("isolation_forest")


def test_study_files_are_utf8_yaml_that_any_reader_reads() -> None:
    for name in NAMES:
        assert isinstance(yaml.safe_load((STUDIES / f"{name}.yaml").read_text(encoding="utf-8")), dict)


def test_a_toy_study_reads(tmp_path: Path) -> None:
    study = load_study("toy", studies_dir(tmp_path))
    assert study.faithfulness["deletion"].plain()["kind"] == "deletion"


def test_the_study_of_families_has_members_of_all_of_them_and_rivals() -> None:
    families = Stages(load_study("p4", STUDIES)).families()
    assert set(families.values()) >= {*SURVEYED, "rival"}
    for name, expected in (("p4", {0.1, 1}), ("p4_full", {0, 0.01, 0.1, 1}), ("p4_esc10", {0.1, 1})):
        study = load_study(name, STUDIES)
        expansions = [label for label in study.detectors if label.startswith("expansion")]
        weights = [study.detectors[label].plain()["attention_weight"] for label in expansions]
        assert set(weights) == expected and len(weights) == len(expected)
        assert set(Stages(study).families().values()) >= set(families.values())
    gallery = Stages(load_study("p4", STUDIES)).gallery()
    assert [families[label] for label in gallery] == list(dict.fromkeys(families.values()))
    assert gallery[0] == "vae" and Stages(load_study("p2", STUDIES)).gallery() == []


def test_the_trainings_of_the_pretext_task_differ_in_their_epochs_alone() -> None:
    study = load_study("featex_epochs", STUDIES)
    plain = [study.detectors[label].plain() for label in study.explained]
    assert [settings.pop("epochs") for settings in plain] == [0, 1, 2, 5, 10]
    assert all(settings == plain[0] for settings in plain)
    assert "pretext" in Stages(study).shown() and "pretext" not in Stages(load_study("p3", STUDIES)).shown()

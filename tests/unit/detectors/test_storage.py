import json
import struct

import pytest
import torch
from detector_toys import AUTO_ENCODERS, build, fitted, noise

from soundproof.core.errors import ArtefactError
from soundproof.detectors.storage import load_detector, read_header, save_detector
from soundproof.storage.provenance import Provenance

CPU = torch.device("cpu")
PROVENANCE = Provenance(stage="training", settings={"epochs": 3}, code="c0de", seed=4)


def trained(kind):
    if kind in AUTO_ENCODERS:
        return build(kind, (16, 32))
    return fitted(kind, noise(30, 16, 32))


@pytest.mark.parametrize(
    "kind", [*AUTO_ENCODERS, "one_class_svm", "isolation_forest", "clip_level", "gaussian", "mean_square"]
)
def test_a_loaded_detector_scores_the_same(tmp_path, kind):
    detector = trained(kind)
    path = tmp_path / "model.safetensors"
    save_detector(path, detector, kind, PROVENANCE)
    loaded = load_detector(path, CPU)
    x = noise(4, 16, 32, seed=1)
    assert type(loaded) is type(detector)
    assert not loaded.training
    assert torch.equal(loaded.score(x), detector.freeze().score(x))


def test_equal_content_gives_equal_bytes_frozen_or_not(tmp_path):
    detector = build("skip_cae_transformer", (16, 32))
    paths = [tmp_path / f"{n}.safetensors" for n in range(3)]
    save_detector(paths[0], detector, "skip_cae_transformer", PROVENANCE)
    detector.freeze()  # changes the memory format
    save_detector(paths[1], detector, "skip_cae_transformer", PROVENANCE)
    save_detector(paths[2], load_detector(paths[0], CPU), "skip_cae_transformer", PROVENANCE)
    assert len({path.read_bytes() for path in paths}) == 1


def test_the_header_tells_kind_settings_shape_and_provenance(tmp_path):
    path = tmp_path / "model.safetensors"
    save_detector(path, build("skip_cae", (16, 32), mask_ratio=0.3), "skip_cae", PROVENANCE)
    header = read_header(path)
    assert (header.kind, header.shape) == ("skip_cae", (16, 32))
    assert header.settings["mask_ratio"] == 0.3
    assert header.provenance == PROVENANCE


def test_missing_cut_off_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(ArtefactError, match="no such file"):
        load_detector(path, CPU)
    save_detector(path, build("cae", (16, 32)), "cae", PROVENANCE)
    whole = path.read_bytes()
    for broken in (whole[:-1], whole[:100], b"", b"not a detector at all"):
        path.write_bytes(broken)
        with pytest.raises(ArtefactError, match="delete it and train again"):
            load_detector(path, CPU)
    empty = json.dumps({}).encode()
    path.write_bytes(struct.pack("<Q", len(empty)) + empty)
    with pytest.raises(ArtefactError, match="not a whole detector file"):
        load_detector(path, CPU)


def test_weights_that_do_not_fit_the_kind_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_detector(path, build("cae", (16, 32)), "skip_cae", PROVENANCE)
    with pytest.raises(ArtefactError, match="another version"):
        load_detector(path, CPU)


def test_weights_that_are_not_finite_are_not_stored(tmp_path):
    detector = build("cae", (16, 32))
    with torch.no_grad():
        detector.head[1].bias.fill_(torch.nan)
    with pytest.raises(ArtefactError, match=r"head\.1\.bias"):
        save_detector(tmp_path / "model.safetensors", detector, "cae", PROVENANCE)
    assert not list(tmp_path.iterdir())

"""The manifest that tells a run what was fetched."""

import json

from workflow_scripts import download_dataset as script


class Fetched:
    """A data set whose files are an archive and the folder it was unpacked to."""

    def __init__(self, folder):
        (folder / "clips/a").mkdir(parents=True)
        (folder / "clips/a/1.npy").write_bytes(b"12345")
        (folder / "clips/2.npy").write_bytes(b"678")
        (folder / "clips.zip").write_bytes(b"zip!")
        self.files = [folder / "clips.zip", folder / "clips"]

    def fetch(self):
        return self.files


def test_archives_and_unpacked_folders_are_described(tmp_path, monkeypatch):
    fetched = Fetched(tmp_path / "data")
    monkeypatch.setattr(script, "open_dataset", lambda choice, folder: fetched)
    manifest = tmp_path / "data/any/manifest.json"
    script.download_dataset({"kind": "any"}, tmp_path / "data", manifest)
    assert json.loads(manifest.read_text()) == [
        {"name": "clips.zip", "files": 1, "bytes": 4},
        {"name": "clips", "files": 2, "bytes": 8},
    ]


def test_a_synthesised_data_set_fetches_nothing(tmp_path):
    manifest = tmp_path / "manifest.json"
    script.download_dataset({"kind": "bench"}, tmp_path, manifest)
    assert json.loads(manifest.read_text()) == []

"""A download that fails says so without the passwords it was made with."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundproof.downloads.download import Policy, fetch
from soundproof.downloads.remote_file import RemoteFile
from soundproof.runs.job import job

PLANTED = "planted-secret-77ab"


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://archive.example/data.zip", f"http://me:{PLANTED}@127.0.0.1:9"),
        (f"http://me:{PLANTED}@127.0.0.1:9/data.zip", ""),
        (f"http://127.0.0.1:9/data.zip?X-Amz-Signature={PLANTED}", ""),
    ],
    ids=["proxy", "user", "signature"],
)
def test_a_failed_download_shows_no_secret(
    url: str, proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if proxy:
        monkeypatch.setenv("http_proxy", proxy)
    remote = RemoteFile("data.zip", (url,), n_bytes=10, md5="0" * 32)
    with pytest.raises(SystemExit), job("download_dataset", tmp_path / "logs" / "job.log"):
        fetch(remote, tmp_path / "data", Policy(attempts=1))
    shown = capsys.readouterr().err
    assert "download_dataset failed" in shown and "data.zip" in shown
    assert PLANTED not in shown
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or PLANTED.encode() not in path.read_bytes()

from __future__ import annotations

import datetime
import email.utils
import hashlib
import json
import random
import shutil
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from toys.http_proxy import tunnel
from toys.http_server import (
    FileServer,
    chunked,
    ignore_range,
    lie_about_range,
    redirect,
    refuse,
    running,
    send,
    stall,
    truncate,
    with_headers,
    without_length,
)

from soundproof.core.errors import DataError, DownloadError
from soundproof.downloads.download import Policy, fetch
from soundproof.downloads.remote_file import RemoteFile
from soundproof.downloads.request import Timeouts

BODY = random.Random(7).randbytes(100_000)


@dataclass
class Naps:
    """Stands in for the clock: remembers the waits and takes none."""

    taken: list[float] = field(default_factory=list)

    def policy(self, attempts: int = 4) -> Policy:
        return Policy(
            attempts=attempts,
            backoff_s=2.0,
            longest_wait_s=120.0,
            timeouts=Timeouts(connect_s=5.0, stall_s=0.3),
            sleep=self.taken.append,
            jitter=lambda: 0.5,
        )


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def remote(site: FileServer) -> RemoteFile:
    site.files["a.zip"] = BODY
    return RemoteFile(
        name="a.zip",
        urls=(site.url("a.zip"),),
        n_bytes=len(BODY),
        md5=hashlib.md5(BODY).hexdigest(),
        sha256=hashlib.sha256(BODY).hexdigest(),
    )


def with_urls(remote: RemoteFile, *urls: str) -> RemoteFile:
    return RemoteFile(remote.name, urls, remote.n_bytes, remote.md5, remote.sha256)


def test_a_valid_file_is_fetched_once(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    for _ in range(2):
        assert fetch(remote, tmp_path / "new", naps.policy()).read_bytes() == BODY
    assert site.ranges() == [None]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [".a.zip.verified.json", "a.zip"]


def test_a_truncated_transfer_is_resumed(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.faults["a.zip"] = [truncate(40_000), truncate(25_000)]
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == [None, "bytes=40000-", "bytes=65000-"]


def test_a_stalled_transfer_is_resumed(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.faults["a.zip"] = [stall(30_000)]
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == [None, "bytes=30000-"]


def test_the_part_of_an_earlier_run_is_continued(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    (tmp_path / "a.zip.part").write_bytes(BODY[:70_000])
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == ["bytes=70000-"]


def test_a_complete_part_needs_no_request(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    (tmp_path / "a.zip.part").write_bytes(BODY)
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == []


def test_a_part_longer_than_the_file_is_dropped(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    (tmp_path / "a.zip.part").write_bytes(BODY + b"more")
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == [None]


def test_a_foreign_part_costs_one_fresh_start(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    (tmp_path / "a.zip.part").write_bytes(b"x" * 50_000)
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == ["bytes=50000-", None]


def test_a_server_that_ignores_ranges_starts_from_zero(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.faults["a.zip"] = [truncate(40_000), ignore_range]
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == [None, "bytes=40000-"]


@pytest.mark.parametrize(
    "content_range",
    [
        f"bytes 0-{len(BODY) - 1}/{len(BODY)}",
        f"bytes 40000-{len(BODY) - 1}/999999",
        "bytes 40000-99999/*",
        "nonsense",
    ],
)
def test_a_lying_content_range_starts_from_zero(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path, content_range: str
) -> None:
    site.faults["a.zip"] = [truncate(40_000), lie_about_range(content_range)]
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == [None, "bytes=40000-", None]


def test_redirects_are_followed_with_the_range(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.files["moved"] = b""
    site.faults["moved"] = [redirect("/a.zip"), redirect("/a.zip")]
    site.faults["a.zip"] = [truncate(10_000)]
    assert fetch(with_urls(remote, site.url("moved")), tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == [None, None, "bytes=10000-", "bytes=10000-"]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_honoured(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path, status: int
) -> None:
    site.faults["a.zip"] = [refuse(status, {"Retry-After": "7"})]
    fetch(remote, tmp_path, naps.policy())
    assert naps.taken == [7 + 0.5 * 2.0]


def test_retry_after_as_a_date_is_honoured(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    later = email.utils.formatdate(time.time() + 60, usegmt=True)
    site.faults["a.zip"] = [refuse(429, {"Retry-After": later})]
    fetch(remote, tmp_path, naps.policy())
    assert naps.taken == [pytest.approx(61, abs=3)]


def test_back_off_doubles_and_new_bytes_reset_it(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.faults["a.zip"] = [refuse(500), refuse(502), refuse(504), truncate(10), refuse(503)]
    fetch(remote, tmp_path, naps.policy(attempts=4))
    assert naps.taken == [1.0, 2.0, 4.0, 1.0, 2.0]


def test_too_long_a_wait_turns_to_the_mirror(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.files["mirror"] = BODY
    site.faults["a.zip"] = [refuse(429, {"Retry-After": "86400"})]
    fetch(with_urls(remote, site.url("a.zip"), site.url("mirror")), tmp_path, naps.policy())
    assert [request.path for request in site.requests] == ["a.zip", "mirror"]
    assert naps.taken == []


def test_mirrors_are_tried_in_order(site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path) -> None:
    urls = (site.url("gone"), site.url("a.zip"), site.url("never"))
    assert fetch(with_urls(remote, *urls), tmp_path, naps.policy()).read_bytes() == BODY
    assert [request.path for request in site.requests] == ["gone", "a.zip"]


def test_a_dead_line_names_the_file_and_where_to_put_it(
    remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/a.zip"
        with pytest.raises(DownloadError) as caught:
            fetch(with_urls(remote, dead), tmp_path, naps.policy(attempts=3))
    assert naps.taken == [1.0, 2.0]
    for part in (dead, str(tmp_path / "a.zip"), str(len(BODY)), str(remote.md5), str(remote.sha256)):
        assert part in caught.value.remedy


def test_offline_asks_nobody(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "1")
    with pytest.raises(DownloadError, match="switched off"):
        fetch(remote, tmp_path, naps.policy())
    (tmp_path / "a.zip").write_bytes(BODY)
    assert fetch(remote, tmp_path, naps.policy()) == tmp_path / "a.zip"
    assert site.requests == []


def test_a_wrong_body_of_the_right_size_is_named_and_removed(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    wrong = bytes(len(BODY))
    site.faults["a.zip"] = [send(wrong)]
    with pytest.raises(DownloadError) as caught:
        fetch(remote, tmp_path, naps.policy())
    assert str(remote.md5) in caught.value.found
    assert hashlib.md5(wrong).hexdigest() in caught.value.found
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_body_of_another_size_is_refused_before_it_is_read(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.faults["a.zip"] = [send(BODY * 2)]
    with pytest.raises(DownloadError, match=f"{2 * len(BODY)} bytes instead of {len(BODY)}"):
        fetch(remote, tmp_path, naps.policy())
    assert list(tmp_path.iterdir()) == []


def test_a_body_longer_than_promised_is_cut_off(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.files["a.zip"] = BODY + b"more"
    site.faults["a.zip"] = [without_length]
    with pytest.raises(DownloadError, match="more than the 100000 bytes"):
        fetch(remote, tmp_path, naps.policy())


def test_a_failed_replacement_leaves_the_old_file(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    (tmp_path / "a.zip").write_bytes(b"an older version")
    site.faults["a.zip"] = [send(bytes(len(BODY)))]
    with pytest.raises(DownloadError):
        fetch(remote, tmp_path, naps.policy())
    assert (tmp_path / "a.zip").read_bytes() == b"an older version"
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY


def test_a_full_disk_is_noticed_before_the_first_request(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=len(BODY) - 1))
    with pytest.raises(DownloadError, match="free"):
        fetch(remote, tmp_path, naps.policy())
    assert site.requests == []


def test_a_file_without_checksum_is_pinned_by_its_first_download(
    site: FileServer, naps: Naps, tmp_path: Path
) -> None:
    site.files["labels.csv"] = b"first"
    remote = RemoteFile("labels.csv", (site.url("labels.csv"),))
    path = fetch(remote, tmp_path, naps.policy())
    pin = json.loads((tmp_path / "labels.csv.pin.json").read_text())
    assert (pin["n_bytes"], pin["sha256"]) == (5, hashlib.sha256(b"first").hexdigest())
    path.unlink()
    site.files["labels.csv"] = b"other"
    with pytest.raises(DownloadError, match=pin["sha256"]):
        fetch(remote, tmp_path, naps.policy())
    (tmp_path / "labels.csv.pin.json").write_text("{}")
    with pytest.raises(DataError, match="pin"):
        fetch(remote, tmp_path, naps.policy())


def test_a_file_of_unknown_size_is_resumed_within_a_run(site: FileServer, naps: Naps, tmp_path: Path) -> None:
    site.files["labels.csv"] = BODY
    site.faults["labels.csv"] = [truncate(400)]
    (tmp_path / "labels.csv.part").write_bytes(b"of unknown origin")
    assert (
        fetch(RemoteFile("labels.csv", (site.url("labels.csv"),)), tmp_path, naps.policy()).read_bytes()
        == BODY
    )
    assert site.ranges() == [None, "bytes=400-"]


def test_a_part_past_the_end_of_a_file_of_unknown_size_is_fetched_anew(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    (tmp_path / "a.zip.part").write_bytes(BODY + b"more")
    unsized = RemoteFile("a.zip", remote.urls, sha256=remote.sha256)
    assert fetch(unsized, tmp_path, naps.policy()).read_bytes() == BODY
    assert site.ranges() == [f"bytes={len(BODY) + 4}-", None]


@pytest.mark.parametrize("name", ["../a.zip", "/a.zip", "", "b/a.zip"])
def test_a_remote_file_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        RemoteFile(name, ("http://127.0.0.1/a.zip",))


def test_a_refusal_that_names_its_reset_is_waited_for(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.faults["a.zip"] = [refuse(429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "11"})]
    fetch(remote, tmp_path, naps.policy())
    # the host's rest before the second request has begun with the refusal
    assert naps.taken[0] == 11 + 0.5 * 2.0


def test_a_used_up_quota_is_respected_before_it_is_refused(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.files["b.zip"] = BODY
    site.faults["a.zip"] = [with_headers({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "40"})]
    fetch(remote, tmp_path, naps.policy())
    assert naps.taken == []
    fetch(with_urls(remote, site.url("b.zip")), tmp_path / "other", naps.policy())
    assert naps.taken == [pytest.approx(40, abs=2)]


def test_chunks_of_unannounced_number_make_the_file(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path
) -> None:
    site.faults["a.zip"] = [chunked]
    assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY


@pytest.mark.parametrize("name", ["-6_dB_fan.zip", "Cnn14_mAP=0.431.pth", "a b.zip"])
def test_names_that_trouble_shells_and_addresses(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path, name: str
) -> None:
    site.files[name] = BODY
    odd = RemoteFile(name, (site.url(quote(name)),), remote.n_bytes, remote.md5)
    assert fetch(odd, tmp_path, naps.policy()) == tmp_path / name


def test_the_proxy_of_the_environment_is_asked(
    site: FileServer, remote: RemoteFile, naps: Naps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{site.port}")
    # a host that does not exist: only a proxy can have answered
    far = "http://archive.invalid/a.zip"
    assert fetch(with_urls(remote, far), tmp_path, naps.policy()).read_bytes() == BODY
    assert [request.target for request in site.requests] == [far]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for ``localhost`` that nobody else knows, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_over_tls_certificates_are_checked_and_transfers_resumed(
    certificate: tuple[Path, Path], naps: Naps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    with running({"a.zip": BODY}, certificate) as site:
        remote = RemoteFile("a.zip", (site.url("a.zip"),), len(BODY), hashlib.md5(BODY).hexdigest())
        with pytest.raises(DownloadError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(remote, tmp_path, naps.policy())
        assert naps.taken == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
        site.faults["a.zip"] = [truncate(40_000)]
        assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
        assert site.ranges() == [None, "bytes=40000-"]


def test_tls_through_the_proxy_of_the_environment(
    certificate: tuple[Path, Path], naps: Naps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with running({"a.zip": BODY}, certificate) as site, tunnel() as (address, asked):
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, address)
        remote = RemoteFile("a.zip", (site.url("a.zip"),), len(BODY), hashlib.md5(BODY).hexdigest())
        assert fetch(remote, tmp_path, naps.policy()).read_bytes() == BODY
        assert asked == [f"CONNECT localhost:{site.port}"]

"""Results travel with DVC: what is pulled needs no run, and a change after that reruns its stages only."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from checkout import NOTHING, SOURCES, STUDY, Checkout, per_rule
from test_verification import verify

# one repository serves all of these tests
# what differs from run to run, and on which nothing depends
LEFT_OUT = re.compile(r"bench/(logs|benchmarks|checkpoints)/")
# a client and a server of the S3 protocol; not in the project's own environment, which only a user of S3 extends
S3_PACKAGES = ("dvc==3.67.1", "dvc-s3==3.3.0", "moto[server]==5.2.5")


@pytest.fixture(scope="module")
def recorded(finished, tmp_path_factory) -> Checkout:
    """A repository whose results DVC has taken over and committed."""
    checkout = finished.copy_to(tmp_path_factory.mktemp("recorded") / "checkout")
    # the plots show the studies of the default run, which is the tiny one here
    text = (checkout.path / "dvc.yaml").read_text()
    (checkout.path / "dvc.yaml").write_text(text.replace("results/bench/p1/", f"{STUDY}/"))
    checkout.command("git", "init", "-q")
    # all but the link to the environment
    checkout.command("git", "add", "--", *(name for name in SOURCES if (checkout.path / name).exists()))
    checkout.command("git", "commit", "-q", "-m", "sources")
    # the results are there already: DVC's stage finds nothing to run and takes them over
    assert NOTHING in checkout.command("dvc", "repro").stdout
    checkout.command("git", "add", "dvc.lock")
    checkout.command("git", "commit", "-q", "-m", "results")
    return checkout


def clone_of(checkout: Checkout, folder: Path) -> Checkout:
    clone = Checkout(folder)
    checkout.command("git", "clone", "-q", str(checkout.path), str(folder))
    (folder / ".venv").symlink_to((checkout.path / ".venv").readlink())
    return clone


def results(checkout: Checkout) -> dict[str, str]:
    return {
        name: found for name, found in checkout.digests(Path("results")).items() if not LEFT_OUT.match(name)
    }


@pytest.fixture
def pulled(recorded, tmp_path) -> Checkout:
    """A fresh clone with the results from a folder."""
    storage = str(tmp_path / "storage")
    recorded.command("dvc", "remote", "add", "-q", "-f", "--local", "-d", "storage", storage)
    recorded.command("dvc", "push", "-q")
    clone = clone_of(recorded, tmp_path / "clone")
    clone.command("dvc", "remote", "add", "-q", "--local", "-d", "storage", storage)
    clone.command("dvc", "pull", "-q")
    return clone


@pytest.mark.slow
def test_pulled_results_are_whole_and_need_no_run(recorded, pulled):
    # nothing that a run makes stays behind, and the cache is never linked to
    assert results(pulled) == results(recorded)
    for suffix in (".parquet", ".csv", ".tex", ".pdf", ".png", ".html", ".safetensors"):
        assert any(name.endswith(suffix) for name in results(pulled)), suffix
    assert pulled.command("dvc", "config", "cache.type").stdout.strip() == "reflink,copy"
    assert not any(path.is_symlink() for path in (pulled.path / "results").rglob("*"))
    assert all(path.stat().st_nlink == 1 for path in (pulled.path / "results").rglob("*") if path.is_file())

    assert NOTHING in pulled.dry_run()
    assert "up to date" in pulled.command("dvc", "status").stdout
    assert verify(pulled)[0] == 0

    metrics = json.loads(pulled.command("dvc", "metrics", "show", "--json").stdout)
    shown = metrics[""]["data"]["results/bench/metrics.json"]["data"]
    assert shown == json.loads((recorded.path / "results/bench/metrics.json").read_text())
    assert 0 <= shown["tiny"]["detection"]["ae"] <= 1


@pytest.mark.slow
def test_headline_plots_are_shown_without_the_network(pulled):
    figure = f"{STUDY}/figures/roc_curves.png"
    pulled.command("dvc", "plots", "show", figure, "-o", "page")
    page = (pulled.path / "page/index.html").read_text()
    # pictures of the run itself: no script, nothing from elsewhere
    assert "<script" not in page and "http" not in page
    picture = pulled.path / "page" / re.search(r'<img src="([^"]+)"', page)[1]
    assert picture.read_bytes() == (pulled.path / figure).read_bytes()

    pulled.command("dvc", "plots", "show", "-o", "all")
    everything = (pulled.path / "all/index.html").read_text()
    for title in ("Detection AUC", "quality_overview.png"):
        assert title in everything
    # the numbers of the table are in the page
    auc = json.loads((pulled.path / "results/bench/metrics.json").read_text())["tiny"]["detection"]["ae"]
    assert f"{auc:.3f}".rstrip("0") in everything


@pytest.mark.slow
def test_an_edit_after_a_pull_reruns_its_stages_and_is_seen_by_verify(pulled):
    pulled.replace("config/studies/tiny.yaml", "epochs: 2", "epochs: 3")
    counts = per_rule(pulled.planned())
    assert counts["train_detector"] == 1 and counts["score_clips"] == 1
    assert "extract_features" not in counts and "list_clips" not in counts
    assert "config/studies" in pulled.command("dvc", "status").stdout
    code, said = verify(pulled)
    assert code != 0
    assert "detector.epochs: 2 in the file, 3 in the configuration" in said


@dataclass(frozen=True)
class Bucket:
    tools: Path
    url: str
    endpoint: str

    def dvc(self, checkout: Checkout, *words: str) -> None:
        secrets = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        done = subprocess.run(
            [self.tools / "dvc", *words],
            cwd=checkout.path,
            env={**checkout.environment(), **secrets},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def bucket(tmp_path) -> Iterator[Bucket]:
    """An empty bucket of an S3 server on loopback, with the client that speaks to it."""
    uv = Path(sys.prefix, "bin", "uv")
    python = tmp_path / "tools/bin/python"
    for words in (
        ["venv", "--python", sys.executable, tmp_path / "tools"],
        ["pip", "install", "--python", python, *S3_PACKAGES],
    ):
        done = subprocess.run([uv, "--quiet", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no S3 server to be had here: {done.stderr[-300:]}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [python.parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        make = (
            "import boto3; boto3.client('s3', endpoint_url=%r, aws_access_key_id='test', "
            "aws_secret_access_key='test', region_name='us-east-1').create_bucket(Bucket='results')"
        )
        _wait_for(port)
        subprocess.run([python, "-c", make % endpoint], check=True)
        yield Bucket(python.parent, "s3://results/soundproof", endpoint)
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the S3 server did not start"
            time.sleep(0.1)
        else:
            return


@pytest.mark.slow
def test_results_travel_through_an_object_store(recorded, bucket, tmp_path):
    clone = clone_of(recorded, tmp_path / "clone")
    for checkout in (recorded, clone):
        bucket.dvc(checkout, "remote", "add", "-q", "-f", "--local", "s3", bucket.url)
        bucket.dvc(checkout, "remote", "modify", "--local", "s3", "endpointurl", bucket.endpoint)
    bucket.dvc(recorded, "push", "-q", "-r", "s3")
    bucket.dvc(clone, "pull", "-q", "-r", "s3")
    assert results(clone) == results(recorded)
    assert NOTHING in clone.dry_run()
    # the key that opens the bucket stays in the environment
    assert not os.environ.get("AWS_SECRET_ACCESS_KEY")
    assert "secret" not in (clone.path / ".dvc/config.local").read_text().lower()

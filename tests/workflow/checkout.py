"""A checkout of the repository, and what tests ask of it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from warm import warm

# what a run needs; the rest of the repository is about it
SOURCES = (
    *(".dvc", ".dvcignore", ".gitignore", "dvc.yaml", "run", "Snakefile", "config", "envs", "profiles"),
    *("requirements", "rules", "scripts", "soundproof", "tests/artefacts", "workflow_scripts"),
)
DEFAULT_STUDIES = "studies: [p1, p1_domains, p2, p3, p4]"
NOTHING = "Nothing to be done"
STUDY = Path("results/bench/tiny")
TINY = "studies: [tiny]"
PLANTED = "planted-secret-5f2c"
_JOB = re.compile(r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", re.MULTILINE)
_OUTPUT = re.compile(r"^    output: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """A job that a dry run announces."""

    rule: str
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Checkout:
    path: Path

    @classmethod
    def of(cls, repository: Path, files: Iterable[str], folder: Path) -> Checkout:
        for name in files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, target)
        # the environment is the tests' own: ./run finds its stamp and leaves it alone
        (folder / ".venv").symlink_to(sys.prefix)
        return cls(folder)

    def copy_to(self, folder: Path) -> Checkout:
        # cp keeps time stamps to the nanosecond, and the link to the environment a link
        subprocess.run(["cp", "-a", self.path, folder], check=True)
        return Checkout(folder)

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.path / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new))

    def study(self) -> dict[str, Any]:
        """Settings of the tiny study."""
        return dict(yaml.safe_load((self.path / "config/studies/tiny.yaml").read_text()))

    def set_study(self, **changes: object) -> None:
        """Change top-level keys of the tiny study."""
        path = self.path / "config/studies/tiny.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}, sort_keys=False))

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
            # the checkout's package, not the one that the environment has installed
            "PYTHONPATH": str(self.path),
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "GIT_AUTHOR_NAME": "t",
            "GIT_AUTHOR_EMAIL": "t@example.org",
            "GIT_COMMITTER_NAME": "t",
            "GIT_COMMITTER_EMAIL": "t@example.org",
            # secrets that no file may hold afterwards
            "https_proxy": f"http://me:{PLANTED}@127.0.0.1:9",
            "ARCHIVE_TOKEN": PLANTED,
            "no_proxy": "127.0.0.1,localhost",
        }

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        if words[0] == "snakemake":
            done = warm().run(words, self.path, self.environment())
        else:
            done = subprocess.run(
                words,
                cwd=self.path,
                env=self.environment(),
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        assert not check or done.returncode == 0, done.stdout[-6000:]
        return done

    def snakemake(self, *options: str, check: bool = True) -> str:
        return self.command("snakemake", *options, check=check).stdout

    def dry_run(self, *options: str) -> str:
        return self.snakemake("--dry-run", *options)

    def planned(self, *options: str) -> list[Job]:
        """Jobs of a dry run that make something."""
        jobs = []
        for rule, body in _JOB.findall(self.dry_run(*options)):
            output = _OUTPUT.search(body)
            if output:
                jobs.append(Job(rule, tuple(output[1].split(", "))))
        return jobs

    def digests(self, folder: Path = STUDY) -> dict[str, str]:
        """Digest of each file below ``folder`` by its path there."""
        root = self.path / folder
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not path.name.startswith(".snakemake")
        }

    def digests_of_run(self, run: Path = STUDY.parent) -> dict[str, str]:
        """As :meth:`digests`, of a whole run without what tells of its course."""
        course = ("logs/", "benchmarks/")
        return {name: found for name, found in self.digests(run).items() if not name.startswith(course)}


def per_rule(jobs: Iterable[Job]) -> dict[str, int]:
    return dict(Counter(job.rule for job in jobs))


def timed(name: str) -> bool:
    """Whether a file of a study holds seconds, which no two runs share."""
    return bool(
        re.fullmatch(
            r"(\w+/)?(timings/.*|index\.html|(tables|figures)/(cost|quality|quality_overview)\..*)", name
        )
    )


def differing(ours: dict[str, str], undisturbed: dict[str, str]) -> list[str]:
    """Files that only one of two runs has, or that differ though they hold no seconds."""
    names = sorted({*ours, *undisturbed})
    return [
        name
        for name in names
        if (name not in ours or name not in undisturbed)
        or (ours[name] != undisturbed[name] and not timed(name))
    ]

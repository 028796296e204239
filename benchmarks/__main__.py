"""Run benchmarks: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.attribution import attribution
from benchmarks.backbones import backbones
from benchmarks.bands import bands
from benchmarks.coreset import coreset
from benchmarks.download import download
from benchmarks.faithfulness import faithfulness
from benchmarks.features import features
from benchmarks.fit import fit
from benchmarks.job_start import job_start
from benchmarks.memory import memory
from benchmarks.precision import precision
from benchmarks.ranking import ranking
from benchmarks.rows import Row
from benchmarks.setting import Setting
from benchmarks.stored import stored
from benchmarks.table import table, write_into
from benchmarks.training import masking, training
from soundproof.training.determinism import set_determinism

BENCHMARKS: dict[str, Callable[[Setting], list[Row]]] = {
    "attribution": attribution,
    "faithfulness": faithfulness,
    "bands": bands,
    "masking": masking,
    "training": training,
    "precision": precision,
    "backbones": backbones,
    "features": features,
    "stored": stored,
    "memory": memory,
    "coreset": coreset,
    "fit": fit,
    "ranking": ranking,
    "download": download,
    "job-start": job_start,
}


def _shape(text: str) -> tuple[int, int]:
    n_freq, n_frames = text.split("x")
    return int(n_freq), int(n_frames)


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), metavar="NAME")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--repeats", type=int, default=5, help="timed rounds; medians are reported")
    parser.add_argument("--clips", type=int, default=4, help="clips per measurement")
    parser.add_argument("--fit-clips", type=int, default=112, help="clips of a fit on patches; 896: MIMII's")
    parser.add_argument("--shape", type=_shape, default=(80, 400), help="bands x frames, as 80x400")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; jobs of the pipeline have one")
    parser.add_argument("--output", type=Path, help="Markdown page whose table of this device is replaced")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    """Run the chosen benchmarks and show what they found."""
    chosen = _arguments(words)
    set_determinism(chosen.threads)
    setting = Setting(
        device=torch.device(chosen.device),
        shape=chosen.shape,
        clips=chosen.clips,
        repeats=chosen.repeats,
        fit_clips=chosen.fit_clips,
    )
    rows: list[Row] = []
    for name in chosen.only:
        sys.stderr.write(f"{name} ...\n")
        rows += BENCHMARKS[name](setting)
        if chosen.output is not None:
            # after each, for a later one may be interrupted
            write_into(chosen.output, chosen.device, f"{_where(chosen)}\n\n{table(rows, 'github')}")
    sys.stdout.write(f"{_where(chosen)}\n\n{table(rows, 'simple')}\n")


def _where(chosen: argparse.Namespace) -> str:
    processor = platform.machine()
    device = torch.cuda.get_device_name() if chosen.device == "cuda" else f"CPU ({processor})"
    n_freq, n_frames = chosen.shape
    return (
        f"{device}, {chosen.threads} thread(s), torch {torch.__version__}; maps of {n_freq} x {n_frames}, "
        f"{chosen.clips} clips, medians of {chosen.repeats} rounds."
    )


if __name__ == "__main__":
    main()

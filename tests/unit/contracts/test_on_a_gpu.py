"""What holds for every entry on an NVIDIA GPU: deterministic kernels exist, bits repeat, and numbers are the CPU's.

``./run pytest -m gpu`` on a machine that has one; elsewhere there is nothing to run.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from contract_toys import ASKED, IDS, SMALL, ToyClips, clips, fitted, offered, quick_settings
from test_every_explainer import PAIRS, detector_for, explain_on
from test_every_faithfulness_metric import measured_on
from torch import Tensor
from torch.testing import assert_close

from soundproof.attribution.registry import EXPLAINERS
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.interfaces.detector import Detector, TrainingRun
from soundproof.training.determinism import set_determinism

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"),
]
Required = dict[str, dict[str, Any]]
CUDA = torch.device("cuda")
RTOL = 1e-3
"""Of float32 sums in another order, through networks of random weights."""


@pytest.fixture(autouse=True)
def settings_of_jobs(kernels_as_in_jobs: None) -> None:
    """All that jobs set."""
    set_determinism(1)


def scored(detector: Detector, x: Tensor) -> Tensor:
    with torch.no_grad():
        return detector.score(x).cpu()


def moved(kind: str) -> Detector:
    """What was fitted on the CPU, on the GPU."""
    return copy.deepcopy(fitted(kind, SMALL)).freeze().to(CUDA)


@pytest.mark.parametrize("kind", ASKED)
def test_a_fit_repeats_its_bits(kind: str) -> None:
    x, found = clips(4, SMALL, seed=1).to(CUDA), []
    for _ in range(2):
        entry = DETECTORS[kind]
        detector: Detector = entry.load()(SMALL, entry.settings(quick_settings(kind)))
        detector.fit(ToyClips(SMALL), TrainingRun(seed=3, device=CUDA))
        found.append(scored(detector.freeze().to(CUDA), x))
    assert found[0].isfinite().all()
    assert torch.equal(*found)


@pytest.mark.parametrize("kind", ASKED)
def test_scores_and_own_maps_are_those_of_the_cpu(kind: str) -> None:
    x = clips(4, SMALL, seed=1)
    here, there = fitted(kind, SMALL), moved(kind)
    assert_close(scored(there, x.to(CUDA)), scored(here, x), rtol=RTOL, atol=1e-5)
    with torch.no_grad():
        own = here.anomaly_map(x)
        if own is not None:
            of_gpu = there.anomaly_map(x.to(CUDA))
            assert of_gpu is not None
            assert_close(of_gpu.cpu(), own, rtol=RTOL, atol=RTOL * float(own.abs().max()))


@pytest.mark.parametrize("kind", [kind for kind in ASKED if "gradients" in offered(kind)])
def test_gradients_are_those_of_the_cpu(kind: str) -> None:
    found = []
    for detector, device in ((fitted(kind, SMALL), "cpu"), (moved(kind), "cuda")):
        leaf = clips(4, SMALL, seed=1).to(device).requires_grad_()
        found.append(torch.autograd.grad(detector.score(leaf).sum(), leaf)[0].cpu())
    apart = float((found[1] - found[0]).norm() / found[0].norm())
    assert apart < 0.01


@pytest.mark.parametrize(("kind", "detector"), PAIRS)
def test_every_explainer_runs_on_every_detector_it_fits(kind: str, detector: str, required: Required) -> None:
    x = clips(len(IDS), SMALL, seed=1).to(CUDA)[:2]
    relevance = explain_on(moved(detector), kind, x, IDS[:2], required).relevance.cpu()
    assert relevance.shape == (2, *SMALL)
    assert relevance.isfinite().all()


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_maps_repeat_their_bits(kind: str, required: Required) -> None:
    detector, x = moved(detector_for(kind)), clips(len(IDS), SMALL, seed=1).to(CUDA)
    first, second = (explain_on(detector, kind, x, IDS, required).relevance for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", FAITHFULNESS)
def test_every_faithfulness_metric_measures_what_it_measures_on_the_cpu(name: str) -> None:
    keys = ["metric", "protocol", "parameter", "explainer", "clip_id"]
    of_gpu = measured_on(name, "cuda").set_index(keys)["value"]
    of_cpu = measured_on(name, "cpu").set_index(keys)["value"]
    assert of_gpu.index.equals(of_cpu.index)
    # a rank or a draw may fall to the other side of a tie
    close = (of_gpu - of_cpu).abs() <= 1e-3 * of_cpu.abs().clip(lower=1)
    assert close.mean() > 0.98

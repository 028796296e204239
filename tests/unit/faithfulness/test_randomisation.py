from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from torch import Tensor, nn
from toy_detectors import Constant, Toy, context

from soundproof.attribution.re_explanation import input_factor_of
from soundproof.core.errors import ConfigError
from soundproof.faithfulness.randomisation import randomisation
from soundproof.faithfulness.registry import FAITHFULNESS

SHAPE = (6, 20)


class Net(Toy):
    def __init__(self) -> None:
        super().__init__(SHAPE)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.layers = nn.Sequential(nn.Linear(120, 32), nn.Tanh(), nn.Linear(32, 1))

    def score(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))[:, 0]


def explain(name: str, detector: Toy, x: Tensor, clip_ids: Sequence[str]) -> Tensor | None:
    if name == "from_outside":
        return None
    if name == "ignores_model":
        return x.clone()
    if name == "turns_sign":
        return -x
    if name == "constant":
        return torch.ones_like(x)
    wanted = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(detector.score(wanted).sum(), wanted)
    return gradient


def rows_of(metric: str, detector: Toy, maps: dict[str, Tensor], x: Tensor, *, factor=None, **settings):
    asked = context("randomisation", len(x), explain=explain, **settings)
    frame = randomisation(detector, x, maps, replace(asked, input_factor=factor))
    return frame[frame["metric"] == metric]


def measured(detector: Toy, maps: dict[str, Tensor], x: Tensor, **settings):
    frame = rows_of("randomisation_similarity", detector, maps, x, **settings)
    return frame.groupby(["explainer", "protocol"])["value"].apply(list).to_dict()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(5))


def test_what_ignores_the_model_survives_and_a_gradient_does_not(x: Tensor):
    detector = Net().freeze()
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
    gradient = explain("gradient", detector, x, [])
    assert gradient is not None
    found = measured(detector, {"ignores_model": x, "turns_sign": x, "gradient": gradient, "constant": x}, x)
    assert found["ignores_model", "signed"] == pytest.approx([1, 1, 1])
    assert found["turns_sign", "signed"] == pytest.approx([-1, -1, -1])
    assert found["turns_sign", "absolute"] == pytest.approx([1, 1, 1])
    assert np.abs(found["gradient", "signed"]).max() < 0.5
    assert found["constant", "signed"] == [0, 0, 0]
    assert all(torch.equal(tensor, before[name]) for name, tensor in detector.state_dict().items())


def test_the_correlation_is_that_of_ranks(x: Tensor):
    detector = Net().freeze()
    relevance = x.round()  # many ties
    found = measured(detector, {"ignores_model": relevance}, x)["ignores_model", "absolute"]
    pairs = zip(relevance.abs().numpy(), x.abs().numpy(), strict=True)
    expected = [np.corrcoef(rankdata(a), rankdata(b))[0, 1] for a, b in pairs]
    assert found == pytest.approx(expected)


def test_more_draws_are_averaged_and_repeat(x: Tensor):
    detector = Net().freeze()
    gradient = explain("gradient", detector, x, [])
    assert gradient is not None
    once = measured(detector, {"gradient": gradient}, x, draws=1)["gradient", "signed"]
    thrice = measured(detector, {"gradient": gradient}, x, draws=3)["gradient", "signed"]
    assert thrice == measured(detector, {"gradient": gradient}, x, draws=3)["gradient", "signed"]
    assert thrice != pytest.approx(once)


def test_maps_from_outside_are_left_out(x: Tensor, caplog):
    detector = Net().freeze()
    assert set(measured(detector, {"from_outside": x, "ignores_model": x}, x)) == {
        ("ignores_model", "signed"),
        ("ignores_model", "absolute"),
    }
    assert "from_outside" in caplog.text
    assert measured(detector, {"from_outside": x}, x) == {}


def test_a_detector_without_weights_has_no_rows(x: Tensor, caplog):
    assert measured(Constant(SHAPE), {"ignores_model": x}, x) == {}
    assert "no weights to redraw" in caplog.text


def test_without_explainers_it_is_refused(x: Tensor):
    with pytest.raises(ConfigError, match="makes new maps"):
        randomisation(Net(), x, {"map": x}, context("randomisation", 3))


def test_five_sets_of_random_weights_unless_told_otherwise():
    assert FAITHFULNESS["randomisation"].settings({}).model_dump()["draws"] == 5


def test_the_floor_of_what_multiplies_by_the_input_is_that_of_noise():
    x = torch.randn(4, 60, 200, generator=torch.Generator().manual_seed(1), dtype=torch.float64).exp()
    detector = Constant((60, 200))
    detector.layer = nn.Linear(2, 2)

    def factor(name: str, maps: Tensor) -> Tensor | None:
        return maps - 0.0 if name == "turns_sign" else None

    maps = {"ignores_model": x, "turns_sign": -x}
    frame = rows_of("randomisation_floor", detector, maps, x, factor=factor, draws=2)
    assert set(frame["explainer"]) == {"turns_sign"}
    found = frame.groupby("protocol")["value"].agg(["mean", "size"])
    assert (found["size"] == 4).all()
    # two maps of noise times the same input, drawn anew by NumPy: the magnitudes agree, the signs do not
    rng = np.random.default_rng(0)
    one, other = (np.abs(rng.normal(size=x.shape) * x.numpy()) for _ in range(2))
    expected = np.mean([np.corrcoef(rankdata(a), rankdata(b))[0, 1] for a, b in zip(one, other, strict=True)])
    assert expected > 0.3
    assert found.loc["absolute", "mean"] == pytest.approx(expected, abs=0.02)
    assert found.loc["signed", "mean"] == pytest.approx(0, abs=0.02)


def test_no_floor_is_claimed_where_nobody_knows_the_factor(x: Tensor):
    assert rows_of("randomisation_floor", Net().freeze(), {"ignores_model": x}, x).empty


def test_the_factor_is_the_distance_from_the_baseline_of_the_explainer():
    factor = input_factor_of(
        {
            "ig": {"kind": "integrated_gradients", "baseline": "clip_min", "steps": 2},
            "shap": {"kind": "gradient_shap"},
            "map": {"kind": "occlusion"},
        }
    )
    x = torch.tensor([[[1.0, 3.0], [2.0, 5.0]]])
    assert torch.equal(factor("ig", x), x - 1)
    assert torch.equal(factor("shap", x), x)
    assert factor("map", x) is None

"""Cascading randomisation: in which order layers are redrawn, and what each stage changes."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from toys.faithfulness import Constant, Toy, context

from soundproof.analysis.verdict import deciding
from soundproof.core.errors import ConfigError
from soundproof.faithfulness.cascade import cascade, layers_from_the_output
from soundproof.faithfulness.randomisation import randomisation, with_random_weights
from soundproof.faithfulness.registry import FAITHFULNESS

SHAPE = (3, 4)


class Deep(Toy):
    """Layers that are called in another order than they are listed in, and a memory of its own."""

    def __init__(self) -> None:
        super().__init__(SHAPE)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.last = nn.Linear(4, 1)
            self.first = nn.Linear(12, 6)
            self.middle = nn.Sequential(nn.Tanh(), nn.Linear(6, 4), nn.Tanh())
        self.register_buffer("memory", torch.ones(1))

    def score(self, x: Tensor) -> Tensor:
        return self.last(self.middle(self.first(x.flatten(1))))[:, 0] + self.memory

    def randomise(self, seed: int) -> None:
        super().randomise(seed)
        self.memory = self.memory + 1


def explain(name: str, detector: Toy, x: Tensor, clip_ids: Sequence[str]) -> Tensor | None:
    if name == "from_outside":
        return None
    if name == "first_layer":
        return (x.flatten(1) * detector.first.weight.sum(dim=0)).view_as(x)
    if name == "ignores_model":
        return x.clone()
    wanted = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(detector.score(wanted).sum(), wanted)
    return gradient


@pytest.fixture
def x() -> Tensor:
    return torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(5))


def measured(detector: Toy, x: Tensor, *names: str, **settings):
    maps = {name: explain(name, detector, x, []) if name != "from_outside" else x for name in names}
    return cascade(detector, x, maps, context("cascade", len(x), explain=explain, **settings))


def by_share(rows, explainer: str, protocol: str = "signed") -> dict[float, float]:
    of = rows[rows["explainer"].eq(explainer) & rows["protocol"].eq(protocol)]
    return of.groupby("parameter")["value"].mean().to_dict()


def test_layers_go_from_the_output_beginning_with_what_the_detector_itself_owns(x):
    detector = Deep().freeze()
    stranger = with_random_weights(detector, 0, 0).state_dict()
    assert layers_from_the_output(detector, x[:1], stranger) == [
        ["memory"],
        ["last.weight", "last.bias"],
        ["middle.1.weight", "middle.1.bias"],
        ["first.weight", "first.bias"],
    ]
    assert not any(module._forward_hooks for module in detector.modules())


def test_a_map_changes_at_the_stage_that_redraws_what_it_hangs_on(x):
    detector = Deep().freeze()
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    rows = measured(detector, x, "first_layer", "ignores_model", "gradient", "from_outside")
    assert set(rows["explainer"]) == {"first_layer", "ignores_model", "gradient"}
    assert list(by_share(rows, "gradient")) == [0.25, 0.5, 0.75, 1.0]
    assert list(by_share(rows, "ignores_model").values()) == pytest.approx([1, 1, 1, 1])
    first = by_share(rows, "first_layer")
    assert first[0.25] == first[0.5] == first[0.75] == pytest.approx(1) and first[1.0] < 0.9
    assert all(torch.equal(value, before[name]) for name, value in detector.state_dict().items())


def test_each_stage_by_hand(x):
    detector = Deep().freeze()
    rows = measured(detector, x, "gradient", stages=2)
    mixed = Deep()
    stranger = with_random_weights(detector, 0, 0)
    mixed.memory, mixed.last = stranger.memory, stranger.last
    own, other = (explain("gradient", one.freeze(), x, []).flatten(1) for one in (detector, mixed))
    expected = [spearmanr(*pair).statistic for pair in zip(own, other, strict=True)]
    found = rows.query("parameter == 0.5 and protocol == 'signed'").sort_values("clip_id")["value"]
    np.testing.assert_allclose(found, expected)


def test_the_last_stage_is_that_of_all_layers_at_once(x):
    detector = Deep().freeze()
    maps = {"gradient": explain("gradient", detector, x, [])}
    rows = measured(detector, x, "gradient", draws=2, stages=3)
    at_once = randomisation(detector, x, maps, context("randomisation", len(x), explain=explain, draws=2))
    keys = ["protocol", "clip_id"]
    at_once = at_once[at_once["metric"].eq("randomisation_similarity")].set_index(keys)["value"]
    last = rows[rows["parameter"].eq(1)].set_index(keys)["value"]
    np.testing.assert_allclose(last.sort_index(), at_once.sort_index())


def test_more_stages_than_layers_are_as_many_as_there_are_layers(x):
    rows = measured(Deep().freeze(), x, "gradient", stages=9)
    assert list(by_share(rows, "gradient")) == [0.25, 0.5, 0.75, 1.0]


def test_without_weights_to_redraw_there_are_no_rows(x, caplog):
    rows = measured(Constant(SHAPE).freeze(), x, "ignores_model")
    assert rows.empty and "Constant has no weights to redraw" in caplog.text


def test_without_somebody_who_explains_it_says_so(x):
    with pytest.raises(ConfigError, match="cascading randomisation"):
        cascade(Deep().freeze(), x, {"gradient": x}, context("cascade", len(x)))


def test_it_stands_beside_all_layers_at_once_and_does_not_decide():
    both = [criterion for name in ("randomisation", "cascade") for criterion in FAITHFULNESS[name].criteria]
    assert [criterion.judges for criterion in both] == ["sanity", "sanity"]
    assert [criterion.name for criterion in deciding(both)] == ["randomisation"]
    assert deciding(both[1:]) == []

import pytest
import torch
from torch import nn
from toys.training import build

from soundproof.training.schedule import Schedule


def schedule(**settings):
    return Schedule.of(build("cae", **settings).settings)


def stepped(weight, gradient, **settings):
    """Value of a weight after one optimisation step."""
    parameter = nn.Parameter(torch.tensor([weight]))
    optimizer = schedule(learning_rate=0.1, **settings).optimizer_of([parameter])
    parameter.grad = torch.tensor([gradient])
    optimizer.step()
    return float(parameter.detach())


def test_adamw_shrinks_weights_and_adam_adds_them_to_the_gradient():
    # a first step has the length of the learning rate, whatever the gradient
    assert stepped(4.0, 1e-3, optimizer="adamw", weight_decay=0.5) == pytest.approx(4 * (1 - 0.05) - 0.1)
    assert stepped(4.0, 1e-3, optimizer="adam", weight_decay=0.5) == pytest.approx(4 - 0.1)
    # the decay turns the sign of the gradient
    assert stepped(4.0, -1.0, optimizer="adam", weight_decay=0.5) == pytest.approx(4 - 0.1)
    assert stepped(4.0, -1.0, optimizer="adam", weight_decay=0.0) == pytest.approx(4 + 0.1)


def test_the_defaults_are_those_of_adamw():
    parameter = nn.Parameter(torch.ones(1))
    ours = schedule().optimizer_of([parameter])
    theirs = torch.optim.AdamW([parameter], lr=1e-3, fused=True)
    assert type(ours) is type(theirs)
    assert ours.defaults == theirs.defaults


@pytest.mark.parametrize(("restart_epochs", "rates"), [(None, [1, 1, 1, 1, 1]), (2, [1, 0.5, 1, 0.5, 1])])
def test_the_rate_follows_a_cosine_with_restarts_or_stays(restart_epochs, rates):
    chosen = schedule(learning_rate=1.0, min_learning_rate=0.0, restart_epochs=restart_epochs)
    optimizer = chosen.optimizer_of([nn.Parameter(torch.ones(1))])
    scheduler = chosen.scheduler_of(optimizer)
    found = []
    for _ in rates:
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert found == pytest.approx(rates)

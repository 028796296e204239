import pytest
import torch
from torch import nn

from soundproof.training.schedule import optimizer_of, scheduler_of
from soundproof.training.settings import TrainingSettings


def stepped(weight, gradient, **settings):
    """Value of a weight after one optimisation step."""
    parameter = nn.Parameter(torch.tensor([weight]))
    optimizer = optimizer_of(TrainingSettings(learning_rate=0.1, **settings), [parameter])
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


def test_sgd_has_momentum_and_adds_the_decay_to_the_gradient():
    assert stepped(4.0, 2.0, optimizer="sgd", weight_decay=0.5) == pytest.approx(4 - 0.1 * (2 + 2))
    parameter = nn.Parameter(torch.tensor([4.0]))
    optimizer = optimizer_of(
        TrainingSettings(learning_rate=0.1, optimizer="sgd", weight_decay=0.0), [parameter]
    )
    for _ in range(2):
        parameter.grad = torch.ones(1)
        optimizer.step()
    # the second step is 1 + 0.9 times as long
    assert float(parameter.detach()) == pytest.approx(4 - 0.1 - 0.19)


def test_amsgrad_remembers_the_largest_gradient():
    moved = {}
    for name in ("adamw", "adamw_amsgrad"):
        parameter = nn.Parameter(torch.zeros(1))
        optimizer = optimizer_of(TrainingSettings(optimizer=name, weight_decay=0.0), [parameter])
        for gradient in (1.0, *[0.01] * 3000):
            parameter.grad = torch.tensor([gradient])
            optimizer.step()
        moved[name] = -float(parameter.detach())
    assert moved["adamw"] > 1.2 * moved["adamw_amsgrad"] > 0


def test_the_defaults_are_those_of_adamw():
    parameter = nn.Parameter(torch.ones(1))
    ours = optimizer_of(TrainingSettings(), [parameter])
    theirs = torch.optim.AdamW([parameter], lr=1e-3, fused=True)
    assert type(ours) is type(theirs)
    assert ours.defaults == theirs.defaults


@pytest.mark.parametrize(("restart_epochs", "rates"), [(None, [1, 1, 1, 1, 1]), (2, [1, 0.5, 1, 0.5, 1])])
def test_the_rate_follows_a_cosine_with_restarts_or_stays(restart_epochs, rates):
    chosen = TrainingSettings(learning_rate=1.0, min_learning_rate=0.0, restart_epochs=restart_epochs)
    optimizer = optimizer_of(chosen, [nn.Parameter(torch.ones(1))])
    scheduler = scheduler_of(chosen, optimizer)
    found = []
    for _ in rates:
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert found == pytest.approx(rates)

import pandas as pd
import pytest
from toys.study import measurements, results_of

from soundproof.figures.history import draw


def history(**more):
    columns = {"epoch": [1, 2], "train_loss": [2.0, 1.0], "validation_loss": [2.0, 1.5]}
    return pd.DataFrame({**columns, "learning_rate": 1e-3, "best": [False, True], **more})


@pytest.mark.parametrize(("more", "dotted"), [({"trivial_loss": 1.75}, [[1.75, 1.75]]), ({}, [])])
def test_the_loss_of_the_trivial_answer_is_dotted(more, dotted):
    figure = draw(results_of(measurements([]), histories={("ae", 0): history(**more)})).figure
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == ":"]
    assert [list(line.get_ydata()) for line in lines] == dotted

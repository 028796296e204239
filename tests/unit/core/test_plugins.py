"""What other packages register: found by name, refused where a name would stand for two things."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soundproof.attribution.registry import EXPLAINERS
from soundproof.config.generated.registry_page import registry_page
from soundproof.core import plugins
from soundproof.core.choice import choose
from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.localisation.registry import LOCALISATION

PLUGIN = Path(__file__).parents[2] / "plugin"
Install = Callable[..., None]
DECLARATION = """
from soundproof.attribution.registry import ExplainerEntry, Passes
MINE = ExplainerEntry(
    name="{name}", title="Mine", implementation="{module}:explain", citation="none", signed=True,
    passes=lambda settings, shape: Passes(0, 0),
)
NOTHING = 3
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package as pip leaves it: modules, and their entry points in a folder ``.dist-info``."""
    registries = (DETECTORS, EXPLAINERS, LOCALISATION, FAITHFULNESS)
    before = [dict(registry._entries) for registry in registries]
    loaded = set(sys.modules)

    def forget() -> None:
        plugins.registered.cache_clear()
        plugins._packages.cache_clear()

    def put(package: str, points: str, **modules: str) -> None:
        folder = tmp_path / package
        table = folder / f"{package}-1.0.dist-info"
        table.mkdir(parents=True)
        (table / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (table / "entry_points.txt").write_text(points)
        for name, text in modules.items():
            (folder / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(folder))
        forget()

    yield put
    for registry, entries in zip(registries, before, strict=True):
        registry._entries = entries
    for name in set(sys.modules) - loaded:
        if name.startswith(("mine", "other", "loud_things")):
            del sys.modules[name]
    monkeypatch.undo()
    forget()


def explainer(name: str, module: str = "mine_declared") -> dict[str, str]:
    return {module: DECLARATION.format(name=name, module=module)}


def points(*pairs: str, group: str = "soundproof.explainers") -> str:
    return f"[{group}]\n" + "\n".join(pairs) + "\n"


def test_what_is_registered_is_there_once_it_is_asked_for(install: Install) -> None:
    install("mine", points("shiny = mine_declared:MINE"), **explainer("shiny"))
    # nothing of a study that does not name it changes, and nothing is imported for it
    assert "shiny" not in list(EXPLAINERS) and "mine_declared" not in sys.modules
    assert "shiny" in EXPLAINERS and "mine_declared" not in sys.modules
    assert EXPLAINERS["shiny"].title == "Mine"
    assert list(EXPLAINERS)[-1] == "shiny"
    assert choose(EXPLAINERS, {"kind": "shiny"}).kind == "shiny"


def test_a_slip_in_its_name_is_told_the_nearest(install: Install) -> None:
    install("mine", points("shiny = mine_declared:MINE"), **explainer("shiny"))
    with pytest.raises(ConfigError, match="did you mean 'shiny'"):
        _ = EXPLAINERS["shinny"]


def test_installing_something_changes_no_generated_file(install: Install) -> None:
    before = registry_page()
    install("mine", points("shiny = mine_declared:MINE"), **explainer("shiny"))
    assert registry_page() == before


def test_a_name_that_soundproof_has_is_refused(install: Install) -> None:
    install("mine", points("saliency = mine_declared:MINE"), **explainer("saliency"))
    for asked in ("saliency", "occlusion"):
        with pytest.raises(ConfigError, match=r"'saliency'[\s\S]*package mine registers it"):
            choose(EXPLAINERS, {"kind": asked})
    # other registries have no quarrel
    assert choose(DETECTORS, {"kind": "gaussian"}).kind == "gaussian"


def test_a_name_of_two_packages_is_refused(install: Install) -> None:
    install("mine", points("shiny = mine_declared:MINE"), **explainer("shiny"))
    install("other", points("shiny = other_declared:MINE"), **explainer("shiny", "other_declared"))
    with pytest.raises(ConfigError, match="two packages register it: other and mine"):
        choose(EXPLAINERS, {"kind": "saliency"})


def test_a_measure_that_soundproof_has_is_refused(install: Install) -> None:
    text = """
from soundproof.interfaces.metric import MetricEntry
MINE = MetricEntry(
    name="mine", title="Mine", implementation="x:y", citation="none", category="faithfulness",
    higher_is_better=True, needs=frozenset(), chance="none", unit="none", measures=("mine", "ff_frame"),
)
"""
    install("mine", points("mine = mine_declared:MINE", group="soundproof.metrics"), mine_declared=text)
    with pytest.raises(ConfigError, match="the name 'ff_frame' among"):
        choose(FAITHFULNESS, {"kind": "mine"})


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("shiny = mine_declared:NOTHING", "found: a int"),
        ("dull = mine_declared:MINE", "found: 'shiny'"),
        ("shiny = mine_declared:MISSING", "its import fails: AttributeError"),
        ("shiny = mine_nowhere:MINE", "No module named 'mine_nowhere'"),
    ],
)
def test_what_cannot_be_used_names_the_package(install: Install, point: str, said: str) -> None:
    install("mine", points(point), **explainer("shiny"))
    with pytest.raises(ConfigError, match=said) as failed:
        _ = EXPLAINERS[point.partition(" ")[0]]
    assert "package mine" in str(failed.value)


def test_metrics_of_both_kinds_share_a_group(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("mine", "[soundproof.metrics]\npeak_hit = loud_things.declared:PEAK_HIT\n")
    monkeypatch.syspath_prepend(str(PLUGIN))
    assert LOCALISATION["peak_hit"].category == "localisation"
    with pytest.raises(ConfigError, match="no faithfulness metric of that name"):
        _ = FAITHFULNESS["peak_hit"]
    assert "peak_hit" in [entry.name for entry in LOCALISATION.installed()]
    assert "peak_hit" not in [entry.name for entry in FAITHFULNESS.installed()]

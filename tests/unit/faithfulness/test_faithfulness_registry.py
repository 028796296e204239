import subprocess
import sys

import pytest

from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.registry import FAITHFULNESS, check_compatible, needs_of
from soundproof.faithfulness.settings import clip_limit


@pytest.mark.parametrize("name", FAITHFULNESS)
def test_every_implementation_exists(name: str):
    entry = FAITHFULNESS[name]
    assert callable(entry.load())
    assert entry.module == f"soundproof.faithfulness.{name}"


REQUIRED: dict[str, dict[str, object]] = {"quantus": {"metrics": ["Sparseness"]}}
"""Settings of metrics that cannot do without."""


@pytest.mark.parametrize("name", FAITHFULNESS)
def test_a_setting_of_that_name_limits_the_clips_of_every_metric(name: str):
    settings, required = FAITHFULNESS[name].settings, REQUIRED.get(name, {})
    if "n_clips" in settings(required).model_dump():
        assert clip_limit(settings({**required, "n_clips": 3})) == 3
        assert clip_limit(settings({**required, "n_clips": None})) is None
    else:
        assert clip_limit(settings(required)) is None


def test_no_two_metrics_write_the_same_name():
    measures = [measure for entry in FAITHFULNESS.values() for measure in entry.measures]
    assert len(measures) == len(set(measures))


def test_what_needs_a_reconstruction_is_refused_before_anything_is_trained():
    ff, deletion = FAITHFULNESS["ff"], FAITHFULNESS["deletion"]
    forest, ae = DETECTORS["isolation_forest"], DETECTORS["skip_cae"]
    plain = forest.settings({})
    by_reconstruction = deletion.settings({"replacement": "reconstruction"})
    for metric, settings in ((ff, ff.settings({})), (deletion, by_reconstruction)):
        check_compatible(ae, ae.settings({}), metric, settings)
        with pytest.raises(ConfigError, match="ff_background"):
            check_compatible(forest, plain, metric, settings)
    check_compatible(forest, plain, deletion, deletion.settings({}))
    assert needs_of(deletion, by_reconstruction) == {"reconstruction"}
    among_others = deletion.settings({"replacement": ["clip_median", "reconstruction"]})
    with pytest.raises(ConfigError, match="ff_background"):
        check_compatible(forest, plain, deletion, among_others)
    check_compatible(forest, plain, deletion, deletion.settings({"replacement": ["clip_median", "zero"]}))


@pytest.mark.parametrize("replacement", [[], ["zero", "zero"], ["silence"]])
def test_a_list_of_backgrounds_holds_each_once(replacement: list[str]):
    with pytest.raises(ConfigError, match="replacement"):
        FAITHFULNESS["deletion"].settings({"replacement": replacement})


@pytest.mark.parametrize("fractions", [(0.0, 0.5), (0.1, 1.0), (0.0, 0.5, 0.5, 1.0), ()])
def test_fractions_must_rise_from_0_to_1(fractions: tuple[float, ...]):
    with pytest.raises(ConfigError, match="rise from 0 to 1"):
        FAITHFULNESS["deletion"].settings({"fractions": fractions})


@pytest.mark.parametrize("percentiles", [(101.0,), (-1.0,), ()])
def test_percentiles_out_of_range_are_refused(percentiles: tuple[float, ...]):
    with pytest.raises(ConfigError, match="percentiles"):
        FAITHFULNESS["ff"].settings({"percentiles": percentiles})


def test_the_registry_is_light():
    heavy = "{'torch', 'pandas', 'numpy', 'scipy', 'sklearn', 'torchaudio'}"
    code = f"import sys, soundproof.faithfulness.registry; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"

"""Where no package index answers, the study that needs pretrained weights is left out, and the rest is made."""

from __future__ import annotations

import json
from dataclasses import dataclass

from checkout import NOTHING, TINY, Checkout


@dataclass(frozen=True)
class CutOff(Checkout):
    """A checkout on a machine whose package index does not answer."""

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "SOUNDPROOF_OFFLINE": "0",
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_FIND_LINKS": "",
            # nothing listens on this port
            "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        }


def test_the_study_is_left_out_with_the_reason_and_the_rest_is_made(copy: Checkout) -> None:
    here = CutOff(copy.path)
    here.replace("config/config.yaml", TINY, "studies: [tiny, p2]")
    said = here.snakemake("--cores", "1")
    left_out = "Study 'p2' is left out. Weights 'cnn9' are missing: "
    assert said.count(left_out) == 1 and "PIP_INDEX_URL" in said

    run = here.path / "results/bench"
    assert list(json.loads((run / "metrics.json").read_text())) == ["tiny"]
    page = (run / "index.html").read_text()
    assert "P2 on the bench" in page and "Weights &#39;cnn9&#39; are missing" in page
    assert not (run / "p2").exists()

    # nor is it asked for again, or missed
    assert NOTHING in here.snakemake("--cores", "1")
    verified = here.snakemake("--cores", "1", "verify")
    assert "Study 'p2' was left out and is not checked. Weights 'cnn9' are missing" in verified
    assert "fit their configuration, code and inputs" in verified

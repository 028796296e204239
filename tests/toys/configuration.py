"""A small study on disk, and ways to change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from soundproof.config import Config, Study, load_config

STUDY: dict[str, Any] = {
    "dataset": {"kind": "bench", "machines": ["fan", "valve"], "train_clips": 4},
    "features": {"recipe": "bench"},
    "scope": "pooled",
    "seeds": [0, 1],
    "detectors": {
        "ae": {"kind": "skip_cae", "title": "AE", "explain": True, "epochs": 2},
        "isolation_forest": {},
    },
    "explainers": {"saliency": {}, "integrated_gradients": {"steps": 4}},
    "faithfulness": {"ff": {}, "deletion": None},
    "localisation": {"segment_f1": {}},
}


def studies_dir(root: Path, **files: Any) -> Path:
    """Folder of study files; ``toy`` is :data:`STUDY` unless given. Text is written as it is."""
    folder = root / "config" / "studies"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"toy": STUDY, **files}.items():
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def load(root: Path, **overrides: Any) -> tuple[Config, dict[str, Study]]:
    """Read the study ``toy`` with overrides."""
    return load_config({"studies": ["toy"], "overrides": {"toy": overrides}}, studies_dir(root))

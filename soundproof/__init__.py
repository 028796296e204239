"""Attribution, faithfulness and localisation for anomalous sound.

Importing this package (or :mod:`soundproof.config`) never imports torch: a dry run of the workflow must
stay about as fast as Snakemake itself.
"""

__version__ = "0.1.0"

# The library: what stands below shapes no number of a stage (soundproof/runs/codebase.py ends its digest here).
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundproof.library import (
        Clips,
        Explanations,
        Fitted,
        areas,
        compare,
        draw,
        explain,
        fit,
        from_arrays,
        load_dataset,
        rivals,
        show,
        wrap,
    )

__all__ = [
    "Clips",
    "Explanations",
    "Fitted",
    "__version__",
    "areas",
    "compare",
    "draw",
    "explain",
    "fit",
    "from_arrays",
    "load_dataset",
    "rivals",
    "show",
    "wrap",
]


def __getattr__(name: str) -> Any:
    """Load the library when it is first asked for: importing this package must stay cheap."""
    if name not in __all__:
        raise AttributeError(f"module 'soundproof' has no attribute '{name}'")
    return getattr(import_module("soundproof.library"), name)


def __dir__() -> list[str]:
    """What is offered, whether loaded or not."""
    return sorted({*globals(), *__all__})

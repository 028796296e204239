"""soundproof without its workflow: what ``import soundproof`` offers to a notebook (``docs/library.md``)."""

from soundproof.library.clips import Clips, from_arrays, load_dataset
from soundproof.library.comparing import areas, compare, draw, rivals, show
from soundproof.library.explanations import Explanations, explain
from soundproof.library.fitted import Fitted, fit, wrap

__all__ = [
    "Clips",
    "Explanations",
    "Fitted",
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

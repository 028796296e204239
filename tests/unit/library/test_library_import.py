"""Importing the package is cheap; what it offers is loaded when it is asked for, and documented."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import soundproof
import soundproof.library

PAGE = Path(__file__).parents[3] / "docs" / "library.md"
HEAVY = ("torch", "pandas", "numpy", "scipy", "matplotlib", "pyarrow", "pydantic", "soundproof.library")


def said_by(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_the_package_loads_next_to_nothing() -> None:
    program = f"import sys, soundproof; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    assert said_by(program) == []
    counted = "import sys; n = len(sys.modules); import soundproof; print(len(sys.modules) - n)"
    # typing and importlib, as far as the interpreter has not loaded them
    assert int(said_by(counted)[0]) < 30


def test_asking_for_a_name_loads_the_library() -> None:
    program = "import sys, soundproof; soundproof.explain; print('torch' in sys.modules)"
    assert said_by(program) == ["True"]


def test_the_package_offers_what_the_library_does() -> None:
    offered = set(soundproof.__all__) - {"__version__"}
    assert offered == set(soundproof.library.__all__)
    assert offered <= set(dir(soundproof))
    for name in offered:
        assert getattr(soundproof, name) is getattr(soundproof.library, name)
    with pytest.raises(AttributeError, match="no attribute 'explian'"):
        _ = soundproof.explian


def test_no_offered_name_is_a_room() -> None:
    rooms = {path.name for path in Path(soundproof.__file__).parent.iterdir()}
    assert not set(soundproof.__all__) & rooms


def test_every_offered_name_is_typed_documented_and_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in soundproof.library.__all__:
        thing = getattr(soundproof, name)
        assert inspect.getdoc(thing), name
        assert re.search(rf"`(?:soundproof\.)?{name}\b", page), name
        if inspect.isfunction(thing):
            signature = inspect.signature(thing)
            assert signature.return_annotation is not inspect.Signature.empty
            assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())
    assert (Path(soundproof.__file__).parent / "py.typed").is_file()

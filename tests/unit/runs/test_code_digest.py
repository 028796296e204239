from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from soundproof.runs import codebase
from soundproof.runs.codebase import code_digest

FILES = {
    "soundproof/__init__.py": "",
    "soundproof/features/__init__.py": "",
    "soundproof/features/mel.py": "from soundproof import shared\nA = 1\n",
    "soundproof/features/templates/page.html.j2": "<p>A</p>\n",
    "soundproof/shared.py": "B = 1\n",
    "soundproof/lazy.py": "def f():\n    import soundproof.deep.inner as inner\n    return inner\n",
    "soundproof/deep/__init__.py": "",
    "soundproof/deep/inner.py": "from soundproof.lazy import f\n",
    "soundproof/plugins/__init__.py": "",
    "soundproof/plugins/registry.py": "import soundproof.plugins.one\n",
    "soundproof/plugins/one.py": "C = 1\n",
    "soundproof/config/__init__.py": "",
    "soundproof/config/model.py": "import soundproof.shared\n",
    "soundproof/unused.py": "D = 1\n",
    "workflow_scripts/mel.py": "import numpy\nfrom soundproof.features.mel import A\n",
    "workflow_scripts/lazy.py": "from soundproof.lazy import f\n",
    "workflow_scripts/plugin.py": "from soundproof.plugins.registry import one\nimport soundproof.config.model\n",
}


def forget() -> None:
    """Forget what was read, as a new process would not know it."""
    for cached in (
        codebase._closure,
        codebase._content,
        codebase._digest,
        codebase._file,
        codebase._imports,
        codebase._templates,
    ):
        cached.cache_clear()


def scripts(root: Path) -> dict[str, str]:
    """Digest of each script, read anew."""
    forget()
    folder = root / "workflow_scripts"
    return {path.stem: code_digest(path) for path in sorted(folder.glob("*.py"))}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(codebase, "_ROOT", tmp_path)
    yield tmp_path
    forget()


def test_what_the_package_offers_as_a_library_belongs_to_no_digest(tree: Path) -> None:
    path = tree / "soundproof/__init__.py"
    path.write_text("A = 1\n")
    before = scripts(tree)
    path.write_text("A = 1\n\n# The library: from here on\nfrom soundproof import unused\n")
    assert scripts(tree) == before
    path.write_text("A = 2\n\n# The library: from here on\n")
    assert not set(scripts(tree).values()) & set(before.values())
    # elsewhere the line means nothing
    marked = tree / "soundproof/shared.py"
    marked.write_text("B = 1\n\n# The library: one\n")
    one = scripts(tree)
    marked.write_text("B = 1\n\n# The library: two\n")
    assert scripts(tree)["mel"] != one["mel"]


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("soundproof/features/mel.py", {"mel"}),
        ("soundproof/shared.py", {"mel"}),
        ("soundproof/lazy.py", {"lazy"}),
        ("soundproof/deep/inner.py", {"lazy"}),
        ("soundproof/deep/__init__.py", {"lazy"}),
        ("soundproof/features/__init__.py", {"mel"}),
        ("soundproof/features/templates/page.html.j2", {"mel"}),
        ("soundproof/__init__.py", {"lazy", "mel", "plugin"}),
        ("soundproof/plugins/registry.py", set()),
        ("soundproof/plugins/one.py", set()),
        ("soundproof/config/model.py", set()),
        ("soundproof/unused.py", set()),
        ("workflow_scripts/lazy.py", {"lazy"}),
    ],
)
def test_an_edit_changes_the_digest_of_the_scripts_that_import_it(
    tree: Path, edited: str, changed: set[str]
) -> None:
    before = scripts(tree)
    path = tree / edited
    path.write_text(path.read_text(encoding="utf-8") + "E = 2\n", encoding="utf-8")
    after = scripts(tree)
    assert {name for name in before if before[name] != after[name]} == changed


def test_touching_a_file_changes_nothing(tree: Path) -> None:
    before = scripts(tree)
    for name in FILES:
        path = tree / name
        path.write_bytes(path.read_bytes())
    assert scripts(tree) == before


def test_a_module_loaded_by_name_counts_for_its_own_job(tree: Path) -> None:
    script = tree / "workflow_scripts" / "plugin.py"
    without, before = code_digest(script), code_digest(script, ["soundproof.plugins.one"])
    assert without != before
    (tree / "soundproof/plugins/one.py").write_text("C = 2\n", encoding="utf-8")
    forget()
    assert code_digest(script) == without
    assert code_digest(script, ["soundproof.plugins.one"]) != before


def test_digests_do_not_depend_on_where_the_clone_lies(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = scripts(tree)
    other = tmp_path_factory.mktemp("elsewhere") / "clone"
    for name, text in FILES.items():
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(codebase, "_ROOT", other)
    assert scripts(other) == here


def test_the_scripts_of_this_repository_load_only_the_code_of_their_stage() -> None:
    forget()
    loaded = {path.stem for path in codebase._closure("soundproof.localisation.cell_ranking")}
    assert "cells" in loaded
    assert not loaded & {"skip_cae", "loop", "registry", "model"}

"""Scripts hand what Snakemake gives them on by name: a rule's order of parameters is nobody's business."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "workflow_scripts"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if path.stem not in ("__init__", "engine"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_everything_from_snakemake_is_passed_by_keyword(script):
    tree = ast.parse(script.read_text())
    functions = {node.name: node.args for node in tree.body if isinstance(node, ast.FunctionDef)}
    if not functions:
        # the whole of its work stands in the package
        functions = {script.stem: _arguments(tree, script.stem)}
    calls = [
        node
        for node in ast.walk(tree.body[-1])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions
    ]
    [call] = calls
    assert call.func.id == script.stem
    assert not call.args
    asked = {argument.arg for argument in functions[call.func.id].args}
    given = {keyword.arg for keyword in call.keywords}
    assert given == asked


def _arguments(tree: ast.Module, name: str) -> ast.arguments:
    """Arguments of a function that a script imports."""
    [module] = [
        node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and name in {alias.name for alias in node.names}
    ]
    text = FOLDER.parent.joinpath(*module.split(".")).with_suffix(".py").read_text()
    [found] = [
        node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return found.args

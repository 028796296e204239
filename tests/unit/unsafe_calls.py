"""Calls that would run what they read: found in the syntax tree, by the full name of what is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator

# modules whose every reader runs code found in the data
RUNNING_MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "cPickle", "jsonpickle"}
RUNNING = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "commands.getoutput"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "pandas.read_pickle", "tempfile.mktemp"),
    *("yaml.unsafe_load", "yaml.full_load", "yaml.unsafe_load_all", "yaml.full_load_all", "torch.hub.load"),
    *("shutil.unpack_archive", "jinja2.Template", "markupsafe.Markup", "jinja2.Markup"),
}
# names of methods that unpack without asking, whatever they are called on
UNPACKING = {"extractall", "to_pickle", "read_pickle"}


def unsafe_calls(source: str) -> list[str]:
    """Name each unsafe call of a Python source with its line."""
    tree = ast.parse(source)
    names = dict(_imported(tree))
    safe_loaders = set(_safe_loaders(tree, names))
    return [
        f"line {node.lineno}: {_dotted(node.func, names)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _unsafe(node, names, safe_loaders)
    ]


def _safe_loaders(tree: ast.AST, names: dict[str, str]) -> Iterator[str]:
    """Names of YAML loaders that make plain values only: PyYAML's own, what derives from them or is set to one."""
    safe = {"yaml.SafeLoader", "yaml.CSafeLoader"}
    yield from safe
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(_dotted(base, names) in safe for base in node.bases):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            value = node.value
            # LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader): the faster one where there is one
            if (
                not isinstance(target, ast.Name)
                or not isinstance(value, ast.Call)
                or _dotted(value.func, names) != "getattr"
                or len(value.args) < 3
            ):
                continue
            module, wanted, otherwise = value.args
            if (
                isinstance(wanted, ast.Constant)
                and {
                    f"{_dotted(module, names)}.{wanted.value}",
                    _dotted(otherwise, names),
                }
                <= safe
            ):
                yield target.id


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                yield name, alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.AST, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    return ""


def _keyword(call: ast.Call, name: str) -> object:
    """Value of a keyword argument: its constant, ``...`` for anything else, None where it is not given."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value.value if isinstance(keyword.value, ast.Constant) else ...
    return None


def _unsafe(call: ast.Call, names: dict[str, str], safe_loaders: set[str]) -> bool:
    name = _dotted(call.func, names)
    last = name.rpartition(".")[2]
    if name in RUNNING or last in UNPACKING or name.split(".")[0] in RUNNING_MODULES:
        return True
    if name == "torch.load":
        return _keyword(call, "weights_only") is not True
    if name in ("yaml.load", "yaml.load_all"):
        given = [*call.args[1:], *(item.value for item in call.keywords if item.arg == "Loader")]
        return not given or _dotted(given[0], names) not in safe_loaders
    if name == "jinja2.Environment":
        return _keyword(call, "autoescape") is not True
    return (
        _keyword(call, "allow_pickle") not in (None, False)
        or _keyword(call, "shell") not in (None, False)
        or _keyword(call, "verify") is False
    )

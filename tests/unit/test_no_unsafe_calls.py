"""Nothing here runs code that it finds in data, and no shell reads a name."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from unsafe_calls import unsafe_calls

REPOSITORY = Path(__file__).parents[2]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [REPOSITORY / name for name in listed.stdout.splitlines() if (REPOSITORY / name).is_file()]


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.load(stream)",
        "from pickle import loads as read\nread(b'')",
        "import pickle\npickle.Unpickler(stream)",
        "import joblib as j\nj.load('x')",
        "import torch\ntorch.load('x')",
        "import torch\ntorch.load('x', weights_only=False)",
        "import torch\ntorch.load('x', weights_only=trusted)",
        "from torch import load\nload('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import numpy as np\nnp.load('x', allow_pickle=flag)",
        "import pandas as pd\npd.read_pickle('x')",
        "import yaml\nyaml.load(text)",
        "import yaml\nyaml.load(text, yaml.Loader)",
        "import yaml\nyaml.load(text, Loader=yaml.FullLoader)",
        "import yaml\nyaml.unsafe_load(text)",
        "import yaml\nL = getattr(yaml, 'CLoader', yaml.SafeLoader)\nyaml.load(text, L)",
        "import yaml\nL: type = getattr(yaml, 'CLoader', yaml.SafeLoader)\nyaml.load(text, L)",
        "import subprocess\nsubprocess.run(f'ls {name}', shell=True)",
        "import subprocess as s\ns.Popen(words, shell=maybe)",
        "import os\nos.system('ls')",
        "from os import popen\npopen('ls')",
        "eval('1')",
        "exec(text)",
        "import tarfile\ntarfile.open('x').extractall('y')",
        "import shutil\nshutil.unpack_archive('x')",
        "import requests\nrequests.get(url, verify=False)",
        "from jinja2 import Environment\nEnvironment()",
        "from jinja2 import Environment\nEnvironment(autoescape=False)",
        "from markupsafe import Markup\nMarkup(name)",
    ],
)
def test_an_unsafe_call_is_found(source: str) -> None:
    assert len(unsafe_calls(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.load('x', weights_only=True)",
        "import numpy as np\nnp.load('x')\nnp.load('x', allow_pickle=False)",
        "import yaml\nclass Strict(yaml.SafeLoader): ...\nyaml.load(text, Strict)\nyaml.safe_load(text)",
        "import yaml\nL = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)\nyaml.load(text, Loader=L)",
        "import yaml\nL: type = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)\nyaml.load(text, Loader=L)",
        "import subprocess\nsubprocess.run(['ls', name], check=True)",
        "model.eval()\nast.literal_eval(text)\nre.compile(text)\nregistry.load()",
        "from jinja2 import Environment\nEnvironment(autoescape=True)",
    ],
)
def test_a_safe_call_is_left_alone(source: str) -> None:
    assert unsafe_calls(source) == []


def test_no_source_makes_an_unsafe_call() -> None:
    sources = [path for path in tracked("*.py") if "tests" not in path.relative_to(REPOSITORY).parts]
    assert len(sources) > 150
    found = {str(path.relative_to(REPOSITORY)): unsafe_calls(path.read_text()) for path in sources}
    assert {name: calls for name, calls in found.items() if calls} == {}


# what pages of clips may do beyond that: read a clip's files, and their own address
BESIDE_THE_PAGE = (
    "script.src = `clips/${encodeURIComponent(id)}.js`",
    "audio.src = `clips/${encodeURIComponent(sound.file)}`",
    "location.hash.slice(1)",
    "A page from disk may fetch nothing",
)
LIBRARIES = [
    f'<script src="{name}" defer></script>' for name in ("wavesurfer.min.js", "regions.min.js", "study.js")
]
UNSAFE_IN_A_SCRIPT = (
    r"\{\{|\{%|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bFunction\b|\bimport\b|fetch|"
    r"XMLHttpRequest|WebSocket|\.src\b|setTimeout|setInterval|location"
)


def test_no_rule_has_a_shell_and_no_template_lets_markup_through() -> None:
    for path in tracked("Snakefile", "rules/*.smk"):
        assert not re.search(r"^\s*(shell|run|wrapper|notebook|cwl)\s*:", path.read_text(), re.MULTILINE), (
            path
        )
        assert not re.search(r"\b(shell|eval|exec|os\.system)\s*\(", path.read_text()), path
    templates = tracked("*.j2")
    assert templates
    scripts = [path for path in tracked("soundproof/*/templates/*.js") if not path.name.endswith(".min.js")]
    assert len(scripts) > 1
    for path in scripts:
        # as it stands in the page: no value goes in, and it neither makes markup nor asks anybody
        text = path.read_text()
        for allowed in BESIDE_THE_PAGE:
            text = text.replace(allowed, "")
        assert not re.search(UNSAFE_IN_A_SCRIPT, text), path
    include = r'\{% include "(\w+\.js)" %\}\n'
    for path in templates:
        text = path.read_text()
        # the page of questions draws clips as the explorer does
        places = {path.parent, REPOSITORY / "soundproof" / "explorer" / "templates"}
        names = {script.name for script in scripts if script.parent in places}
        assert set(re.findall(include, text)) <= names, path
        text = re.sub(rf"<script>\n(?:{include})+</script>", "", text)
        for tag in LIBRARIES:
            text = text.replace(tag, "")
        assert not re.search(r"\|\s*(safe|tojson|xmlattr)\b|autoescape|<script|\son\w+\s*=", text), path
        # attributes that hold a value are quoted, or escaping would not protect them
        assert not re.search(r"=\{\{", text), path

"""A shell command finds the interpreter, whatever its folder is called."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from soundproof.runs.interpreter import call_by_name


@pytest.mark.parametrize("name", ["my projects", "it's", "$HOME & (x)", "ü*"])
def test_an_odd_path_is_found_by_name(tmp_path, monkeypatch, name):
    interpreter = tmp_path / name / "python"
    interpreter.parent.mkdir()
    interpreter.write_text("#!/bin/sh\necho this one\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    call_by_name()
    # unquoted, as Snakemake does
    assert subprocess.check_output(f"{sys.executable} x", shell=True, text=True) == "this one\n"


def test_an_ordinary_path_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/opt/soundproof/.venv/bin/python")
    before = os.environ["PATH"]
    call_by_name()
    assert sys.executable == "/opt/soundproof/.venv/bin/python" and os.environ["PATH"] == before

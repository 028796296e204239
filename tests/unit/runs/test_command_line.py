"""What is typed after --config and --configfile is what counts, or is refused with what to write."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from snakemake.cli import parse_config

from soundproof.config.strict_yaml import TEXTS, read_settings
from soundproof.core.errors import ConfigError
from soundproof.runs.command_line import as_typed, check_words, entries

ROOT = Path(__file__).parents[3]

WORDS = {
    "a space for =": (["--config", "recordings", "/x"], "'recordings'", "write recordings=/x"),
    "spaces around =": (["--config", "recordings", "=", "/x"], "'recordings'", "write recordings=/x"),
    "a space after =": (["--config", "recordings=", "/x"], "recordings=", "write recordings=/x"),
    "a space in the path": (
        ["--config", "recordings=/my", "fan"],
        "'fan'",
        "write 'recordings=/my fan', in quotes",
    ),
    "a target": (["--config", "run=a", "all"], "'all'", "name targets before --config, or after --"),
    "no value": (["--config", "recordings="], "recordings=", "a shell variable that is not set"),
    "a blank": (["--config", "run= \t"], "run=", "a shell variable that is not set"),
    "no value of any key": (["-n", "--config", "device=", "run=x"], "device=", "leave 'device' out"),
    "no key": (["--config", "=x"], "'=x'", "write KEY=VALUE"),
    "twice": (["--config", "run=a", "run=b"], "key 'run'", "leave one of the two"),
    "the same twice": (["-C", "run=a", "run=a"], "key 'run'", "leave one of the two"),
    "two options": (
        ["--config", "run=a", "-n", "--config", "studies=b"],
        "--config twice",
        "--config run=a studies=b",
    ),
    "short and long": (["-C", "run=a", "--config=studies=b"], "--config twice", "--config run=a studies=b"),
    "attached": (["-Crun=a", "-Crun=b"], "--config twice", "--config run=a run=b"),
    "nested": (["--config", "overrides={p1: {seeds: [0], seeds: [1]}}"], "overrides", "leave one of the two"),
    "two files": (
        ["--configfile", "{a}", "--configfiles", "{a}"],
        "--configfile twice",
        "write --configfile ",
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_words_that_would_be_lost_or_misread_are_refused(tmp_path, case):
    words, named, advice = WORDS[case]
    (tmp_path / "a.yaml").write_text("run: a\n")
    with pytest.raises(ConfigError) as caught:
        check_words([word.replace("{a}", str(tmp_path / "a.yaml")) for word in words])
    assert named in f"{caught.value.asked}"
    assert advice in caught.value.remedy


@pytest.mark.parametrize(
    "words",
    [
        ["-n", "--config", "recordings=/my fan", "run=a=b", "--cores", "1"],
        ["--config", "studies=[p1, p3]", "run=x", "--", "all", "recordings"],
        ["--cores", "all", "all", "--config=run=a", "other_target"],
        ["--config", "overrides={p1: {seeds: [0]}, p3: {seeds: [0]}}"],
        ["-c1", "verify"],
        ["--config"],
        [],
    ],
)
def test_other_words_pass(words):
    check_words(words)


FILES = {
    "twice": (b"run: a\nstudies: [p1]\nrun: b\n", "key 'run' is written twice (line 3)"),
    "nested": (
        b"overrides:\n  p1:\n    seeds: [0]\n    seeds: [1]\n",
        "key 'seeds' is written twice (line 4)",
    ),
    "deep in flow style": (
        b"overrides: {p1: {detectors: {ae: {epochs: 1, epochs: 2}}}}",
        "key 'epochs' is written",
    ),
    "in an anchor": (b"x: &x {epochs: 1, epochs: 2}\nrun: a\n", "key 'epochs' is written twice (line 1)"),
    "merged twice": (b"a: &a {b: 1}\nc: {<<: *a, <<: *a}\n", "key '<<' is written twice"),
    "as number and text": (b'overrides: {1: a, "1": b}\n', "key '1' is written twice"),
    "json": (b'{"run": "a", "run": "b"}', "key 'run' is written twice"),
    "UTF-16": ("run: a\n".encode("utf-16"), "it is UTF-16"),
    "UTF-16, big end first": (b"\xfe\xff" + "run: a\n".encode("utf-16-be"), "it is UTF-16"),
    "UTF-16 without a mark": ("run: a\n".encode("utf-16-le"), "special characters are not allowed"),
    "Latin-1": ("run: a\n# Säge\n".encode("latin-1"), "line 2 is no UTF-8"),
    "empty": (b"", "no settings in it"),
    "comments": (b"# run: a\n", "no settings in it"),
    "a list": (b"- run: a\n", "a list"),
    "a word": (b"run\n", "a str"),
    "two documents": (b"run: a\n---\nrun: b\n", "another document"),
    "a tab": (b"overrides:\n\tp1: {}\n", "cannot start any token (line 2)"),
    "a bracket": (b"studies: [p1\n", "(line 2)"),
    "code": (b"run: !!python/object/apply:os.system [ls]\n", "could not determine a constructor"),
    "a sound": (b"RIFF\x24\x08\x00\x00WAVEfmt \xff", "UTF-8"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_of_settings_that_cannot_be_used_is_refused_by_name(tmp_path, case):
    content, found = FILES[case]
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"configuration file .*mine\.yaml") as caught:
        check_words(["--configfile", str(tmp_path / "mine.yaml"), "-n"])
    assert found in f"{caught.value.found} {caught.value.remedy}"
    assert "\n" not in caught.value.found


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing at .*none\.yaml"):
        check_words(["--configfile", str(tmp_path / "none.yaml")])
    with pytest.raises(ConfigError, match="is a directory"):
        check_words(["--configfile", str(tmp_path)])


def test_a_pipe_is_left_to_snakemake(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    check_words(["--configfile", str(tmp_path / "pipe")])


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbfrun: a\n", b'{"run": "a"}', b"run: a\r\n", b"---\nrun: a\n...\n"]
)
def test_other_ways_to_write_a_file_are_read(tmp_path, content):
    (tmp_path / "mine.yaml").write_bytes(content)
    assert read_settings(tmp_path / "mine.yaml") == {"run": "a"}


def test_a_merged_key_may_be_written_over(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "x: &x {epochs: 1, patience: 2}\noverrides: {ae: {<<: *x, epochs: 3}}\n"
    )
    assert read_settings(tmp_path / "mine.yaml")["overrides"]["ae"] == {"epochs": 3, "patience": 2}


# what YAML, Python or Snakemake take for a number, a date, a truth value, nothing, a list, a mapping or a comment
NAMES = (
    *(
        "2024_11_05",
        "2024-11-05",
        "0412",
        "1e5",
        "12e3",
        "0x1F",
        "0o17",
        "0b1",
        "1_000",
        ".5",
        "1.",
        "+7",
        "-1",
    ),
    *(
        "yes",
        "no",
        "on",
        "off",
        "true",
        "True",
        "False",
        "null",
        "~",
        "None",
        "nan",
        ".inf",
        "inf",
        "1:30",
        "12:30:45",
    ),
    *(
        "[a]",
        "{a}",
        "a: b",
        "press #4",
        "'quoted",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "`a",
        "- a",
        "? a",
        "a,b",
        "=",
        "<<",
    ),
    *("int", "str", " a", "a ", "a\tb", "٣"),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", TEXTS)
def test_a_path_or_name_on_the_command_line_is_what_was_typed(name, key):
    word = f"{key}={name}"
    assert as_typed(parse_config([word]), [], [word])[key] == name


PLAIN = [name for name in NAMES if name.strip() == name and name not in ("null", "~")]


@pytest.mark.parametrize("name", PLAIN)
def test_a_path_in_a_file_is_what_was_typed(tmp_path, name):
    for text in (f"recordings: {name}\n", f"recordings: '{name.replace(chr(39), chr(39) * 2)}'\n"):
        (tmp_path / "mine.yaml").write_text(text)
        try:
            snakemakes = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        found = as_typed(snakemakes, [tmp_path / "mine.yaml"], [])["recordings"]
        if text[12] != "'" and (
            isinstance(snakemakes["recordings"], list | dict) or name in ("press #4", "&a")
        ):
            # written without quotes these are a list, a mapping, a comment and an anchor, in any YAML
            continue
        assert found == name


def test_nothing_in_a_file_is_nothing(tmp_path):
    for text in ("recordings:\n", "recordings: null\n", "recordings: ~\n"):
        (tmp_path / "mine.yaml").write_text(text)
        assert as_typed({"recordings": None}, [tmp_path / "mine.yaml"], []) == {"recordings": None}


def test_later_files_and_the_command_line_go_over_earlier_ones(tmp_path):
    for name, text in (("a", "run: 0412\nrecordings: 0413\n"), ("b", "run: 0414\n")):
        (tmp_path / f"{name}.yaml").write_text(text)
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    values = {"run": 268, "recordings": 267, "threads": 1}
    assert as_typed(values, files, []) == {"run": "0414", "recordings": "0413", "threads": 1}
    assert as_typed(values, files, ["run=1e5"]) == {"run": "1e5", "recordings": "0413", "threads": 1}


SCALARS = ["false", "true", "no", "null", "~", "3", "-2", "0.5", "1.5e-3", ".5", "word", "'3'", '"false"', ""]


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize(
    "form", ["{{p1: {{bands: {}}}}}", "{{p1: {{seeds: [{}]}}}}", "{{p1: {{a: {{b: {}}}}}}}"]
)
def test_a_value_on_the_command_line_is_what_a_file_makes_of_it(tmp_path, form, scalar):
    text = form.format(scalar)
    (tmp_path / "mine.yaml").write_text(f"overrides: {text}\n")
    word = f"overrides={text}"
    typed = as_typed(parse_config([word]), [], [word])
    assert typed == read_settings(tmp_path / "mine.yaml")


@pytest.mark.parametrize("scalar", SCALARS[:-1])
def test_so_is_a_value_that_is_no_mapping(tmp_path, scalar):
    (tmp_path / "mine.yaml").write_text(f"device: {scalar}\n")
    word = f"device={scalar}"
    assert as_typed(parse_config([word]), [], [word]) == read_settings(tmp_path / "mine.yaml")


def test_the_command_line_goes_over_a_file_key_by_key_and_keeps_what_no_yaml_is():
    # as Snakemake lays it: `bands` stands in a file, `listen` in both
    merged = {"overrides": {"p1": {"bands": None, "listen": "null", "seeds": ["0"]}}, "threads": 100000.0}
    words = ["overrides={p1: {listen: null, seeds: [0]}}", "threads=1e5"]
    found = as_typed(merged, [], words)
    assert found == {"overrides": {"p1": {"bands": None, "listen": None, "seeds": [0]}}, "threads": 1e5}
    # to YAML 1e5 is text; a bracket that is not closed is no YAML
    assert as_typed(parse_config(["device=[a"]), [], ["device=[a"]) == {"device": "[a"}


def test_quotes_that_were_meant_for_yaml_are_left_out_unless_they_name_something(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    word = 'recordings="0412"'
    assert as_typed(parse_config([word]), [], [word])["recordings"] == "0412"
    (tmp_path / '"0412"').mkdir()
    assert as_typed(parse_config([word]), [], [word])["recordings"] == '"0412"'


def test_entries_keep_what_follows_the_first_equals_sign():
    assert entries(["recordings=/a=b", "run=x"]) == {"recordings": "/a=b", "run": "x"}


def test_run_asks_before_snakemake_and_says_no_secret(tmp_path):
    program = [sys.executable, str(ROOT / "scripts/start-snakemake.py")]
    words = ["--config", "recordings", "/x?token=planted-word"]
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Configuration error: ") and len(done.stderr.splitlines()) == 3
    assert "planted-word" not in done.stderr
    done = subprocess.run([*program, "--version"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{version('snakemake')}\n", "")
    assert "start-snakemake.py" in (ROOT / "run").read_text()

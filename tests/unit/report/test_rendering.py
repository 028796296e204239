"""One environment of templates for all pages: further folders, escaped text, no name that nobody gave."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from soundproof.report.rendering import rendered


def test_a_template_of_another_folder_has_the_look_and_the_words_of_all_pages(tmp_path):
    (tmp_path / "own.html.j2").write_text(
        '{% extends "base.html.j2" %}\n{% block title %}{{ title }}{% endblock %}\n'
        "{% block main %}\n{% include 'part.html.j2' %}\n{{ verdicts | length }}\n{% endblock %}\n"
    )
    (tmp_path / "part.html.j2").write_text("<p>{{ title }}</p>\n")
    text = rendered("own.html.j2", tmp_path, title="<i>")
    assert "<title>&lt;i&gt;</title>" in text and "<p>&lt;i&gt;</p>\n4\n" in text
    assert "prefers-color-scheme: dark" in text


def test_the_first_folder_that_has_a_template_gives_it(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "style.css").write_text(folder.name)
    assert rendered("style.css", first, second) == "first"
    assert rendered("style.css", second, first) == "second"


def test_a_name_that_nobody_gave_is_an_error(tmp_path):
    (tmp_path / "own.html.j2").write_text("{{ unknown }}")
    with pytest.raises(UndefinedError, match="unknown"):
        rendered("own.html.j2", tmp_path)

"""What is hidden, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundproof.core.redaction import redact

SECRET = "hunter2-planted"


@pytest.mark.parametrize(
    "text",
    [
        f"https://user:{SECRET}@host/data.zip",
        f"fetch https://{SECRET}@host:8080/a or ftp://me:{SECRET}@other by other means",
        f"url: /data.zip?expires=1&X-Amz-Signature={SECRET}&part=2",
        f"https://host/a?access_token={SECRET}#top",
        f"https://host/a?sig={SECRET}",
        f"https://me:one@{SECRET}@host/a",
        f"{{'Authorization': 'Bearer {SECRET}', 'Accept': 'identity'}}",
        f"Proxy-Authorization: Basic {SECRET}",
    ],
)
def test_secrets_in_addresses_are_hidden(text: str) -> None:
    shown = redact(text, {})
    assert SECRET not in shown and "***" in shown


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ZENODO_TOKEN", SECRET),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("https_proxy", f"http://me:{SECRET}@proxy:3128"),
        ("HTTP_PROXY", f"http://{SECRET}@proxy"),
    ],
)
def test_secrets_of_the_environment_are_hidden_wherever_they_stand(variable: str, value: str) -> None:
    text = f"cannot connect with {SECRET!r} (or {SECRET})"
    assert redact(text, {variable: value}) == "cannot connect with '***' (or ***)"


@pytest.mark.parametrize(
    "text",
    [
        "https://zenodo.org/records/6355122/files/dev_fan.zip?download=1",
        "clip 'a@b' took 3.2 s; see https://host/a?page=2&x=@home",
        "key 'explainers.saliency' in config/studies/p1.yaml: token_count=3",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert redact(text, {"PATH": "/usr/bin", "DEBUG_TOKEN": "1", "no_proxy": "localhost"}) == text


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=8), st.text(st.characters(categories=["L", "N"]))
)
def test_a_password_is_hidden_whatever_it_is(password: str, user: str) -> None:
    shown = redact(f"https://{user}:{password}@host.example/x", {})
    assert shown == "https://***@host.example/x"

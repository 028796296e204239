from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundproof.randomness.seeding import seed_from
from soundproof.storage.provenance import (
    Provenance,
    Stated,
    canonical_json,
    content_digest,
    content_digests,
    digest,
    file_digest,
    package_versions,
)

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_canonical_json_says_the_same_value(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_count(values: dict[str, int]) -> None:
    turned = dict(reversed(values.items()))
    assert list(turned) != list(values)
    assert digest(turned) == digest(values)


def test_digests_tell_values_apart_and_match_sha256() -> None:
    assert digest({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()[:16]
    assert len({digest(value) for value in (1, 1.5, "1", [1], {"a": 1}, {"a": 2}, None)}) == 7


def test_a_number_without_json_has_no_digest() -> None:
    with pytest.raises(ValueError, match="JSON"):
        digest({"a": float("nan")})


def test_file_digests_follow_content_not_name(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abc")
    two.write_bytes(b"abc")
    assert file_digest(one) == file_digest(two) == hashlib.sha256(b"abc").hexdigest()[:16]
    two.write_bytes(b"abd")
    assert file_digest(one) != file_digest(two)


def test_a_record_survives_its_encoding() -> None:
    record = Provenance(
        stage="training",
        settings={"epochs": 3, "ü": [1.5]},
        code="c",
        inputs={"clips": "d"},
        seed=0,
        device="cuda",
    )
    assert Provenance.decode(record.encode()) == record
    assert json.loads(record.encode())["settings_digest"] == digest(record.settings)


def test_a_record_holds_no_time_host_or_path() -> None:
    record = Provenance(stage="features", settings={"a": 1})
    assert record.encode() == Provenance(stage="features", settings={"a": 1}).encode()
    assert set(json.loads(record.encode())) == {
        "stage", "settings", "settings_digest", "code", "inputs", "seed", "device", "versions",
    }  # fmt: skip


def test_versions_are_those_of_the_installed_packages() -> None:
    import numpy as np
    import torch

    assert package_versions()["numpy"] == np.__version__
    assert package_versions()["torch"] == str(torch.__version__)


def test_seeds_depend_on_names_and_their_borders_alone() -> None:
    assert seed_from("fan", 3) == seed_from("fan", 3) == seed_from("fan", "3")
    assert len({seed_from("ab", "c"), seed_from("a", "bc"), seed_from("abc"), seed_from("c", "ab")}) == 4


@given(st.lists(st.text() | st.integers() | st.floats(), max_size=4))
def test_seeds_fit_every_generator(names: list[str | int | float]) -> None:
    assert 0 <= seed_from(*names) < 2**63


def test_a_seed_never_changes_between_releases() -> None:
    # a change would silently give other clips, other weights and other results
    expected = int.from_bytes(hashlib.sha256(b"bench\x1f0\x1ffan").digest()[:8], "big") >> 1
    assert seed_from("bench", 0, "fan") == expected


def test_a_record_names_no_absolute_path():
    record = Provenance(stage="clips", settings={"folder": "/data/press_04", "paths": ["/a/b", "c/d"]})
    assert record.settings == {"folder": "press_04", "paths": ["b", "c/d"]}
    assert Provenance.decode(record.encode()) == record


def test_a_set_of_files_has_one_digest_in_any_order(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"one")
    b.write_bytes(b"two")
    singles = [hashlib.sha256(content).hexdigest()[:16] for content in (b"one", b"two")]
    by_hand = hashlib.sha256(json.dumps(sorted(singles), separators=(",", ":")).encode()).hexdigest()[:16]
    assert content_digest((a, b)) == content_digest((b, a)) == by_hand
    assert content_digests({"one": a, "all": (a, b)}) == {"one": singles[0], "all": by_hand}
    # one file in a set is still a set
    assert content_digest((a,)) != content_digest(a)


def test_a_record_says_what_its_rule_states_and_what_only_the_job_knows() -> None:
    stated: Stated = {"stage": "training", "settings": {"part": "all"}, "code": "c0de", "seed": 3}
    record = Provenance.of_record(stated, {"clips": "0a"}, "cuda")
    assert record == Provenance(
        stage="training",
        settings={"part": "all"},
        code="c0de",
        seed=3,
        inputs={"clips": "0a"},
        device="cuda",
    )
    assert Provenance.of_record(stated, {}).device == "cpu"

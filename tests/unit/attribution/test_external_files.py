"""Files behind the explainer ``external``: taken where they can be, refused by name where they cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attribution_toys import SmallAutoEncoder, clips, context_for, explain

from soundproof.attribution.registry import EXPLAINERS
from soundproof.core.errors import DataError

MAP = np.arange(60, dtype=np.float64).reshape(6, 10)


def save(path, values, **options):
    np.save(path, values, **options)


def cut_off(path, kept):
    save(path, MAP)
    path.write_bytes(path.read_bytes()[:kept])


def promise(path):
    """A header of 8 TB, and nothing behind it."""
    with path.open("wb") as stream:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
        np.lib.format.write_array_header_1_0(stream, header)


def npz(path):
    with path.open("wb") as stream:
        np.savez(stream, MAP)


def with_value(value):
    values = MAP.copy()
    values[2, 3] = value
    return values


BAD = {
    "cut in its values": (lambda path: cut_off(path, 200), "it is cut off"),
    "cut in its header": (lambda path: cut_off(path, 40), "it is cut off"),
    "cut in its first bytes": (lambda path: cut_off(path, 3), "it is no .npy file"),
    "empty": (lambda path: path.write_bytes(b""), "an empty file"),
    "a promise of terabytes": (promise, "it is cut off"),
    "objects": (lambda path: save(path, MAP.astype(object), allow_pickle=True), "holds Python objects"),
    "text": (lambda path: path.write_text("1 2 3\n"), "it is no .npy file"),
    "npz": (npz, "a .npz archive"),
    "complex": (lambda path: save(path, MAP + 1j), "complex128, which are no real numbers"),
    "words": (lambda path: save(path, MAP.astype(str)), "which are no real numbers"),
    "dates": (lambda path: save(path, MAP.astype("datetime64[s]")), "which are no real numbers"),
    "records": (lambda path: save(path, np.zeros((6, 10), [("a", "f4")])), "which are no real numbers"),
    "nan": (lambda path: save(path, with_value(np.nan)), "1 of 60 values are NaN, infinite"),
    "inf": (lambda path: save(path, with_value(-np.inf)), "1 of 60 values are NaN, infinite"),
    "too large": (lambda path: save(path, with_value(1e300)), "too large for single precision"),
    "transposed": (lambda path: save(path, MAP.T), "shape (10, 6)"),
    "flat": (lambda path: save(path, MAP.ravel()), "shape (60,)"),
    "one axis more": (lambda path: save(path, MAP[None]), "shape (1, 6, 10)"),
    "nothing in it": (lambda path: save(path, np.zeros((0, 10))), "shape (0, 10)"),
    "a folder": (lambda path: path.mkdir(), "no file"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_map_that_cannot_be_used_is_refused_by_name(tmp_path, kind):
    write, said = BAD[kind]
    write(tmp_path / "clip0.npy")
    x, ids = clips(1)
    with pytest.raises(DataError) as caught:
        EXPLAINERS["external"].load()(SmallAutoEncoder(), x, context_for("external", ids, path=tmp_path))
    assert "clip0.npy" in str(caught.value)
    assert said in caught.value.found


@pytest.mark.parametrize("kind", ["<f4", ">f8", "<f2", "i1", "u2", ">i4", "u8", "?", "longdouble"])
def test_real_numbers_of_any_width_and_byte_order_are_taken(tmp_path, kind):
    values = np.asarray(MAP, dtype=kind)
    np.save(tmp_path / "clip0.npy", np.asfortranarray(values))
    x, _ = clips(1)
    found = explain(SmallAutoEncoder(), "external", x, ["clip0"], path=tmp_path).relevance
    assert torch.equal(found[0], torch.from_numpy(values.astype(np.float32)))


@pytest.mark.parametrize("name", ["maps.npy", "maps.npz", "maps.txt"])
def test_a_file_that_is_no_table_of_maps_says_what_to_give(tmp_path, name):
    np.save(tmp_path / "other.npy", MAP)
    (tmp_path / "other.npy").rename(tmp_path / name)
    x, ids = clips(1)
    with pytest.raises(DataError, match=r"a folder with one <clip_id>\.npy per clip") as caught:
        EXPLAINERS["external"].load()(
            SmallAutoEncoder(), x, context_for("external", ids, path=tmp_path / name)
        )
    assert name in caught.value.asked

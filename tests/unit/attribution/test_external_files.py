"""Files behind the explainer ``external``: taken where they can be, refused by name where they cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toys.attribution import SmallAutoEncoder, clips, context_for, explain

from soundproof.attribution.map_grid import on_grid
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


@pytest.mark.parametrize("name", ["maps.npy", "maps.txt"])
def test_a_file_that_is_no_table_of_maps_says_what_to_give(tmp_path, name):
    np.save(tmp_path / "other.npy", MAP)
    (tmp_path / "other.npy").rename(tmp_path / name)
    x, ids = clips(1)
    with pytest.raises(DataError, match=r"a folder with one <clip_id>\.npy per clip") as caught:
        EXPLAINERS["external"].load()(
            SmallAutoEncoder(), x, context_for("external", ids, path=tmp_path / name)
        )
    assert name in caught.value.asked


IDS = ["clip0", "clip1", "clip2"]
STACK = np.stack([MAP, -MAP, MAP + 7])


def of_archive(path, ids, rows=(0, 1), **options):
    x, _ = clips(len(rows))
    return explain(
        SmallAutoEncoder(), "external", x, [ids[row] for row in rows], path=path, **options
    ).relevance


@pytest.mark.parametrize("rows", [(0, 1), (2, 0)])
def test_an_archive_holds_maps_by_id_in_either_form(tmp_path, rows):
    np.savez(tmp_path / "stack.npz", clip_ids=IDS, maps=STACK)
    np.savez_compressed(tmp_path / "names.npz", **dict(zip(IDS, STACK, strict=True)))
    for name in ("stack.npz", "names.npz"):
        found = of_archive(tmp_path / name, IDS, rows)
        assert torch.equal(found, torch.from_numpy(STACK[list(rows)].astype(np.float32)))


def test_an_archive_that_changed_is_read_anew(tmp_path):
    for factor in (1, 2):
        np.savez(tmp_path / "stack.npz", clip_ids=IDS, maps=factor * STACK)
        assert torch.equal(of_archive(tmp_path / "stack.npz", IDS)[0], torch.from_numpy(factor * MAP).float())


ARCHIVES = {
    "ids missing": ({"clip_ids": ["clip0"], "maps": STACK[:1]}, "none of clip1"),
    "a name missing": ({"clip1": MAP}, "none of clip0"),
    "an id twice": ({"clip_ids": ["clip0", "clip0"], "maps": STACK[:2]}, "2 ids (1 different) and 2 maps"),
    "fewer maps": ({"clip_ids": IDS, "maps": STACK[:2]}, "3 ids (3 different) and 2 maps"),
    "transposed": ({"clip_ids": IDS, "maps": STACK.transpose(0, 2, 1)}, "shape (2, 10, 6)"),
    "one map": ({"clip0": MAP, "clip1": MAP[None]}, "shape (1, 6, 10)"),
    "infinite": ({"clip0": MAP, "clip1": with_value(np.inf)}, "are NaN, infinite"),
    "words": ({"clip0": MAP.astype(str), "clip1": MAP}, "which are no real numbers"),
    "objects": ({"clip0": MAP.astype(object), "clip1": MAP}, "it holds Python objects"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_that_cannot_be_used_is_refused_by_name(tmp_path, kind):
    arrays, said = ARCHIVES[kind]
    np.savez(tmp_path / "maps.npz", **arrays)
    with pytest.raises(DataError) as caught:
        of_archive(tmp_path / "maps.npz", IDS)
    assert said in caught.value.found and "maps.npz" in caught.value.asked


def test_a_broken_archive_is_refused(tmp_path):
    np.savez(tmp_path / "maps.npz", clip_ids=IDS, maps=STACK)
    whole = (tmp_path / "maps.npz").read_bytes()
    for content in (whole[:-30], whole[:100], b"", b"words"):
        (tmp_path / "maps.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"numpy\.savez"):
            of_archive(tmp_path / "maps.npz", IDS)


def test_all_missing_clips_are_counted(tmp_path):
    np.save(tmp_path / "clip0.npy", MAP)
    with pytest.raises(
        DataError, match=r"of each of 8 clips(?s:.*)none of clip1, clip2, clip3, clip4, clip5 and 2 more"
    ):
        of_archive(tmp_path, [f"clip{row}" for row in range(8)], rows=range(8))


def test_another_resolution_is_brought_to_the_grid_where_that_is_asked_for(tmp_path):
    coarse = np.array([[1.0, 2.0, 3.0, 4.0, 6.0], [0.0, 5.0, -1.0, 2.0, 2.0], [7.0, 0.0, 0.0, 1.0, 1.0]])
    np.save(tmp_path / "clip0.npy", coarse)
    fine = coarse.repeat(2, axis=0).repeat(2, axis=1)
    found = of_archive(tmp_path, IDS, rows=[0], resolution="any")
    assert torch.allclose(found[0], torch.from_numpy(fine).float())
    with pytest.raises(DataError, match=r"shape \(3, 5\)(?s:.*)resolution: any"):
        of_archive(tmp_path, IDS, rows=[0])
    np.save(tmp_path / "clip0.npy", MAP.T)
    with pytest.raises(DataError, match="transpose them"):
        of_archive(tmp_path, IDS, rows=[0])


@pytest.mark.parametrize("shape", [(12, 30), (4, 7), (1, 1), (5, 10), (61, 13)])
def test_the_mean_of_a_map_stays_and_what_is_constant_stays_so(shape):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((2, *shape))
    found = on_grid("maps", values, (6, 10), "any")
    assert found.shape == (2, 6, 10)
    assert found.mean(axis=(1, 2)) == pytest.approx(values.mean(axis=(1, 2)))
    assert np.allclose(on_grid("maps", np.ones((1, *shape)), (6, 10), "any"), 1)


def test_a_cell_gets_the_mean_over_what_it_covers():
    # three cells onto two: each of the two covers one whole cell and half of the middle one
    assert on_grid("maps", np.array([[3.0, 6.0, 12.0]]), (1, 2), "any").tolist() == [[4.0, 10.0]]
    # two onto three: the middle one covers half of each
    assert on_grid("maps", np.array([[2.0, 8.0]]), (1, 3), "any")[0] == pytest.approx([2.0, 5.0, 8.0])

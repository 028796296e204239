import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from toys.detectors import noise

from soundproof.core.errors import DataError
from soundproof.detectors.embedding import neighbours
from soundproof.detectors.embedding.neighbours import distances, search

SHORT_OF_MEMORY = """
import logging, resource, sys
import torch
from soundproof.detectors.embedding import neighbours

generator = torch.Generator().manual_seed(0)
bank, queries = (torch.randn(n, 8, generator=generator) for n in (20_000, 4096))
expected = neighbours.search(queries, bank, 2)
with open("/proc/self/statm") as file:
    taken = int(file.read().split()[0]) * resource.getpagesize()
# products of 4096 queries take 256 MiB
resource.setrlimit(resource.RLIMIT_AS, (taken + (150 << 20),) * 2)
neighbours._QUERIES = 4096
logging.basicConfig(stream=sys.stdout)
print(torch.equal(neighbours.search(queries, bank, 2), expected))
"""


def by_force(queries, bank, k):
    """All distances in float64, sorted, ties in the order of the bank."""
    squared = (queries.double()[:, None] - bank.double()[None]).square().sum(dim=2)
    return squared.sort(dim=1, stable=True).indices[:, :k]


@pytest.mark.parametrize("k", [1, 5])
def test_it_finds_what_brute_force_finds(k):
    bank, queries = noise(200, 32), noise(50, 32, seed=1)
    found = search(queries, bank, k)
    assert torch.equal(found, by_force(queries, bank, k))
    oracle = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(bank.numpy())
    away, rows = oracle.kneighbors(queries.numpy())
    np.testing.assert_array_equal(found, rows)
    np.testing.assert_allclose(distances(queries[:, None], bank[found]), away, rtol=1e-5)


def test_a_vector_is_its_own_nearest_at_distance_zero_however_far_from_the_origin():
    # with |x|² - 2 x.y + |y|² in float32 these would be up to 100 away from themselves
    bank = noise(300, 64) + 3000
    found = search(bank, bank, 1)[:, 0]
    assert torch.equal(found, torch.arange(300))
    assert (distances(bank, bank[found]) == 0).all()


def test_far_from_the_origin_the_order_is_right_too():
    bank, queries = noise(400, 16) + 500, noise(30, 16, seed=1) + 500
    assert torch.equal(search(queries, bank, 3), by_force(queries, bank, 3))


def test_copies_are_found_in_the_order_of_the_bank():
    # more copies than there are spare candidates
    few = noise(5, 8)
    bank = few.repeat(40, 1)
    found = search(few, bank, 3)
    assert torch.equal(found, torch.arange(5)[:, None] + torch.tensor([0, 5, 10]))


def test_chunks_change_nothing(monkeypatch):
    bank, queries = noise(500, 12), noise(101, 12, seed=2)
    whole = search(queries, bank, 4)
    monkeypatch.setattr(neighbours, "_QUERIES", 7)
    monkeypatch.setattr(neighbours, "_BANK", 13)
    monkeypatch.setattr(neighbours, "_GATHERED", 50)
    assert torch.equal(search(queries, bank, 4), whole)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
def test_where_memory_runs_out_it_goes_on_in_smaller_chunks_and_says_so():
    done = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY], capture_output=True, text=True, check=True, timeout=120
    )
    assert "search for neighbours: memory ran out; going on with chunks of 2048" in done.stdout
    assert done.stdout.splitlines()[-1] == "True"


def test_too_few_are_refused():
    with pytest.raises(DataError, match=r"4 nearest.*\n.*3 vectors"):
        search(noise(2, 3), noise(3, 3), 4)


def test_distances_have_gradients_also_at_zero():
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    away = distances(x, torch.zeros(2, 2))
    away.sum().backward()
    assert away.tolist() == [5.0, 0.0]
    torch.testing.assert_close(x.grad, torch.tensor([[0.6, 0.8], [0.0, 0.0]]))

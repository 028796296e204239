"""A memory of normal patches, compared with by nearest neighbours: over all frequencies or band by band."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.detector import EmbeddingDetector
from soundproof.detectors.embedding.neighbours import distances, search
from soundproof.detectors.embedding.settings import MemorySettings, resolved
from soundproof.interfaces.backbone import Backbone


class MemoryDetector(EmbeddingDetector):
    """A detector that keeps normal patches, with the row of the patch grid that each comes from."""

    settings: MemorySettings
    bank: Tensor
    bank_rows: Tensor

    def __init__(
        self, shape: tuple[int, int], settings: MemorySettings, backbone: Backbone | None = None
    ) -> None:
        super().__init__(shape, settings, backbone)
        self.register_buffer("bank", torch.zeros(0, len(self.channel_scale)))
        self.register_buffer("bank_rows", torch.zeros(0, dtype=torch.int64))
        self.band_rows: int | Literal["all"] = resolved(settings, "band_rows", self.published)

    def remember(self, of_rows: list[Tensor]) -> None:
        """Keep normal vectors: a list of [n, n_dims] per row of the grid, or one of them for all rows."""
        counts = torch.tensor([len(vectors) for vectors in of_rows])
        self.bank = torch.cat(of_rows)
        self.bank_rows = torch.arange(len(of_rows)).repeat_interleave(counts).to(self.bank.device)

    def refuse_few(self, n_rows: int, n_neighbours: int) -> None:
        """Check that each row finds enough neighbours.

        Raises:
            DataError: A row has fewer normal vectors than neighbours are asked for.
        """
        for row in range(n_rows):
            start, end = self.span(row)
            if end - start < n_neighbours:
                raise DataError(
                    f"{n_neighbours} nearest neighbour(s) of patches in row {row} of the patch grid",
                    f"{end - start} normal vectors to compare with",
                    "lower 'neighbours', keep more patches, raise 'band_rows', or add training clips",
                )

    def span(self, row: int) -> tuple[int, int]:
        """Part of the bank that patches of a row are compared with: from (included) and to (excluded)."""
        if self.band_rows == "all":
            return 0, len(self.bank)
        ends = torch.tensor([row - self.band_rows, row + self.band_rows + 1], device=self.bank_rows.device)
        start, end = torch.searchsorted(self.bank_rows, ends).tolist()
        return start, end

    def neighbours(self, vectors: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """The ``k`` nearest normal vectors of each.

        Args:
            vectors: [B, rows, columns, n_dims].
            k: Neighbours.

        Returns:
            Distances [B, rows, columns, k], differentiable, nearest first; rows of the bank, of the same shape.
        """
        n_clips, n_rows, n_columns, n_dims = vectors.shape
        if self.band_rows == "all":
            found = search(vectors.reshape(-1, n_dims), self.bank, k).view(n_clips, n_rows, n_columns, k)
        else:
            of_rows = []
            for row in range(n_rows):
                start, end = self.span(row)
                of_row = search(vectors[:, row].reshape(-1, n_dims), self.bank[start:end], k)
                of_rows.append(of_row.view(n_clips, n_columns, k) + start)
            found = torch.stack(of_rows, dim=1)
        # a neighbour at a time: all together would hold k copies of the patches
        away = [distances(vectors, self.bank[found[..., neighbour]]) for neighbour in range(k)]
        return torch.stack(away, dim=-1), found

    def redraw_memory(self, generator: torch.Generator) -> None:
        """Replace normal vectors by random ones with the same mean and deviation in each dimension."""
        if len(self.bank):
            deviation, mean = torch.std_mean(self.bank, dim=0, correction=0)
            drawn = torch.randn(self.bank.shape, generator=generator).to(self.bank)
            self.bank = drawn * deviation + mean

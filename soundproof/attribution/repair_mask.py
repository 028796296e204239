"""Repair mask: the smallest set of cells whose repair makes a clip normal again.

A mask m of values from 0 to 1 says how far each cell of a clip x moves towards its replacement r; the repaired clip
is ``(1 - m) x + m r``. From the empty mask on, steps go down the slope of

    (score - limit) / (score of x - limit)  +  price * (size * mean of m + roughness * TV(m))

where the limit is a quantile of the normal training clips' scores, TV the mean variation between neighbours,
smoothed near 0, and the price halves ten times over the steps: at first only cells move that bring the score down
by more than they cost, then ever lesser ones. A step moves the fastest cell of each clip equally far. Where the
score is within the limit, and stays there when the cells of the mask are repaired in full, the search ends. Who has
not got there by the last step has all cells repaired, in one step more.

After L-MAC (Paissan et al. 2024, arXiv 2403.13086), which masks what a classifier's decision needs; here the mask
is each clip's own, and what is masked is not silenced but repaired, so that the least score is a normal clip's.

A cell's relevance is its mean over the masks of all steps: cells that are needed first have most. The shortest head
of this ranking whose repair in full is normal, found by halving, is the set; other cells have relevance 0.
"""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.attribution.settings import RepairMaskSettings
from soundproof.detectors.background import background, known_normal
from soundproof.detectors.batching import in_passes
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation

_HALVINGS = 10
"""How often the price of cells halves over the steps."""
_SMOOTH = 0.05
"""Differences of neighbours far below this count by their square in the total variation."""


def explain(detector: Detector, x: Tensor, context: ExplainContext[RepairMaskSettings]) -> Explanation:
    """Return relevance between 0 and 1, [B, n_freq, n_frames]: 0 outside of what has to be repaired.

    Of each clip, [B]: ``normal_already``, 1 where its score is within the limit and the map is empty;
    ``never_normal``, 1 where no mask brings it there, nor the repair of all cells (its map is what was tried);
    and, of the others, ``repaired_share``, the part of all cells that is repaired, beside
    ``repaired_share_at_random``, what it takes in random order (1: no fewer than all cells).

    Raises:
        ConfigError: Nobody gave normal clips, or a reconstruction is asked for and the detector has none.
        DataError: There is no normal training clip.
    """
    settings, size = context.settings, context.rows_per_pass
    normal = known_normal(context.normal, f"the normal range for explainer '{context.method}'")
    scores = [normal.scores(detector, clip_id, size) for clip_id in context.clip_ids]
    limit = torch.stack([torch.quantile(one, settings.quantile) for one in scores]).to(x.device)
    with torch.no_grad():
        repair = background(detector, x, settings.replacement, size, normal)
    search = _Search(detector, x.detach(), repair, limit, settings, size)
    search.run()
    relevance = torch.where(search.mask > 0, search.mean_mask, 0)
    repaired = ~search.already & ~search.never
    order = relevance.flatten(1).argsort(dim=1, descending=True, stable=True)
    share = search.shortest_head(order, (search.mask > 0).flatten(1).sum(dim=1), repaired)
    head = _head(order, share * repaired).view_as(x)
    drawn = [torch.rand(x[0].numel(), generator=context.generator(name)) for name in context.clip_ids]
    at_random = torch.stack(drawn).to(x.device).argsort(dim=1, stable=True)
    cells = torch.full_like(share, x[0].numel())
    shares = {
        "repaired_share": share,
        "repaired_share_at_random": search.shortest_head(at_random, cells, repaired),
    }
    return Explanation(
        torch.where(head | search.never[:, None, None], relevance, 0),
        {
            "normal_already": search.already,
            "never_normal": search.never,
            **{name: torch.where(repaired, n / x[0].numel(), torch.nan) for name, n in shares.items()},
        },
    )


class _Search:
    """The search of all clips of a batch; each is on its own.

    Attributes:
        mask: Where it ended [B, n_freq, n_frames].
        mean_mask: Mean of the masks of all steps, likewise.
        already: Clips whose score was within the limit, bool [B].
        never: Clips whose score never was, bool [B].
    """

    def __init__(
        self,
        detector: Detector,
        x: Tensor,
        repair: Tensor,
        limit: Tensor,
        settings: RepairMaskSettings,
        rows_per_pass: int,
    ) -> None:
        self._detector, self._x, self._repair, self._limit = detector, x, repair, limit
        self._settings, self._rows_per_pass = settings, rows_per_pass
        self.mask, self.mean_mask = torch.zeros_like(x), torch.zeros_like(x)
        self.already = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        self.never = torch.ones_like(self.already)

    def run(self) -> None:
        """Move all masks until their clips are normal, or the steps are used up."""
        excess = torch.ones_like(self._limit)
        for step in range(self._settings.steps):
            clips = self.never.nonzero()[:, 0]
            if not len(clips):
                return
            found = in_passes(self._score_and_slope, clips, self._rows_per_pass)
            score, slope = found[:, 0].double(), found[:, 1:].view_as(self._x[clips])
            if step == 0:
                excess = score - self._limit
                self.already = excess <= 0
                self.never = going = ~self.already
            else:
                going = ~self._settle(clips, score)
            clips, slope = clips[going], slope[going]
            if len(clips):
                self._move(clips, slope / excess[clips, None, None].to(slope), step)
        clips = self.never.nonzero()[:, 0]
        if len(clips):
            clips = clips[~self._settle(clips, self._scores(self.mask[clips], clips))]
        if len(clips):
            everything = torch.ones_like(self.mask[clips])
            inside = self._scores(everything, clips) <= self._limit[clips]
            self._take(clips[inside], everything[inside], self._settings.steps)
            self.never[clips[inside]] = False

    def shortest_head(self, order: Tensor, at_most: Tensor, clips: Tensor) -> Tensor:
        """Fewest first cells of an order, found by halving, whose repair in full is normal.

        Args:
            order: Cells of each clip, int64 [B, n_freq * n_frames].
            at_most: Cells of the longest head [B].
            clips: For which clips, bool [B].

        Returns:
            Counts [B]; ``at_most`` where no shorter head was found.
        """
        low, high = torch.zeros_like(at_most), at_most.clone()
        while len(open_ := (clips & (high - low > 1)).nonzero()[:, 0]):
            middle = (low + high)[open_] // 2
            head = _head(order[open_], middle).view_as(self._x[open_])
            inside = self._scores(head.to(self._x), open_) <= self._limit[open_]
            high[open_] = torch.where(inside, middle, high[open_])
            low[open_] = torch.where(inside, low[open_], middle)
        return high

    def _settle(self, clips: Tensor, score: Tensor) -> Tensor:
        """End the search of clips that are normal as masked and with all masked cells repaired; which [n]."""
        near = clips[score <= self._limit[clips]]
        if len(near):
            inside = self._scores((self.mask[near] > 0).to(self._x), near) <= self._limit[near]
            self.never[near[inside]] = False
        return ~self.never[clips]

    def _scores(self, mask: Tensor, clips: Tensor) -> Tensor:
        """Scores of clips as a mask repairs them, float64 [n]."""
        rows = torch.lerp(self._x[clips], self._repair[clips], mask)
        with torch.no_grad():
            return in_passes(self._detector.score, rows, self._rows_per_pass).double()

    def _score_and_slope(self, clips: Tensor) -> Tensor:
        """Score of each repaired clip, and its slope along each cell of the mask, [n, 1 + n_freq * n_frames]."""
        with torch.enable_grad():
            mask = self.mask[clips].requires_grad_()
            score = self._detector.score(torch.lerp(self._x[clips], self._repair[clips], mask))
            (slope,) = torch.autograd.grad(score.sum(), mask)
        return torch.cat([score.detach()[:, None].to(slope), slope.flatten(1)], dim=1)

    def _move(self, clips: Tensor, slope: Tensor, step: int) -> None:
        mask, price = self.mask[clips], 2 ** (-_HALVINGS * step / self._settings.steps)
        cost = self._settings.size / mask[0].numel() + self._settings.roughness * _slope_of_variation(mask)
        way = -(slope + price * cost)
        # cells at an end of their range cannot go on, and must not hold up the others
        way = torch.where(((mask <= 0) & (way < 0)) | ((mask >= 1) & (way > 0)), 0, way)
        fastest = way.abs().amax(dim=(1, 2), keepdim=True)
        moved = mask + self._settings.step * way / torch.where(fastest > 0, fastest, 1)
        self._take(clips, moved.clamp(0, 1), step)

    def _take(self, clips: Tensor, mask: Tensor, step: int) -> None:
        self.mask[clips] = mask
        self.mean_mask[clips] = torch.lerp(self.mean_mask[clips], mask, 1 / (step + 1))


def _head(order: Tensor, counts: Tensor) -> Tensor:
    """The first cells of each order [n, cells], bool likewise."""
    first = torch.arange(order.shape[1], device=order.device) < counts[:, None]
    return torch.zeros_like(first).scatter(1, order, first)


def _slope_of_variation(mask: Tensor) -> Tensor:
    """Slope of the mean total variation of masks [n, n_freq, n_frames] along each cell."""
    slope = torch.zeros_like(mask)
    for axis in (1, 2):
        step = mask.diff(dim=axis)
        pull = step / (step.square() + _SMOOTH**2).sqrt()
        length = mask.shape[axis]
        slope.narrow(axis, 1, length - 1).add_(pull)
        slope.narrow(axis, 0, length - 1).sub_(pull)
    return slope / mask[0].numel()

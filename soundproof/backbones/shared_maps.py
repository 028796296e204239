"""Maps of a backbone that several detectors of a job ask for, computed once.

Detectors on patches look at the same clips, many of them through the same network, whose pass is most of what
a score costs. What is shared is a whole batch: the last digit of a clip may hang on the size of its batch, and
no result may depend on what was asked before.
"""

from __future__ import annotations

import hashlib
import time
from typing import Self
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from soundproof.backbones.digests import tensors_digest
from soundproof.interfaces.backbone import Backbone
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.storage.provenance import digest

_PART = 4
"""A job's memory for maps, over what it may keep for the next detector."""

_State = list[tuple[Tensor, int]]


class SharedMaps:
    """Keeps maps of batches within a budget; what comes first stays.

    Detectors go through their clips in one order: of more batches than there is room for, the oldest is the next
    that is asked for again.

    Args:
        memory_budget_bytes: What the job may fill with maps; a quarter of it is used.

    Attributes:
        computed: Batches that went through a network.
        found: Batches that did not have to.
        spared_s: Seconds that these took when they were computed.
    """

    def __init__(self, memory_budget_bytes: int) -> None:
        self._room = memory_budget_bytes // _PART
        self._maps: dict[tuple[str, str], tuple[list[Tensor], float]] = {}
        self._statistics: dict[tuple[str, str], dict[str, Tensor]] = {}
        self._learnt: dict[tuple[str, ...], dict[str, Tensor]] = {}
        self._known: WeakKeyDictionary[Backbone, tuple[_State, str]] = WeakKeyDictionary()
        self.computed = 0
        self.found = 0
        self.spared_s = 0.0

    def __deepcopy__(self, _: dict[int, object]) -> Self:
        """A copied detector shares with the one it was copied from: maps are told by content."""
        return self

    def serve(self, *networks: torch.nn.Module) -> None:
        """Let all backbones within these share what they compute."""
        for network in networks:
            for module in network.modules():
                if isinstance(module, Backbone):
                    module.shared = self

    def maps(self, backbone: Backbone, x: Tensor) -> list[Tensor]:
        """Maps of ``x`` [B, n_freq, n_frames] as the backbone makes them, which nobody may change.

        Passes that somebody differentiates are not shared.
        """
        if torch.is_grad_enabled() and (
            x.requires_grad or any(p.requires_grad for p in backbone.parameters())
        ):
            return self._made(backbone, x)[0]
        key = self._digest(backbone), _batch_digest(x)
        if key in self._maps:
            made, seconds = self._maps[key]
            self.found += 1
            self.spared_s += seconds
            return list(made)
        made, seconds = self._made(backbone, x)
        size = sum(layer.nbytes for layer in made)
        if size <= self._room:
            self._room -= size
            self._maps[key] = made, seconds
        return list(made)

    def calibrate(self, backbone: Backbone, x: Tensor) -> None:
        """Set the backbone's buffers by the clips ``x`` [n, n_freq, n_frames] as it does itself."""
        key = self._digest(backbone), _batch_digest(x)
        if key not in self._statistics:
            backbone.calibrate(x)
            self._statistics[key] = {name: buffer.clone() for name, buffer in backbone.named_buffers()}
            return
        for name, buffer in backbone.named_buffers():
            buffer.copy_(self._statistics[key][name])

    def learn(self, backbone: Backbone, clips: TrainingClips, run: TrainingRun) -> None:
        """Let the backbone learn from the clips, or give it what an equal one has learnt from them.

        Of the maps only the first and the last are read to tell clips apart: another recipe changes every one.
        """
        ids = digest([*clips.frame["clip_id"], run.seed])
        some = _batch_digest(clips.read([0, len(clips) - 1]))
        key = self._digest(backbone), backbone.learns, ids, some
        if key not in self._learnt:
            backbone.learn(clips, run)
            self._learnt[key] = {name: value.clone() for name, value in backbone.state_dict().items()}
            return
        backbone.load_state_dict(self._learnt[key])

    def _made(self, backbone: Backbone, x: Tensor) -> tuple[list[Tensor], float]:
        """Maps, and the seconds that they took."""
        self.computed += 1
        start = time.perf_counter()
        made: list[Tensor] = backbone(x)
        if x.is_cuda:
            # kernels have only been asked for until then
            torch.cuda.synchronize(x.device)
        return made, time.perf_counter() - start

    def _digest(self, backbone: Backbone) -> str:
        """What tells networks apart; weights are read again where one of them was written to."""
        tensors = backbone.state_dict(keep_vars=True)
        state = [(tensor, tensor._version) for tensor in tensors.values()]
        before, digest = self._known.get(backbone, ([], ""))
        if not digest or not _same(before, state):
            facts = f"{type(backbone)} {backbone.shape} {backbone.layers}"
            digest = f"{facts} {tensors_digest(tensors)}"
            self._known[backbone] = state, digest
        return digest


def _same(one: _State, other: _State) -> bool:
    """Whether these are the same tensors, and none was written to in between."""
    return len(one) == len(other) and all(
        a is b and written == now for (a, written), (b, now) in zip(one, other, strict=True)
    )


def _batch_digest(x: Tensor) -> str:
    values = x.detach().cpu().contiguous()
    content = hashlib.sha256(f"{x.device} {values.dtype} {tuple(values.shape)}".encode())
    content.update(values.numpy().tobytes())
    return content.hexdigest()

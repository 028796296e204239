"""Where a job computes, and what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.core.errors import ConfigError
from soundproof.weights.place import use_data_dir

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Runtime:
    """Where a job computes and what it may use; this shapes no result beyond float rounding.

    Attributes:
        wanted: ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.
        threads: CPU threads; the order of float sums depends on it, so it is fixed by the configuration and
            not taken from the machine.
        memory_budget_bytes: Memory that may be filled with maps.
    """

    wanted: str
    threads: int
    memory_budget_bytes: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Runtime:
        """Read the run's configuration, which also says where pretrained weights are."""
        use_data_dir(Path(config["data_dir"]))
        return cls(config["device"], config["threads"], config["memory_budget_mb"] << 20)

    def device(self) -> torch.device:
        """Choose the device and make torch deterministic on it.

        Raises:
            ConfigError: A GPU is wanted, and torch finds none.
        """
        import torch

        from soundproof.training.determinism import set_determinism

        set_determinism(self.threads)
        there = torch.cuda.is_available()
        if self.wanted == "auto":
            return torch.device("cuda" if there else "cpu")
        if self.wanted == "cuda" and not there:
            built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU only"
            raise ConfigError(
                "device 'cuda'",
                f"torch {torch.__version__}, built for {built}, finds no GPU",
                "set 'device: cpu'; or see that the job gets a GPU, and install with 'scripts/setup.sh gpu'",
            )
        return torch.device(self.wanted)

"""Where a job computes, and what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.core.errors import ConfigError
from soundproof.interfaces.precision import Precision
from soundproof.weights.place import use_data_dir

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Runtime:
    """Where a job computes and what it may use; but for the precision, this shapes no result beyond float rounding.

    Attributes:
        wanted: ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.
        threads: CPU threads; the order of float sums depends on it, so it is fixed by the configuration and
            not taken from the machine.
        memory_budget_bytes: Memory that may be filled with maps.
        precision: How exactly GPUs compute.
    """

    wanted: str
    threads: int
    memory_budget_bytes: int
    precision: Precision = "strict"

    @classmethod
    def of(cls, config: Mapping[str, Any], study: str) -> Runtime:
        """Read the run's configuration, which also says where pretrained weights are.

        Args:
            config: The run's configuration, with ``precision`` by study.
            study: Study of the job.
        """
        use_data_dir(Path(config["data_dir"]))
        budget = config["memory_budget_mb"] << 20
        return cls(config["device"], config["threads"], budget, config["precision"][study])

    def device(self) -> torch.device:
        """Choose the device and make torch deterministic on it.

        Raises:
            ConfigError: A GPU is wanted, and torch finds none.
        """
        import torch

        from soundproof.training.determinism import set_determinism

        set_determinism(self.threads, self.precision)
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

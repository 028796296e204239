"""A model that is a file: calling it, and telling what goes wrong in words of the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from soundproof.core.errors import ConfigError, DataError


class Calls:
    """Passes through such a model, whose errors are told as its own.

    Args:
        name: Name of the file.
        shape: (n_freq, n_frames) of the maps.
    """

    def __init__(self, name: str, shape: tuple[int, int]) -> None:
        self.name = name
        self.shape = shape

    @contextmanager
    def calling(self, what: str) -> Iterator[None]:
        """Run the model.

        Raises:
            DataError: It failed.
        """
        try:
            yield
        except (MemoryError, DataError, ConfigError):
            raise
        except Exception as error:
            if "out of memory" in str(error):
                # a smaller pass may do
                raise
            raise DataError(
                f"{what} of the model '{self.name}' on maps {self.shape}",
                f"{type(error).__name__}: {' '.join(str(error).split())}",
                "export it for maps of this size, or with free axes; see 'input' of the detector, too",
            ) from error

"""A model that is a file: calling it, and telling what goes wrong in words of the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from soundproof.core.errors import ConfigError, DataError


class Calls:
    """Passes through such a model, whose errors are told as its own.

    Args:
        name: Name of the file.
        given: What it is asked about, for messages.
    """

    def __init__(self, name: str, given: str) -> None:
        self.name = name
        self.given = given

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
                f"{what} of the model '{self.name}' on {self.given}",
                f"{type(error).__name__}: {' '.join(str(error).split())}",
                "export it for input of this size, or with free axes; see 'input' of the detector, too",
            ) from error

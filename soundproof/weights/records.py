"""Records of the catalogue that hold weights which something here uses."""

from __future__ import annotations

from soundproof.core.errors import ConfigError, nearest
from soundproof.downloads.catalogue import Record, catalogue


def recorded(name: str) -> Record:
    """The catalogue's record of some weights.

    Raises:
        ConfigError: It has none of that name that anything here uses.
    """
    known = [key for key, record in catalogue().items() if record.kept is not None]
    if name not in known:
        raise ConfigError(f"weights '{name}'", "no such weights in the catalogue", nearest(name, known))
    return catalogue()[name]

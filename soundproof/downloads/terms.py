"""Say what may be done with a data set before it is fetched."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from soundproof.downloads.remote_file import RemoteFile

log = logging.getLogger(__name__)

_said: set[str] = set()


def say_terms(remotes: Iterable[RemoteFile]) -> None:
    """Tell log and terminal whose the files are and what their licences ask for; each once per process."""
    for terms in dict.fromkeys(remote.terms for remote in remotes if remote.terms):
        if terms not in _said:
            _said.add(terms)
            # a warning, since jobs show nothing less on the terminal
            log.warning("terms of use of %s", terms)

"""Write pages that show clips: one page, a file per clip that is read when somebody looks at it, sounds as WAV.

A page opens from disk. Browsers forbid a page from disk to fetch anything, so data come as scripts.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from soundproof.core.errors import ConfigError
from soundproof.explorer.cells import Coarseness, packed
from soundproof.explorer.scripts import clip_script, row_of, sound_file, sound_name, study_script
from soundproof.explorer.view import ClipView, Collection
from soundproof.illustrations.roles import CLIP
from soundproof.report.rendering import rendered
from soundproof.storage.files import whole_folder

_log = logging.getLogger(__name__)

PAGE = "index.html"
CLIPS = "clips"
"""Folder of the clips' files, beside the page."""
LIBRARY = ("wavesurfer.min.js", "regions.min.js", "wavesurfer.LICENSE")
"""Files of the library that draws and plays sounds; they lie beside the page."""
MEGABYTES = 60.0
LEAST = 0.4
"""Part of the room that is for maps, however long the sounds are."""
MARGIN = 1.05
"""Room that is kept for maps to come, as a part of what they take by the clips that were tried."""
FEWEST = 16
"""Rows and columns of the coarsest map."""
TRIED = 6
"""Clips whose size is taken before all are written."""
NO_SOUND = "there was no room for its sound (raise 'megabytes' of the study's 'explorer')"
NO_PAIR = "there was no room for the sounds that maps cut out of it"
NO_CLIP = "there was no room for them (raise 'megabytes' of the study's 'explorer')"
_TEMPLATES = Path(__file__).parent / "templates"

Views = Callable[[Sequence[str]], Iterable[ClipView]]
"""Gives what is shown of the clips that it is asked for, one after the other in their order."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        page: The page.
        n_bytes: Size of all files.
        without_sound: Clips for whose sounds, or some of them, there was no room.
        left_out: Clips for which there was no room at all.
        coarseness: Cells that are shown as one.
    """

    page: Path
    n_bytes: int
    without_sound: tuple[str, ...]
    left_out: tuple[str, ...]
    coarseness: Coarseness


def write_explorer(
    folder: Path, collection: Collection, clips: Sequence[str], views: Views, megabytes: float = MEGABYTES
) -> Written:
    """Write the page of some clips into a folder of its own, which is replaced whole.

    Args:
        folder: Where; the page is ``index.html`` in it.
        collection: What the clips share.
        clips: Ids of the clips, fit for file names, in the order of the list.
        views: What is shown of them.
        megabytes: Room for all files. Where maps would not fit they are shown coarser, then sounds are left out,
            then clips.

    Raises:
        ConfigError: There is no clip.
        ArtefactError: Parts of a clip are of different shapes.
    """
    if not clips:
        raise ConfigError(f"clips to show in {folder}", "no clip is explained", "explain some")
    with whole_folder(folder) as partial:
        files = _Files(partial, collection, round(megabytes * 1e6))
        files.write(clips, views)
        written = files.told(folder)
        # a folder that holds files is not replaced by renaming
        shutil.rmtree(folder, ignore_errors=True)
    return written


def write_clip_page(folder: Path, collection: Collection, view: ClipView) -> Written:
    """Write the page of a single clip: that of :func:`write_explorer` without a list of clips.

    Args:
        folder: Where; the page is ``index.html`` in it.
        collection: Names of detectors and explainers, scores of normal clips.
        view: The clip, its maps, sounds and numbers.

    Raises:
        ArtefactError: Parts of the clip are of different shapes.
    """
    return write_explorer(folder, collection, [view.clip_id], lambda _: [view])


class _Files:
    """The files of one page, as they are written."""

    def __init__(self, folder: Path, collection: Collection, room: int) -> None:
        self._folder, self._collection, self._room = folder, collection, room
        self._n_bytes = 0
        self._coarseness = Coarseness()
        self._without_sound: list[str] = []
        self._left_out: list[str] = []

    def write(self, clips: Sequence[str], views: Views) -> None:
        """Write all files."""
        for name in LIBRARY:
            self._save(name, (_TEMPLATES / name).read_bytes())
        self._save(PAGE, _page(self._collection).encode())
        # written last, with the list; what does not depend on the list takes its room now
        self._room -= len(study_script(self._collection, self._coarseness, [], []))
        tried = list(views(clips[:: -(-len(clips) // TRIED)]))
        of_maps = self._fit(tried, len(clips))
        rows: list[str] = []
        for done, view in enumerate(views(clips)):
            # maps go before sounds: those of the clips to come must find their room
            row = self._clip(view, reserved=round(MARGIN * of_maps * (len(clips) - done - 1)))
            if row is None:
                self._left_out += clips[done:]
                break
            rows.append(row)
        facts = study_script(self._collection, self._coarseness, rows, self._left_out)
        self._save("study.js", facts)

    def told(self, folder: Path) -> Written:
        """What was written, once the folder has its name."""
        for words, those in ((NO_SOUND, self._without_sound), (NO_CLIP, self._left_out)):
            if those:
                _log.warning("%d clips of %s: %s", len(those), folder, words)
        return Written(
            folder / PAGE,
            self._n_bytes,
            tuple(self._without_sound),
            tuple(self._left_out),
            self._coarseness,
        )

    def _fit(self, tried: Sequence[ClipView], n_clips: int) -> float:
        """Make maps as coarse as it takes for those of all clips to fit; returns the bytes of a clip's."""
        heard = sum(len(sound_file(one)) for view in tried for one in view.sounds if one.role == CLIP)
        room = (self._room - self._n_bytes) / n_clips
        room = max(LEAST * room, room / MARGIN - heard / len(tried))
        shape = tried[0].axes.shape
        while True:
            of_clip = sum(self._size(view) for view in tried) / len(tried)
            coarser = self._coarseness.coarser(shape)
            if of_clip <= room or min(coarser.cells(shape)) < FEWEST:
                return of_clip
            self._coarseness = coarser

    def _size(self, view: ClipView) -> int:
        """Bytes of a clip without its sounds."""
        maps = packed(self._coarseness.shown(view))
        return len(clip_script(view, maps, self._collection, (), "")) + len(
            row_of(view, self._collection, heard=True)
        )

    def _clip(self, view: ClipView, reserved: int) -> str | None:
        """Write the files of a clip and return its row of the list; None where there is no room for its maps."""
        maps, room = packed(self._coarseness.shown(view)), self._room - self._n_bytes
        alone = [sound for sound in view.sounds if sound.role == CLIP]
        for sounds, silent in ((view.sounds, view.silent), (alone, NO_PAIR), ((), NO_SOUND)):
            row = row_of(view, self._collection, heard=bool(sounds))
            script = clip_script(view, maps, self._collection, sounds, silent)
            files = {sound_name(view, sound): sound_file(sound) for sound in sounds}
            needed = len(row) + len(script) + sum(map(len, files.values()))
            if needed <= room - (reserved if sounds else 0):
                break
        else:
            return None
        if len(sounds) < len(view.sounds):
            self._without_sound.append(view.clip_id)
        self._save(f"{CLIPS}/{view.clip_id}.js", script)
        for name, content in files.items():
            self._save(f"{CLIPS}/{name}", content)
        # the list is written last
        self._room -= len(row)
        return row

    def _save(self, name: str, content: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self._n_bytes += len(content)


def _page(collection: Collection) -> str:
    return rendered(collection.template, _TEMPLATES, collection=collection, **collection.facts)

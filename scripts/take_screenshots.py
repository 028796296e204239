"""Take the pictures of docs/images anew from a finished run: ./run python scripts/take_screenshots.py.

Chromium is brought by scripts/install-browser.sh. Pictures are brought to few colours, so that they stay small.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
COLOURS = 128
LARGEST = 150_000
"""Bytes of a picture at most."""


def main() -> int:
    """Open each page and save its top."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=ROOT / "results" / "bench", help="a finished run")
    parser.add_argument("--study", default="p1", help="study of the run to show")
    parser.add_argument("--explained", type=Path, help="folder that `soundproof explain` has written")
    parser.add_argument("--kit", type=Path, help="folder that `soundproof study-kit make` has written")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images", help="where pictures go")
    chosen = parser.parse_args()
    pages = {
        "landing_page": chosen.run / "index.html",
        "study_page": chosen.run / chosen.study / "index.html",
        "explorer": chosen.run / chosen.study / "explorer" / "index.html",
        "explained_recording": chosen.explained / "index.html" if chosen.explained else None,
        "user_study": chosen.kit / "page" / "index.html" if chosen.kit else None,
    }
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("no Chromium: scripts/install-browser.sh installs it")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = running.new_page(viewport={"width": 1280, "height": 1000})
        for name, path in pages.items():
            if path is None or not path.is_file():
                sys.stdout.write(f"{name}: left out, no {path or 'page (--explained, --kit)'}\n")
                continue
            page.goto(path.resolve().as_uri())
            _settle(page)
            content = _small(page.screenshot())
            (chosen.folder / f"{name}.png").write_bytes(content)
            sys.stdout.write(f"{name}: {len(content)} bytes\n")
        running.close()
    return 0


def _settle(page: Page) -> None:
    """Wait until pictures are there, and what scripts draw."""
    page.evaluate("[...document.images].forEach((one) => { one.loading = 'eager' })")
    page.wait_for_function("[...document.images].every((one) => one.complete)")
    if page.locator("#clip").count():
        page.wait_for_selector("#clip:not([hidden])")
    if page.locator("#begin").count():
        page.locator("#rater").fill("R01")
        page.locator("#agree").check()
        page.locator("#begin button").click()
        page.wait_for_selector("#question:not([hidden])")
    page.wait_for_timeout(500)


def _small(png: bytes) -> bytes:
    """The picture in few colours; fewer where it would be too large."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (COLOURS, COLOURS // 2, COLOURS // 4, COLOURS // 8):
        stream = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(stream, format="png", optimize=True)
        if stream.tell() <= LARGEST:
            break
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())

"""The demo's report page in a real browser: pictures load, nothing overflows, and hostile names stay text."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from services.cli.demo.report import Shown, Story, write_report

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync")  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Chromium on this machine")
    folder = write_report(_folder(tmp_path_factory.mktemp("report")), _story())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*_FLAGS])
        opened = browser.new_page(viewport={"width": 1200, "height": 900})
        opened.goto(folder.as_uri())
        yield opened
        browser.close()


def _folder(folder: Path) -> Path:
    for name in ("upload.jpg", "work.jpg"):
        Image.new("RGB", (300, 200), "teal").save(folder / name)
    return folder


def _story() -> Story:
    region = [[0.1, 0.2], [0.6, 0.2], [0.6, 0.9], [0.1, 0.9]]
    match = {
        "kind": "reference_match",
        "reference": {"id": "r"},
        "transform": "mirrored",
        "detector": "pdq",
        "distance": 9,
    }
    reason = {"rule": "S-MATCH-WHOLE", "outcome": "escalate", "because": HOSTILE, "needs": [["rights_clearance"]]}
    verdict = {
        "title": HOSTILE,
        "outcome": "escalate",
        "summary": HOSTILE,
        "reasons": [reason],
        "findings": [match | {"upload_region": region, "reference_region": region}],
        "versions": {"rulebook": {"id": "studio-genai", "version": "1.0.0"}},
    }
    works = {"r": {"title": HOSTILE, "picture": "work.jpg"}}
    ledger = {"entries": 1, "intact": True, "head": "ab" * 32}
    changes = [{"title": HOSTILE, "before": "clear", "after": "escalate"}]
    shown = [Shown(HOSTILE, HOSTILE, "upload.jpg", verdict), Shown("x", "no picture", None, verdict | {"findings": []})]
    return Story("atlas", shown, works, {"title": HOSTILE}, ledger, 1, 1, changes)


def test_every_picture_loads(page: Page) -> None:
    broken = page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)")
    assert broken == []
    assert page.locator("article").count() == 2


def test_hostile_names_are_shown_as_text(page: Page) -> None:
    assert page.evaluate("window.pwned") is None
    assert HOSTILE in page.locator("article h3").first.inner_text()


def test_regions_are_drawn_over_both_pictures(page: Page) -> None:
    boxes: list[Any] = [polygon.bounding_box() for polygon in page.locator("article polygon").all()]
    assert len(boxes) == 2
    assert all(box is not None and box["width"] > 20 and box["height"] > 20 for box in boxes)


@pytest.mark.parametrize("width", [1200, 700, 400])
def test_the_page_fits_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width

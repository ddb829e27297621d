"""A visitor of `sqlml studio`: a headless Chromium that looks at everything a page does wrong, and keeps pictures."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from helpers.folders import ROOT

# Where pictures of the pages are kept, for people and for CI to look at.
PICTURES = Path(os.environ.get("SQLML_TEST_SCREENSHOTS", ROOT / ".artifacts" / "studio"))
# Sizes of a window.
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
# A statement may wait for others on a busy machine.
_PATIENCE = 180_000
# Texts on what they stand on, as WCAG 2 counts it: 4.5, and 3 for large ones. What is disabled does not count.
_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = element => { for (let one = element; one; one = one.parentElement) {
    const found = rgba(getComputedStyle(one).backgroundColor); if (found[3] === 255) return found; }
    return [255, 255, 255, 255]; };
  const wrong = [];
  const walker = document.createTreeWalker(document.querySelector('.studio'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility({opacityProperty: true})
      || element.closest('[disabled], svg, .q-icon, .waiting')) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const [one, two] = [light(rgba(style.color)), light(behind(element))].sort((a, b) => b - a);
    const least = size >= 24 || (size >= 18.6 && style.fontWeight >= 700) ? 3 : 4.5;
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < least) wrong.push(`${ratio.toFixed(2)}: ${text.slice(0, 40)} (${element.className})`);
  }
  return wrong;
}"""
# What can be reached by keyboard and has no name that could be read out.
_NAMELESS = """() => [...document.querySelectorAll('a, button, input, select, [tabindex="0"], img, [role=img]')]
  .filter(one => one.checkVisibility() && !(one.getAttribute('aria-label') || one.getAttribute('alt')
    || one.labels?.[0]?.innerText.trim() || one.innerText?.trim() || one.closest('[aria-label]')
    || one.closest('[aria-hidden=true]')))
  .map(one => one.outerHTML.slice(0, 120))"""
# The name of what has the focus, and whether one sees that it has it.
_FOCUSED = """() => {
  const one = document.activeElement;
  const name = (one.getAttribute('aria-label') || one.labels?.[0]?.innerText || one.innerText || '').trim();
  const style = getComputedStyle(one);
  const seen = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0)
    || !!one.closest('.q-field--focused, .q-field--highlighted, .q-checkbox, .editor');
  return {name: name.replace(/\\s+/g, ' '), seen};
}"""


def chromium() -> str:
    """The browser's path; skips the test where there is none, or fails where SQLML_TEST_BROWSER=required."""
    named = os.environ.get("SQLML_TEST_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is not None:
        return found
    missing = (
        "NO BROWSER, so the pages of sqlml studio are NOT tested: install Chromium (Debian: apt-get install chromium),"
        " or name one in SQLML_TEST_CHROMIUM."
    )
    if os.environ.get("SQLML_TEST_BROWSER") == "required":
        pytest.fail(missing)
    pytest.skip(missing)


class Visitor:
    """One page in one browser.

    Args:
        context: Playwright's browser context.
        url: the address with the token.
        name: begins the names of the pictures.
    """

    def __init__(self, context: Any, url: str, name: str) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(_PATIENCE)
        self._url, self._name = url, name
        self._host = urlsplit(url).netloc
        self._wrong: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._wrong.append(f"script: {error}"))
        self.page.on("requestfailed", lambda request: self._wrong.append(f"failed: {request.url} {request.failure}"))
        self.page.on("response", lambda answer: self._answered(answer.status, answer.url))
        self.page.goto(url)

    @property
    def base(self) -> str:
        return f"http://{self._host}"

    def open(self, path: str) -> None:
        self.settle()
        self.page.goto(self.base + path)
        self.settle()

    def settle(self) -> None:
        """Waits until no statement runs and every picture is there."""
        self.page.wait_for_function("window.did_handshake !== false && !!document.querySelector('.main')")
        self.page.wait_for_timeout(400)
        self.page.wait_for_function(
            "!document.querySelector('.waiting') && [...document.images].every(one => one.complete)"
        )
        self.page.wait_for_load_state("networkidle")

    def look(self, what: str) -> None:
        """Keeps a picture, and checks what can be seen on it."""
        self.settle()
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{self._name}-{what}.png", full_page=True)
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{what} scrolls sideways by {wide} pixels"
        assert self.page.evaluate(_CONTRAST) == [], what
        assert self.page.evaluate(_NAMELESS) == [], what

    def content(self) -> str:
        return str(self.page.inner_text("#content"))

    # -- by keyboard alone ---------------------------------------------------------------------------------------------

    def tab_to(self, name: str, *, back: bool = False) -> None:
        """Presses Tab until what has the focus has a name that begins so; one has to see each stop on the way."""
        passed = []
        for _ in range(120):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            focused = self.page.evaluate(_FOCUSED)
            passed.append(focused["name"])
            if focused["name"].startswith(name):
                assert focused["seen"], f"the focus on {name} cannot be seen"
                return
        raise AssertionError(f"Tab never comes to {name!r}: {passed}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def replace(self, text: str) -> None:
        """Types over what the field holds."""
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def ready(self) -> None:
        """Waits until the wizard can go on."""
        self.page.wait_for_selector(".actions.steps .first:not([disabled])")
        self.settle()

    # -- what went wrong -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Nothing was said on the console, nothing failed, nothing came from elsewhere."""
        self.settle()
        assert not self._wrong, "\n".join(self._wrong)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._wrong.append(f"{message.type}: {message.text}")

    def _answered(self, status: int, url: str) -> None:
        if status >= 400:
            self._wrong.append(f"{status}: {url}")
        if not re.match(rf"(data|blob):|(https?|wss?)://{re.escape(self._host)}/", url):
            self._wrong.append(f"elsewhere: {url}")


def run(visitor: Visitor, sql: str) -> None:
    """Puts a text into the editor, unless it is to run what is in it, and waits for its results."""
    visitor.page.evaluate("document.querySelector('.cm-content').focus()")
    if sql:
        visitor.press("Control+A", "Delete")
        visitor.page.keyboard.insert_text(sql)
    visitor.page.wait_for_timeout(300)
    visitor.press("Control+Enter")
    visitor.page.wait_for_selector(".result")
    visitor.settle()

"""A real Chromium that a test drives. A page that errs, or asks a place that it should not, fails its test."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contracts.npm.project import NODE_MODULES, node_program

_DRIVER = Path(__file__).with_name("drive.mjs")
WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")


def chromium_program() -> str | None:
    """Return the path of Chromium: $CHROMIUM, else the one of the PATH; None if there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


class Browser:
    """A running browser, which has one page at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, operation: str, **given: Any) -> Any:
        """Have the driver do one of its operations, and return the result. An operation that fails fails the test."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"operation": operation, **given}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the browser's driver ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    @contextmanager
    def page(
        self,
        *origins: str,
        width: int = 1280,
        height: int = 900,
        scheme: str = "light",
        expected: Sequence[str] = (),
        **options: Any,
    ) -> Iterator[Page]:
        """Open an empty page in a new profile, for the block.

        Args:
            origins: the places that the page may ask, `http://host:port`.
            expected: beginnings of faults that the test provokes. Any other fault fails it.
            options: `permissions`, `media`, and `script`, which runs in the page before its own scripts.
        """
        self.ask("open", origins=origins, width=width, height=height, scheme=scheme, **options)
        yield Page(self)
        faults = [fault for fault in self.ask("close") if not fault.startswith(tuple(expected))]
        assert not faults, "\n".join(faults)


@dataclass(frozen=True)
class Page:
    """The page of a browser. A selector is one of Playwright: CSS, `text=...`, `role=button[name="..."]`."""

    browser: Browser

    def goto(self, url: str) -> None:
        """Load an address. Only a change of the fragment loads nothing anew."""
        self.browser.ask("goto", url=url)

    def open(self, url: str) -> None:
        """Load an address, and wait until the page shows everything of it."""
        self.goto(url)
        self.settle()

    def settle(self) -> None:
        """Wait until the page shows everything of its address."""
        self.browser.ask("settle")

    def check(self) -> None:
        """Press the button with which the browser judges the release again, and wait for the end."""
        self.click('role=button[name="Check it in this browser"]')
        self.wait(".result > .banner")

    def answer(self, pattern: str, body: bytes, status: int = 200, kind: str = "application/octet-stream") -> None:
        """Let requests to addresses that match a glob get this answer instead of the server's."""
        data = base64.b64encode(body).decode()
        self.browser.ask("answer", pattern=pattern, status=status, type=kind, body=data)

    def wait(self, selector: str, state: str = "visible") -> None:
        """Wait until there is a visible element."""
        self.browser.ask("wait", selector=selector, state=state)

    def text(self, selector: str = "main") -> str:
        """Return the text that a reader sees in the first element, once there is one."""
        self.wait(selector)
        return str(self.texts(selector)[0])

    def texts(self, selector: str) -> list[str]:
        """Return the text of each element there is now."""
        return list(self.browser.ask("texts", selector=selector))

    def count(self, selector: str) -> int:
        """Return how many elements there are now."""
        return int(self.browser.ask("count", selector=selector))

    def attributes(self, selector: str, name: str) -> list[str | None]:
        """Return an attribute of each element there is now."""
        return list(self.browser.ask("attributes", selector=selector, name=name))

    def fill(self, selector: str, text: str) -> None:
        """Put a text into a field."""
        self.browser.ask("fill", selector=selector, text=text)

    def click(self, selector: str) -> None:
        """Click on the first element."""
        self.browser.ask("click", selector=selector)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, such as Tab."""
        for key in keys:
            self.browser.ask("press", key=key)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.browser.ask("type", text=text)

    def choose(self, selector: str, *paths: Path) -> None:
        """Choose files, or one folder, in a field for them."""
        self.browser.ask("choose", selector=selector, paths=[str(path) for path in paths])

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        return self.browser.ask("evaluate", script=script)

    def axe(self, selector: str = "html") -> list[str]:
        """Return what axe-core finds wrong for people who use a screen reader or a keyboard, or see badly."""
        return list(self.browser.ask("axe", selector=selector))

    def look(self, scheme: str, width: int) -> None:
        """Change colour scheme and width of the window."""
        self.browser.ask("look", scheme=scheme, width=width)

    def aliens(self) -> list[str]:
        """Return elements, attributes and addresses of which our page is not made: they would come from a string."""
        return list(self.browser.ask("aliens"))

    def sideways(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(self.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Write a picture (PNG) of the whole page, or of the window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.browser.ask("screenshot", path=str(path), whole=whole)


@contextmanager
def running_browser(program: str) -> Iterator[Browser]:
    """Run Chromium and its driver within the block."""
    command = [node_program(), _DRIVER, NODE_MODULES, program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Browser(process)
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

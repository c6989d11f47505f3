"""The same bundle of the explorer's checks in Node.js, Chromium and Firefox."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any, Protocol

from tests.contracts.npm.project import NODE_MODULES, ROOT, node_program
from tests.explorer.browser import Browser
from tests.support.fake_nodes import QuietHandler, serving
from tests.support.marionette import Marionette

_HERE = Path(__file__).parent
_CHECKS = ROOT / "explorer" / "src" / "check"
_PAGE = "<!doctype html><html lang=en><title>checks</title><link rel=icon href=data:,><script src=checks.js></script>"
_CALL = "const [name, argument, done] = arguments; exposed[name](argument).then(done, (error) => done(`${error}`))"


class Engine(Protocol):
    """Runs a function of `exposed.ts` and returns its JSON value."""

    def call(self, name: str, argument: Any) -> Any: ...


def build(folder: Path) -> Path:
    """Bundle the checks into a folder with a page that loads them; return the path of the bundle."""
    bundle = folder / "checks.js"
    esbuild = NODE_MODULES / "esbuild" / "bin" / "esbuild"
    options = ("--bundle", "--format=iife", "--target=es2022", "--log-level=warning")
    for source, built in ((_HERE / "exposed.ts", bundle), (_CHECKS / "worker.ts", folder / "worker.js")):
        subprocess.run([esbuild, source, *options, f"--outfile={built}"], check=True, timeout=60)
    (folder / "index.html").write_text(_PAGE)
    return bundle


class NodeEngine:
    """Node.js, one process for all calls."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(self, name: str, argument: Any) -> Any:
        """Run a function in this process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"name": name, "argument": argument}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "Node.js ended"
        return json.loads(line)


@contextmanager
def running_node(bundle: Path) -> Iterator[NodeEngine]:
    """Run the bundle in Node.js within the block."""
    command = [node_program(), _HERE / "run.mjs", bundle]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield NodeEngine(process)
        assert process.stdin
        process.stdin.close()


class ChromiumEngine:
    """Chromium, a new page for each call."""

    def __init__(self, browser: Browser, site: str) -> None:
        self._browser = browser
        self._site = site

    def call(self, name: str, argument: Any) -> Any:
        """Run a function in a page."""
        with self._browser.page(self._site) as page:
            page.goto(f"{self._site}/index.html")
            return page.evaluate(f"exposed.{name}({json.dumps(argument)})")


class FirefoxEngine:
    """Firefox with one page."""

    def __init__(self, marionette: Marionette, site: str) -> None:
        self._marionette = marionette
        marionette.goto(f"{site}/index.html")

    def call(self, name: str, argument: Any) -> Any:
        """Run a function in the page."""
        return self._marionette.run_async(_CALL, name, argument)


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback, which browsers trust as they trust https."""

    class Handler(QuietHandler, SimpleHTTPRequestHandler):
        def __init__(self, *given: object) -> None:
            super().__init__(*given, directory=str(folder))  # type: ignore[arg-type]

    with serving(Handler) as url:
        yield url

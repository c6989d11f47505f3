"""The explorer as people reach it: `provenance serve` over the stand, and the same files on a static host."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from tests.explorer.stand import Stand
from tests.support.fake_nodes import QuietHandler, serving

PAGE = Path(__file__).parents[2] / "oracle" / "web" / "page"

_START_SECONDS = 60.0
# The oracle keeps no verdict and no evidence of a release that it did not judge itself.
NOT_KEPT = ("console error: Failed to load resource: the server responded with a status of 404",)
_CONFIG = re.compile(r'(<script type="application/json" id="config">).*?(</script>)', re.DOTALL)
_PROGRAM = "from provenance_oracle.oracle.cli.main import main; main()"


@dataclass(frozen=True)
class Site:
    """A server of the explorer.

    Attributes:
        url: its origin, `http://127.0.0.1:PORT`.
        node: the origin of the node that the page asks.
        stand: what it shows.
    """

    url: str
    node: str
    stand: Stand

    def route(self, *parts: str) -> str:
        """Return the address of a page, such as `route("n", "acme")`."""
        return f"{self.url}/#/{'/'.join(parts)}"

    def record(self, name: str) -> str:
        """Return the address of the record of a release of the stand."""
        entry = self.stand.entries[name]
        return self.route("r", entry["model_digest"], entry["manifest_digest"])

    def get(self, path: str) -> Any:
        """Return an answer of the REST API, below `/api/v1/`."""
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=10) as answer:
            return json.loads(answer.read())


@contextmanager
def running_site(stand: Stand, folder: Path) -> Iterator[Site]:
    """Run `provenance serve` within the block, on a free port, once its index has every block."""
    node = stand.registry.chain.rpc_url
    places = ("--rpc", node, "--registry", stand.deployment, "--database", folder / "index.sqlite")
    more = ("--journal", stand.journal, "--page-rpc", node, "--listen", "127.0.0.1:0", "--rate", "0")
    command = [sys.executable, "-c", _PROGRAM, "serve", *map(str, (*places, *more))]
    log_path = folder / "serve.log"
    with log_path.open("w") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line, log_path.read_text()
            site = Site(line.split()[-1].rstrip("/"), node, stand)
            deadline = time.monotonic() + _START_SECONDS
            while not _has_every_block(site):
                assert time.monotonic() < deadline, "the index does not come to an end"
                time.sleep(0.05)
            yield site
        finally:
            process.kill()


def _has_every_block(site: Site) -> bool:
    try:
        return bool(site.get("status")["lag_blocks"] == 0)
    except HTTPError:
        return False


@dataclass(frozen=True)
class StaticSite:
    """The page's files on a host that only sends files, without a server of ours.

    Attributes:
        url: its origin.
        stand: the registry that its data block names.
    """

    url: str
    stand: Stand

    @property
    def node(self) -> str:
        """The node that the data block names."""
        return self.stand.registry.chain.rpc_url

    def route(self, *parts: str, **query: str) -> str:
        """Return the address of a page. `rpc` and `rpc2` choose the nodes."""
        return f"{self.url}/?{urlencode(query)}#/{'/'.join(parts)}"

    def record(self, name: str, **query: str) -> str:
        """Return the address of the record of a release of the stand."""
        entry = self.stand.entries[name]
        return self.route("r", entry["model_digest"], entry["manifest_digest"], **query)


def static_config(stand: Stand, **more: str | None) -> str:
    """Return the data block of `index.html` for the stand's registry and node."""
    deployment = json.loads(stand.deployment.read_text())
    return json.dumps(
        {"rpcUrl": stand.registry.chain.rpc_url, "deployment": deployment, "evidence": None, "api": None} | more
    )


def copy_page(folder: Path, config: str) -> Path:
    """Copy the page's files into a new folder, as a person would who puts them on a static host."""
    shutil.copytree(PAGE, folder)
    index = folder / "index.html"
    text, count = _CONFIG.subn(lambda found: found[1] + config + found[2], index.read_text())
    assert count == 1
    index.write_text(text)
    return folder


@contextmanager
def static_site(stand: Stand, folder: Path) -> Iterator[StaticSite]:
    """Serve a copy of the page's files within the block."""

    class Handler(QuietHandler, SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(folder))

    with serving(Handler) as url:
        yield StaticSite(url, stand)


def pages_of(site: Site | StaticSite) -> dict[str, str]:
    """Return the address of each kind of page, by a short name."""
    entries = site.stand.entries
    first, second = entries["first"], entries["second"]
    records = {name: site.record(name) for name in ("second", "base", "tuned", "revoked", "held", "signed", "failed")}
    return {
        "home": site.route(),
        "found": site.route("find", "tiny"),
        "nothing-found": site.route("find", "nobody"),
        **{f"record-{name}": address for name, address in records.items()},
        "record-batch": site.record("one"),
        "record-nasty": site.record("nasty"),
        "namespace": site.route("n", "acme"),
        "publisher": site.route("p", second["publisher_identity"]),
        "policy": site.route("policy", second["policy_digest"]),
        "files": site.route("files", second["model_digest"], second["manifest_digest"]),
        "compare": site.route("compare", first["record_id"], second["record_id"]),
        "plots": site.route("plots"),
        "about": site.route("about"),
        "no-page": site.route("no", "such", "page"),
    }

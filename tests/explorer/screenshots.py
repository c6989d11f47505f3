"""Pictures of the explorer: of each page, in both colour schemes and three widths, and the one of README.md.

python -m tests.explorer.screenshots FOLDER        pages of the tests' registry
python -m tests.explorer.screenshots --demo FILE   the record of the demo, as README.md shows it
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from provenance_oracle.oracle.chain.anvil import run_anvil
from tests.explorer.browser import SCHEMES, WIDTHS, Browser, chromium_program, running_browser
from tests.explorer.site import NOT_KEPT, pages_of, running_site
from tests.explorer.stand import make_stand
from tests.support.chain_fixtures import deploy_registry

_KEEP_SECONDS = 120
_PICTURE = (1200, 700)  # of README.md, in pixels


def picture_pages(browser: Browser, folder: Path) -> None:
    """Write FOLDER/PAGE-SCHEME-WIDTH.png for every page."""
    with (
        run_anvil(options=("--hardfork", "prague", "--accounts", "40")) as chain,
        tempfile.TemporaryDirectory() as made,
    ):
        stand = make_stand(deploy_registry(chain, oracles=2, weights=(2, 1), threshold=2), Path(made), with_nasty=False)
        with running_site(stand, Path(made)) as site:
            for name, address in pages_of(site).items():
                for scheme in SCHEMES:
                    for width in WIDTHS:
                        with browser.page(site.url, site.node, scheme=scheme, width=width, expected=NOT_KEPT) as page:
                            page.open(address)
                            page.screenshot(folder / f"{name}-{scheme}-{width}.png")


def picture_demo(browser: Browser, file: Path) -> None:
    """Run the demo, and write a picture of its record after the browser has checked it."""
    width, height = _PICTURE
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "demo"
        words = ("demo", "--folder", folder, "--keep", "--keep-seconds", _KEEP_SECONDS)
        command = [sys.executable, "-m", "provenance_oracle.oracle.cli.main", *map(str, words)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        node = json.loads((folder / "chain.json").read_text())["rpc_url"]
        found = re.search(r"(http://127\.0\.0\.1:\d+)/#\S+", printed.partition("\n10. ")[2])
        assert found, printed
        with browser.page(found[1], node, width=width, height=height) as page:
            page.open(found[0])
            page.check()
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(file, whole=False)
        (folder / "chain.json").unlink()  # the servers stop


if __name__ == "__main__":
    program = chromium_program()
    if program is None:
        raise SystemExit("no Chromium; install Debian's chromium, or set CHROMIUM")
    with running_browser(program) as running:
        if sys.argv[1] == "--demo":
            picture_demo(running, Path(sys.argv[2]))
        else:
            picture_pages(running, Path(sys.argv[1]))

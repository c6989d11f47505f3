"""`provenance check` run in this process, offline, under the demo policy, at the moment of the support releases."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from tests.support.whole_releases import AT


def check(*words: object) -> Result:
    """Run the command; fail if it ends with a traceback or an internal error. Options among `words` come last."""
    options = ("--offline", "--policy", "demo", "--at", AT.isoformat())
    result = CliRunner().invoke(main, ["check", *options, *map(str, words)])
    assert "Traceback" not in result.output
    assert "internal error" not in result.output
    return result


def document(result: Result) -> Any:
    """Return the JSON document on standard output."""
    return json.loads(result.stdout)

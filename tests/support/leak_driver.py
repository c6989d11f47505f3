"""Run the oracle once with every log at DEBUG, provoke everything that could show a key, and die by SIGABRT.

test_hidden_keys.py runs this as a process of its own and looks through all that it wrote.
"""

from __future__ import annotations

import copy
import faulthandler
import json
import logging
import os
import pickle
import pprint
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

from provenance_oracle.oracle import assembly
from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.settings.load import load_settings
from provenance_oracle.verifier.errors import ProvenanceError
from tests.support.crash_driver import accept_all_releases
from tests.support.drops import drop

_opened: list[Any] = []


def main(folder: Path, options: dict[str, Any]) -> None:
    """Record one release, print its state, then fail in every way that prints objects."""
    faulthandler.enable()
    warnings.simplefilter("ignore", ResourceWarning)
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(name)s %(message)s")
    (folder / "drop").mkdir()
    drop(folder / "drop" / "model", {"folder": str(folder)}, report=str(folder).encode())
    accept_all_releases()
    open_signer = assembly.open_signer

    def remembering(*arguments: Any, **more: Any) -> Any:
        _opened.append(open_signer(*arguments, **more))
        return _opened[-1]

    assembly.open_signer = remembering
    paths = {"sources": [str(folder / "drop")], "journal": str(folder / "journal.db"), "judge_processes": 1}
    with assembly.open_oracle(load_settings(None, os.environ, options | paths), Bell()) as service:
        service.run_once(deadline_seconds=60)
    with Journal(folder / "journal.db") as journal:
        print(json.dumps([row.state for row in journal.rows()]), flush=True)
    _show_everything(options)


def _show_everything(options: dict[str, Any]) -> None:
    (signer,) = _opened
    print(signer, repr(signer), file=sys.stderr)
    pprint.pprint(vars(signer), stream=sys.stderr)
    pprint.pprint([vars(value) for value in vars(signer).values() if hasattr(value, "__dict__")], stream=sys.stderr)
    for act in (pickle.dumps, copy.deepcopy, json.dumps, signer.sign_digest, lambda one: one.sign_digest(b"short")):
        try:
            act(signer)
        except Exception as error:
            print("".join(traceback.TracebackException.from_exception(error).format()), file=sys.stderr)
    for change in ({"key": options["key"] + "x"}, {"password_file": "/nonexistent"}, {"key": "env:NONE"}):
        try:
            assembly.open_signer((options | change)["key"], password_file=None)
        except ProvenanceError:
            traceback.print_exc()
    faulthandler.dump_traceback(all_threads=True)
    sys.stderr.flush()
    os.abort()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

"""Run the installed package as a user without extras does: make a release, judge it offline, print every help text."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

PROVENANCE = Path(sys.executable).parent / "provenance"
EXTRAS = ("web3", "eth_account", "watchdog", "torch", "numpy", "cupy", "sigstore", "pytest")
COMMANDS = ("check", "report", "hash", "disk", "show", "attest", "pack", "sign", "deploy", "watch", "retry", "demo")


def main() -> None:
    found = [name for name in EXTRAS if importlib.util.find_spec(name)]
    if found:
        sys.exit(f"not a base installation: {', '.join(found)}")
    for command in COMMANDS:
        run(command, "--help")
    with tempfile.TemporaryDirectory() as folder:
        model, key, evidence = Path(folder, "model"), str(Path(folder, "key")), str(Path(folder, "evidence"))
        model.mkdir()
        (model / "weights").write_bytes(bytes(10000))
        run("attest", "--key", key, "--simulator", "milan", "--out", evidence)
        run("pack", str(model), "--evidence", evidence, "--key", key, "--name", "base/check", "--version", "1")
        run("check", str(model), "--offline", "--policy", "demo")
        run("check", str(model), "--offline", wanted_exit=4)
        # the publisher's key signs without an extra, and a check without one verifies it
        run("attest", "--key", str(Path(folder, "publisher")), "--new-key", "--request", str(Path(folder, "request")))
        signer = ("--sign-key", str(Path(folder, "publisher")), "--replace")
        run("pack", str(model), "--evidence", evidence, "--key", key, "--name", "base/check", "--version", "1", *signer)
        run("check", str(model), "--offline", "--policy", "demo")
        words = run("sign", str(model), "--sign-sigstore", wanted_exit=2)
        if "provenance-oracle[identity]" not in words:
            sys.exit(f"the error does not name the missing extra: {words}")
        # a command that needs an extra says so, as a usage error
        words = run("show", "base/check", "--rpc", "http://127.0.0.1:9", "--registry", "0x" + "00" * 20, wanted_exit=2)
        if "provenance-oracle[chain]" not in words:
            sys.exit(f"the error does not name the missing extra: {words}")
    print("base installation: passed")


def run(*arguments: str, wanted_exit: int = 0) -> str:
    done = subprocess.run([PROVENANCE, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != wanted_exit or "Traceback" in done.stderr:
        sys.exit(f"provenance {' '.join(arguments)}: exit {done.returncode}, wanted {wanted_exit}\n{done.stderr}")
    return done.stdout + done.stderr


if __name__ == "__main__":
    main()

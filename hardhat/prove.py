"""Run the long proofs of the contracts: forge's tests with other seeds and many more runs, then halmos on every path.

    python hardhat/prove.py             with a random seed, which it prints
    python hardhat/prove.py 0x1234      with that seed again

Uses the standard library only. Exits with 1 if anything is broken, or if forge made fewer than CALLS_WANTED calls in
search of a broken invariant. Each invariant gets a campaign of runs x depth calls (foundry.toml, profile prove) with a
seed of its own.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HARDHAT = Path(__file__).parent
NPM_RUN = [sys.executable, str(HARDHAT.parent / "tools" / "npm.py"), "run", "--silent", "--prefix", str(HARDHAT)]
CALLS_WANTED = 1_000_000
_CAMPAIGN = re.compile(r"^\[PASS\] \w+\(\) \(runs: \d+, calls: (\d+), reverts: (\d+)\)$", re.MULTILINE)
_SUMMARY = re.compile(r"(\d+) tests? passed, 0 failed, 0 skipped")


def main(*arguments: str) -> None:
    seed = int(arguments[0], 16) if arguments else secrets.randbits(64)
    _say(f"seed {seed:#x}")
    _say(f"forge: {fuzz(seed)} unit and fuzz tests pass")
    calls = 0
    for number, (contract, name) in enumerate(invariants(), start=1):
        made, reverted = hunt(contract, name, seed + number)
        calls += made
        _say(f"forge: {contract}.{name} holds after each of {made:,} calls, {reverted:,} of them reverted")
    if calls < CALLS_WANTED:
        sys.exit(f"prove.py: {calls:,} calls, {CALLS_WANTED:,} are wanted: raise invariant.runs in foundry.toml")
    _say(f"forge: {calls:,} calls in all")
    checks = prove()
    _say(f"halmos: {len(checks)} checks hold on every path: {', '.join(checks)}")


def fuzz(seed: int) -> int:
    """Run all tests except the invariants; return their number."""
    printed = _forge("test", "--no-match-test", "^invariant", "--fuzz-seed", hex(seed))
    found = _SUMMARY.search(printed)
    if not found:
        sys.exit(f"prove.py: {printed}")
    return int(found[1])


def invariants() -> list[tuple[str, str]]:
    """Return contract and name of every invariant that forge finds."""
    listed = json.loads(_forge("test", "--list", "--json", "--match-test", "^invariant").splitlines()[-1])
    return [(contract, name) for file in listed.values() for contract in file for name in file[contract]]


def hunt(contract: str, name: str, seed: int) -> tuple[int, int]:
    """Run the random campaign of one invariant; return the numbers of calls made and of calls reverted.

    Ends the program if the invariant breaks.
    """
    one = ("--match-contract", f"^{contract}$", "--match-test", f"^{name}[(]")
    printed = _forge("test", *one, "--fuzz-seed", hex(seed))
    found = _CAMPAIGN.search(printed)
    if not found:
        sys.exit(f"prove.py: {printed}")
    return int(found[1]), int(found[2])


def prove() -> list[str]:
    """Run halmos without a time limit; return the names of the checks that hold."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "halmos.json"
        _run("halmos", "--no-status", "--solver-timeout-assertion", "0", "--json-output", str(report))
        results = json.loads(report.read_text())
    if problems := unproven(results):
        sys.exit("prove.py: " + "\n".join(problems))
    return [check["name"].partition("(")[0] for checks in results["test_results"].values() for check in checks]


def unproven(results: dict[str, Any]) -> list[str]:
    """Return the problems in a report of halmos: failures, loops cut short, and checks without a completed path."""
    problems = []
    for contract, checks in results["test_results"].items():
        for check in checks:
            _, ended, _ = check["num_paths"]
            if check["exitcode"] != 0 or check["num_bounded_loops"] != 0 or ended == 0:
                loops = f"{check['num_bounded_loops']} loops cut short, {ended} paths to the end"
                problems.append(f"{contract} {check['name']}: exit code {check['exitcode']}, {loops}")
    return problems


def _forge(*arguments: str) -> str:
    return _run("forge", *arguments)


def _run(script: str, *arguments: str) -> str:
    environment = os.environ | ({"FOUNDRY_PROFILE": "prove"} if script == "forge" else {})
    command = [*NPM_RUN, script, "--", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"prove.py: {script} {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done.stdout


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

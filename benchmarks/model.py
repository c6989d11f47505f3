"""`make bench`: the times that users wait for, beside their goals.

Nothing is asserted, because machines differ. Whole processes are timed from outside, and the median of several runs is
shown.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.judgement.appraise import appraise, roots_of
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.releases import make_release

NOW = datetime.now(UTC)
RUNS = 7


def main() -> None:
    print(f"{'figure':<58}{'median':>12}{'goal':>12}")
    with tempfile.TemporaryDirectory(prefix="provenance-bench-") as folder:
        bench_judgement(Path(folder))
        bench_commands(Path(folder))
        bench_memory(Path(folder))


def bench_judgement(folder: Path) -> None:
    """Time the judgement of evidence, key and manifest in memory, without files, in milliseconds of processor time."""
    policy = load_policy("demo")
    for line in ProductLine:
        make_release(folder / f"judged-{line}", line=line)
        release, roots = read_release(folder / f"judged-{line}"), roots_of(policy)
        seconds = _timed(
            lambda r=release, t=roots: appraise(r, policy, at=NOW, roots=t, sheet=CheckSheet()),
            runs=200,
            clock=time.process_time,
        )
        _show(f"judge a {line} release, without hashing", seconds * 1000, "ms", 3.0)


def bench_commands(folder: Path) -> None:
    _show("provenance --help", _process("--help"), "s", 0.2)
    ten = folder / "ten"
    make_release(ten)
    for number in range(7):
        (ten / f"file-{number}.txt").write_text(f"{number}\n" * 100)
    _repack(ten)
    _show(
        "provenance check, offline, ten small files",
        _process("check", str(ten), "--offline", "--policy", "demo"),
        "s",
        0.6,
    )


def bench_memory(folder: Path) -> None:
    """Measure the peak memory of a process that hashes a 4 GB file, as the kernel counts it."""
    large = folder / "large.bin"
    with large.open("wb") as file:
        file.truncate(4_000_000_000)
    code = (
        "import sys; from provenance_oracle.oracle.cli.main import main; from pathlib import Path\n"
        "try: main(['hash', sys.argv[1]])\n"
        "except SystemExit: pass\n"
        "print([l.split()[1] for l in Path('/proc/self/status').read_text().splitlines() if l.startswith('VmHWM')][0])"
    )
    started = time.perf_counter()
    found = subprocess.run([sys.executable, "-c", code, str(large)], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    _show("peak memory of hashing a 4 GB file", int(found.stdout.split()[-1]) / 1000, "MB", 100)
    _show("  and its rate (a sparse file)", 4.0 / seconds, "GB/s", None)


def _repack(folder: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    from provenance_oracle.publisher.manifest import public_key_of
    from provenance_oracle.publisher.pack import pack_release
    from provenance_oracle.verifier.judgement.binding import bound_report_data

    key = ec.generate_private_key(ec.SECP384R1())
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=NOW)
    evidence = guest.evidence(bound_report_data(public_key_of(key)[1]))
    pack_release(folder, evidence, key, name="bench/ten", version="1", at=NOW, replace=True)


def _process(*arguments: str) -> float:
    command = [str(Path(sys.executable).parent / "provenance"), *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    return _timed(lambda: subprocess.run(command, env=environment, capture_output=True, check=True), runs=RUNS)


def _timed(call: Callable[[], object], runs: int, clock: Callable[[], float] = time.perf_counter) -> float:
    call()
    samples = []
    for _ in range(runs):
        started = clock()
        call()
        samples.append(clock() - started)
    return statistics.median(samples)


def _show(what: str, value: float, unit: str, goal: float | None) -> None:
    wanted = f"{goal:g} {unit}" if goal is not None else ""
    print(f"{what:<58}{value:>8.2f} {unit:<4}{wanted:>11}")


if __name__ == "__main__":
    main()

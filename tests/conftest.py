"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.log_settings import keeping_log_settings

# A slow moment of a shared machine is not a failure. pytest's own timeout catches a hang.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# The configuration file of the person who runs the tests must not change them.
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"

pytest_plugins = ["tests.support.chain_fixtures", "tests.support.postgres_server", "tests.support.solidity"]

_ROOT = Path(__file__).parent.parent

# With PROVENANCE_REQUIRE_ALL=1 a run fails if any test was skipped for another reason than these.
_ACCEPTED_SKIPS = (
    "no GPU",
    "torch sees no NVIDIA GPU",
    "this torch has no CUDA",
    "this processor has none of the ways",
    "root reads everything",  # the test needs another user
    "only root makes devices",
    "no extended attributes on this file system",
    "the mkfs.erofs installed writes",  # an older layout; other tests compare values of the real tool
)


@pytest.fixture(autouse=True, scope="session")
def cache_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the commands away from the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tests that should have run and did not."""
    if os.environ.get("PROVENANCE_REQUIRE_ALL") == "1":
        for reason in _missing_tests(terminalreporter):
            terminalreporter.write_line(f"should have run: {reason}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and os.environ.get("PROVENANCE_REQUIRE_ALL") == "1" and _missing_tests(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say in the last line which tests were not run, and why. A green run without the data is not a whole one."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    reasons = Counter(text.partition(": ")[2].removeprefix("Skipped: ") for text in _missing_tests(reporter))
    if reasons:
        parts = [f"{count} tests ({reason})" for reason, count in reasons.most_common()]
        reporter.write_line(f"not run: {'; '.join(parts)}", yellow=True)


def _missing_tests(reporter: pytest.TerminalReporter) -> list[str]:
    reasons = [f"{report.nodeid}: {report.longrepr[2]}" for report in reporter.stats.get("skipped", [])]
    return [text for text in reasons if not any(accepted in text for accepted in _ACCEPTED_SKIPS)]


@pytest.fixture(autouse=True)
def log_settings() -> Iterator[None]:
    """Undo what a command in a test sets for the log of its process."""
    with keeping_log_settings():
        yield


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Return the folder of real test data: PROVENANCE_VECTORS, or beside the checkout, or from `make vectors`."""
    beside, made = _ROOT.parent / "shared" / "vectors", _ROOT / ".make" / "vectors"
    folder = Path(os.environ.get("PROVENANCE_VECTORS") or (beside if beside.is_dir() else made))
    if not folder.is_dir():
        pytest.skip(f"no test vectors at {folder}; `make vectors` gets them, or set PROVENANCE_VECTORS")
    return folder

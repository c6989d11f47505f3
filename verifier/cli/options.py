"""Options that several commands share, and what they stand for. Heavy imports happen inside the functions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.errors import FormatError, UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.registry.reader import RegistryReader
    from provenance_oracle.verifier.snp.kds import Fetcher
    from provenance_oracle.verifier.strict.files import OnBytes

FILE = click.Path(path_type=Path)
_SMALL_FILE_MAX_BYTES = 2 << 20

policy_option = click.option(
    "--policy",
    "policy_name",
    default="baseline",
    show_default=True,
    metavar="NAME|FILE",
    help="Appraisal policy: baseline, strict, demo, unsafe-any or a YAML file.",
)
at_option = click.option("--at", "at_text", metavar="TIME", help="Judge as of this moment (2026-11-21 or RFC 3339).")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout and nothing else.")
rpc_option = click.option(
    "--rpc", "rpc_url", envvar="PROVENANCE_RPC", metavar="URL", help="A chain node's JSON-RPC [env PROVENANCE_RPC]."
)
registry_option = click.option(
    "--registry",
    "registry_text",
    envvar="PROVENANCE_REGISTRY",
    metavar="ADDRESS|FILE",
    help="The registry contract, or its deployment file [env PROVENANCE_REGISTRY].",
)
fetch_option = click.option("--fetch", is_flag=True, help="Ask AMD for a current revocation list if there is none.")


def registry_reader(rpc_url: str | None, registry_text: str | None, *, or_else: tuple[str, ...] = ()) -> RegistryReader:
    """Open the registry that the options name; naming none is an error, never "offline".

    What does not begin as an address is the path of a deployment file, which also says which chain it must be.

    Args:
        or_else: options of the command that do without a registry.
    """
    if not rpc_url or not registry_text:
        missing = [option for option, value in (("--rpc", rpc_url), ("--registry", registry_text)) if not value]
        wanted = ", or ".join(("--rpc URL --registry ADDRESS|FILE", *or_else))
        raise UsageError("which registry?", got=f"no {' and no '.join(missing)}", wanted=wanted)
    from provenance_oracle.verifier.registry.deployment import FILE_MAX_BYTES, parse_deployment
    from provenance_oracle.verifier.registry.lookup import open_deployment
    from provenance_oracle.verifier.registry.reader import RegistryReader

    if registry_text.startswith("0x"):
        return RegistryReader(rpc_url, registry_text)
    data = read_bounded(Path(registry_text), FILE_MAX_BYTES)
    return open_deployment(rpc_url, parse_deployment(data, registry_text))


def read_small(path: Path) -> bytes:
    """Read an evidence file named on the command line. Raises as `read_bounded` does."""
    return read_bounded(path, _SMALL_FILE_MAX_BYTES)


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """Read a file named on the command line.

    Raises:
        UsageError: it cannot be read.
        FormatError: it is larger than `max_bytes`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as problem:
        got = problem.strerror or str(problem)
        raise UsageError("cannot be read", where=str(path), got=got, wanted="a file") from None
    if len(data) > max_bytes:
        raise FormatError("too large", where=str(path), got="more", wanted=f"at most {max_bytes} bytes")
    return data


def is_folder(path: Path) -> bool:
    """As Path.is_dir, but false for whatever cannot be looked at: opening it then says what is wrong."""
    try:
        return path.is_dir()
    except OSError:
        return False


def tell(line: str) -> None:
    """A remark beside the answer: on standard error, and only to a person at a terminal."""
    if sys.stderr.isatty():
        click.echo(line, err=True)


@contextmanager
def hash_progress(as_json: bool) -> Iterator[OnBytes | None]:
    """A progress bar on standard error while files are hashed; none with --json or away from a terminal."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="hashing", file=sys.stderr, show_pos=False) as bar:

        def advance(done_bytes: int, total_bytes: int) -> None:
            bar.length = max(total_bytes, 1)
            bar.update(done_bytes - bar.pos)

        yield advance


def fetcher_for(fetch: bool) -> Fetcher | None:
    """The way to AMD, if that was asked for: the network is never touched otherwise."""
    if not fetch:
        return None
    from provenance_oracle.verifier.snp.kds import HttpsFetcher

    return HttpsFetcher()


def moment(text: str | None) -> datetime | None:
    from provenance_oracle.verifier.strict.timestamps import parse_time

    return parse_time(text) if text else None


def now() -> datetime:
    return datetime.now(UTC)

"""Options that several commands share, and functions that turn their values into objects.

Heavy imports happen inside the functions.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.completion import complete_policies
from provenance_oracle.verifier.errors import FormatError, UsageError, unread

if TYPE_CHECKING:
    from provenance_oracle.verifier.cli.console import Output
    from provenance_oracle.verifier.identity.names import PublisherIdentity
    from provenance_oracle.verifier.proofs.reader import ProofReader
    from provenance_oracle.verifier.record.proof_file import ProvenRecord
    from provenance_oracle.verifier.registry.deployment import Deployment
    from provenance_oracle.verifier.registry.node import NodeConnection
    from provenance_oracle.verifier.registry.reader import RegistryReader
    from provenance_oracle.verifier.snp.kds import Fetcher
    from provenance_oracle.verifier.strict.files import OnBytes

FILE = click.Path(path_type=Path)
DEVICE = click.Choice(("auto", "cpu", "cuda"))  # as `digest.choose.DEVICES`, whose import takes time
DEFAULT_POLICY = "baseline"
_SMALL_FILE_MAX_BYTES = 2 << 20
_WORD = re.compile("(?:0x)?([0-9a-fA-F]{64})")

policy_option = click.option(
    "--policy",
    "policy_name",
    metavar="NAME|FILE",
    shell_complete=complete_policies,
    help="Appraisal policy: baseline, strict, demo, unsafe-any or a YAML file. Default: the network's, else baseline.",
)
at_option = click.option(
    "--at",
    "at_text",
    metavar="TIME",
    help="Judge for this moment, a date or RFC 3339. Default: the moment in the record if there is one, else now.",
)
verbose_option = click.option("--verbose", "-v", is_flag=True, help="List every check, not only those that failed.")
no_cache_option = click.option(
    "--no-cache",
    is_flag=True,
    help="Read the chain's events again from the start, and keep none in ~/.cache/provenance.",
)
ignore_option = click.option(
    "--ignore",
    multiple=True,
    metavar="PATTERN",
    help="Leave out files that the manifest does not name, such as .git; as in .gitignore. Can be repeated.",
)
fetch_option = click.option("--fetch", is_flag=True, help="Fetch a current revocation list from AMD if there is none.")


proof_option = click.option(
    "--proof",
    type=FILE,
    help="The proof of a release in a batch: the JSON that `provenance proof` prints.",
)


def output_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options that choose a command's output."""
    quiet = click.option("--quiet", "-q", is_flag=True, help="Print errors only; the exit code is the answer.")
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else.")(
        quiet(command)
    )


def registry_reader(
    rpc_url: str | None, registry_text: str | None, *, or_else: tuple[str, ...] = (), keeps_events: bool = False
) -> RegistryReader:
    """Open the registry that the options name.

    A missing registry is an error; the command never falls back to offline use. A value that does not begin with 0x is
    the path of a deployment file, and the reader then also compares the chain with the one in the file.

    Args:
        or_else: options of the command that make a registry unnecessary, for the error's text.
        keeps_events: keep events for the next command; see `verifier.registry.event_cache`. The command must not write
            to the chain and read again, because the reader answers for one block.

    Raises:
        UsageError: an option is missing, the file cannot be read, or there is no such registry.
        FormatError: the file is not a deployment file.
        TemporaryError: the node does not answer.
    """
    if not rpc_url or not registry_text:
        missing = [option for option, value in (("--rpc", rpc_url), ("--registry", registry_text)) if not value]
        wanted = ", or ".join(("--network NAME", "--rpc URL --registry ADDRESS|FILE", *or_else))
        raise UsageError("no registry is named", got=f"no {' and no '.join(missing)}", wanted=wanted)
    from provenance_oracle.verifier.registry.deployment import FILE_MAX_BYTES, parse_deployment
    from provenance_oracle.verifier.registry.event_cache import EventCache, default_folder
    from provenance_oracle.verifier.registry.lookup import open_deployment
    from provenance_oracle.verifier.registry.reader import RegistryReader

    cache = EventCache(default_folder()) if keeps_events else None
    if registry_text.startswith("0x"):
        return RegistryReader(rpc_url, registry_text, cache=cache)
    data = read_bounded(Path(registry_text), FILE_MAX_BYTES)
    return open_deployment(rpc_url, parse_deployment(data, registry_text), cache=cache)


def open_deployed(rpc_url: str | None, registry_text: str | None) -> tuple[RegistryReader, Deployment]:
    """Open the registry of a deployment file, which also names the contracts for proofs; return it with the file.

    Raises:
        UsageError: an option is missing, --registry is an address, or there is no such registry.
        FormatError, TemporaryError: as for `registry_reader`.
    """
    from provenance_oracle.verifier.registry.deployment import FILE_MAX_BYTES, parse_deployment

    if registry_text and registry_text.startswith("0x"):
        wanted = "--registry FILE, a deployment file, which names the contract for proofs"
        raise UsageError(
            "an address names no contract for proofs", where="--registry", got=registry_text, wanted=wanted
        )
    reader = registry_reader(rpc_url, registry_text)
    data = read_bounded(Path(str(registry_text)), FILE_MAX_BYTES)
    return reader, parse_deployment(data, str(registry_text))


def proof_reader(rpc_url: str | NodeConnection | None, registry_text: str | None) -> ProofReader | None:
    """Return a reader of proofs beside a registry; None if nothing names the contract for them.

    Raises:
        UsageError: another contract is at the address in the deployment file. TemporaryError: the node fails.
    """
    from provenance_oracle.verifier.proofs.reader import ProofReader
    from provenance_oracle.verifier.registry.deployment import FILE_MAX_BYTES, parse_deployment
    from provenance_oracle.verifier.registry.node import open_node

    if not rpc_url or not registry_text or registry_text.startswith("0x"):
        return None
    deployment = parse_deployment(read_bounded(Path(registry_text), FILE_MAX_BYTES), registry_text)
    return ProofReader(open_node(rpc_url), deployment) if deployment.proofs else None


def read_small(path: Path) -> bytes:
    """Read an evidence file named on the command line, at most 2 MiB. Raises as `read_bounded` does."""
    return read_bounded(path, _SMALL_FILE_MAX_BYTES)


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """Read a file named on the command line.

    Raises:
        UsageError: the file cannot be read. TemporaryError: the disk fails.
        FormatError: the file is larger than `max_bytes`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise unread("cannot be read", error, where=str(path), wanted="a file") from None
    if len(data) > max_bytes:
        raise FormatError("too large", where=str(path), got="more", wanted=f"at most {max_bytes} bytes")
    return data


def read_proof(path: Path | None) -> ProvenRecord | None:
    """Return the record in the file of --proof, which leads to the root of a batch; None without the option.

    Raises:
        UsageError: the file cannot be read. FormatError: it is not a proof.
        VerificationError: its record does not lead to its root.
    """
    if path is None:
        return None
    from provenance_oracle.verifier.record.proof_file import PROOF_MAX_BYTES, parse_proof

    return parse_proof(read_bounded(path, PROOF_MAX_BYTES), str(path))


def is_folder(path: Path) -> bool:
    """Return whether `path` is a folder; False where `Path.is_dir` raises. Opening the path then gives the error."""
    try:
        return path.is_dir()
    except OSError:
        return False


def ignored_patterns(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Compile the values of --ignore. Raises UsageError for a pattern that is not supported."""
    from provenance_oracle.verifier.disk.globs import gitignore

    try:
        return tuple(map(gitignore, patterns))
    except UsageError as error:
        raise UsageError(error.problem, where="--ignore", got=error.got, wanted=error.wanted) from error


def hex_of(option: str, text: str | None, size: int) -> bytes | None:
    """Return the bytes that an option's value names in hex, with or without 0x; None without a value.

    Raises:
        UsageError: the value is not hex, or not of `size` bytes.
    """
    if text is None:
        return None
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        value = b""
    if len(value) != size:
        raise UsageError("not a value of this option", where=option, got=text, wanted=f"{2 * size} hex digits")
    return value


def hex_word(text: str, where: str, problem: str, wanted: str) -> bytes:
    """Return the 32 bytes that a text names: 64 hex digits, with or without 0x.

    Args:
        where, problem, wanted: words of the error.

    Raises:
        UsageError: the text is something else.
    """
    found = _WORD.fullmatch(text)
    if not found:
        raise UsageError(problem, where=where, got=text, wanted=wanted)
    return bytes.fromhex(found[1])


def publisher_identity(text: str, where: str) -> PublisherIdentity:
    """Parse the line of a publisher's identity. Raises UsageError for a text that is none; `where` names the option."""
    from provenance_oracle.verifier.identity.names import parse_identity

    try:
        return parse_identity(text, where)
    except FormatError as error:
        raise UsageError(error.problem, where=error.where, got=error.got, wanted=error.wanted) from error


def tell(output: Output, line: str) -> None:
    """Print a remark on standard error if that is a terminal and the user wants text for people."""
    if sys.stderr.isatty() and not output.is_silent:
        click.echo(line, err=True)


def hash_progress(output: Output) -> AbstractContextManager[OnBytes | None]:
    """Show a progress bar while files are hashed. Its function takes (bytes done, bytes in all); see `progress_bar`."""
    return progress_bar(output, "hashing")


@contextmanager
def progress_bar(
    output: Output, label: str, *, shows_count: bool = False
) -> Iterator[Callable[[int, int], None] | None]:
    """Show a progress bar on standard error, unless the user wants no text for people.

    There is none either if standard error is no terminal, or a dumb one, which cannot redraw a line.

    Yields:
        The function to call with (done, in all); None without a bar.
    """
    if output.is_silent or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr, show_pos=shows_count, width=0) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield advance


def fetcher_for(fetch: bool) -> Fetcher | None:
    """Return a fetcher that asks AMD, or None without --fetch: only that option allows this network access."""
    if not fetch:
        return None
    from provenance_oracle.verifier.snp.kds import HttpsFetcher

    return HttpsFetcher()


def moment(text: str | None) -> datetime | None:
    """Parse the value of --at; None without it. Raises UsageError for a text that is no time."""
    from provenance_oracle.verifier.strict.timestamps import parse_time

    return parse_time(text) if text else None


def now() -> datetime:
    """Return the present in UTC."""
    return datetime.now(UTC)

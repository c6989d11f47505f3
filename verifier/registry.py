"""Reading records. Whoever answers is not trusted with more than the chain's state: the contract's code is compared
with the one this version ships, and texts in events with the digests in entries.

A node that is down, slow or answers nonsense is a `TemporaryError`: see `verifier.node`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from verifier.checks import Check
from verifier.errors import FormatError, RecordError, TemporaryError, UsageError, VerificationError
from verifier.node import TIMEOUT_SECONDS, connect, node_errors, parse_address, shown_url
from verifier.record import Entry, Record, match_entry, parse_entry
from verifier.timestamps import format_time, from_unix_seconds

if TYPE_CHECKING:
    from web3.types import BlockIdentifier

ENTRIES_MAX = 100


@dataclass(frozen=True)
class Artifact:
    """What the compiler made of the registry: ABI, creation code, and the code a deployed registry has."""

    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes


@cache
def load_artifact() -> Artifact:
    """Return the compiled registry that this version ships."""
    text = resources.files("verifier").joinpath("abi/ProvenanceRegistry.json").read_text("utf-8")
    exported = json.loads(text)
    code, deployed = (bytes.fromhex(exported[name].removeprefix("0x")) for name in ("bytecode", "deployedBytecode"))
    return Artifact(exported["abi"], code, deployed)


@dataclass(frozen=True)
class Publication:
    """The event of a record's publication. `entry` is the record as written, before any revocation."""

    entry: Entry
    name: str
    version: str
    block_number: int
    transaction_hash: bytes


@dataclass(frozen=True)
class Revocation:
    """The event of a record's revocation. `guardian` is the address (20 bytes) that revoked it."""

    manifest_digest: bytes
    model_digest: bytes
    guardian: bytes
    revoked_at: datetime
    reason: str
    block_number: int
    transaction_hash: bytes


class RegistryReader:
    """Reads one registry. Not for use by several threads at once.

    Args:
        rpc_url: JSON-RPC endpoint, http or https.
        address: the registry's address, 0x and 40 hex digits.
        chain_id: the chain it must be on; None takes any chain.
        timeout_seconds: limit for each request.

    Raises:
        UsageError: no such endpoint or address can exist, it is another chain, or another contract or none is there.
        TemporaryError: the node does not answer, or not sensibly. Every method may raise this too.
    """

    def __init__(
        self,
        rpc_url: str,
        address: str,
        *,
        chain_id: int | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._web3 = connect(rpc_url, timeout_seconds)
        self._where = f"registry {address} at {shown_url(rpc_url)}"
        self.address = parse_address(address, "registry")
        artifact = load_artifact()
        with node_errors(self._where):
            self.chain_id = _whole_number(self._web3.eth.chain_id, "chain id")
            code = bytes(self._web3.eth.get_code(self._web3.to_checksum_address(self.address)))
            self._contract = self._web3.eth.contract(self._web3.to_checksum_address(self.address), abi=artifact.abi)
        if chain_id not in (None, self.chain_id):
            raise UsageError("another chain", where=self._where, got=str(self.chain_id), wanted=str(chain_id))
        if code != artifact.deployed_bytecode:
            found = f"a contract of {len(code)} bytes" if code else "no contract"
            wanted = "the registry that this version was built with"
            raise UsageError("no such registry", where=self._where, got=found, wanted=wanted)

    def entry(self, manifest_digest: bytes, *, block: BlockIdentifier = "latest") -> Entry:
        """Return the entry of a manifest as of `block`, revoked or not.

        Raises:
            RecordError: there is none (check `registry-record`).
        """
        from web3.exceptions import ContractLogicError

        with node_errors(self._where):
            try:
                values = self._contract.functions.entryOf(manifest_digest).call(block_identifier=block)
            except ContractLogicError:
                values = None  # its one reason to revert is that it keeps nothing under this digest
            if values is not None:
                return parse_entry(manifest_digest, values, self._where)
        raise RecordError(
            "no record",
            check=Check.REGISTRY_RECORD,
            where=self._where,
            got="nothing",
            wanted=f"a record of manifest {manifest_digest.hex()}",
        )

    def active_entry(self, manifest_digest: bytes, *, block: BlockIdentifier = "latest") -> Entry:
        """Return the entry of a manifest as of `block`.

        Raises:
            RecordError: there is none, or it is revoked (check `registry-record`).
        """
        entry = self.entry(manifest_digest, block=block)
        if entry.revoked_at is not None:
            raise RecordError(
                "the record was revoked",
                check=Check.REGISTRY_RECORD,
                where=self._where,
                got=f"revoked at {format_time(entry.revoked_at)}",
                wanted="an active record",
            )
        return entry

    def match_record(self, record: Record) -> Entry:
        """Return the active entry of a release that the caller has judged, compared with that judgement.

        Raises:
            RecordError: there is none, or it is revoked.
            VerificationError: it is of another release (check `registry-record`).
        """
        entry = self.active_entry(record.manifest_digest)
        match_entry(record, entry)
        if entry.release_digest != self._release_digest(record.name, record.version):
            raise VerificationError(
                "the record on chain has another name or version",
                check=Check.REGISTRY_RECORD,
                where=self._where,
                got=f"release digest {entry.release_digest.hex()}",
                wanted=f"the digest of {record.name} {record.version}",
            )
        return entry

    def entries_of_model(self, model_digest: bytes) -> tuple[Entry, ...]:
        """Return the entries of a model, newest first, at most ENTRIES_MAX; empty if it has none."""
        block = self._newest_block()
        with node_errors(self._where):
            functions = self._contract.functions
            count = functions.recordCountOf(model_digest).call(block_identifier=block)
            newest = range(count - 1, max(count - 1 - ENTRIES_MAX, -1), -1)
            manifests = [functions.manifestOf(model_digest, index).call(block_identifier=block) for index in newest]
        return tuple(self.entry(manifest, block=block) for manifest in manifests)

    def entries_of_name(self, name: str, *, from_block: int = 0) -> tuple[tuple[Publication, Entry], ...]:
        """Return what was published under a name, newest first, each with its entry as it stands now."""
        block = self._newest_block()
        digest = self._web3.keccak(name.encode("utf-8", "surrogatepass"))  # what no name can be has no record
        publications = self._publications({"nameDigest": digest}, from_block, block)
        return tuple((found, self.entry(found.entry.manifest_digest, block=block)) for found in reversed(publications))

    def history(self, manifest_digest: bytes, *, from_block: int = 0) -> tuple[Publication | Revocation, ...]:
        """Return what happened to the record of a manifest, oldest first: nothing, or one to two events."""
        block = self._newest_block()
        wanted = {"manifestDigest": manifest_digest}
        return (*self._publications(wanted, from_block, block), *self._revocations(wanted, from_block, block))

    def manifest_of_report(self, report_digest: bytes) -> bytes | None:
        """Return the first manifest recorded with a report; None if the report was never used."""
        with node_errors(self._where):
            manifest = bytes(self._contract.functions.manifestByReport(report_digest).call())
        return manifest if any(manifest) else None

    def _newest_block(self) -> int:
        with node_errors(self._where):
            return _whole_number(self._web3.eth.block_number, "block number")

    def _publications(self, wanted: dict[str, bytes], first: int, last: int) -> list[Publication]:
        with node_errors(self._where):
            logs = _read_logs(self._contract.events.RecordPublished(), wanted, first, last)
            found = [_parse_publication(log, self._where) for log in logs]
        for one in found:
            if one.entry.release_digest != self._release_digest(one.name, one.version):
                raise TemporaryError("an event's texts do not fit its digest", where=self._where, got=one.name)
        return found

    def _revocations(self, wanted: dict[str, bytes], first: int, last: int) -> list[Revocation]:
        with node_errors(self._where):
            logs = _read_logs(self._contract.events.RecordRevoked(), wanted, first, last)
            return [_parse_revocation(log) for log in logs]

    def _release_digest(self, name: str, version: str) -> bytes:
        return bytes(self._web3.keccak(self._web3.codec.encode(["string", "string"], [name, version])))


def _whole_number(value: object, what: str) -> int:
    if not isinstance(value, int) or value < 0:
        raise FormatError(f"not a {what}", got=type(value).__name__, wanted="a whole number")
    return value


def _read_logs(event: Any, wanted: dict[str, bytes], first: int, last: int) -> list[Any]:
    """Read logs in chain order; where the node refuses so many blocks at once, in halves."""
    from web3.exceptions import Web3RPCError

    if first > last:
        return []
    try:
        return list(event.get_logs(argument_filters=wanted, from_block=first, to_block=last))
    except Web3RPCError:
        if first == last:
            raise
    middle = (first + last) // 2
    return [*_read_logs(event, wanted, first, middle), *_read_logs(event, wanted, middle + 1, last)]


def _parse_publication(log: Any, where: str) -> Publication:
    args = log["args"]
    entry = args["entry"]
    values = (tuple(entry["record"].values()), *(entry[name] for name in list(entry)[1:]))
    return Publication(
        entry=parse_entry(bytes(args["manifestDigest"]), values, where),
        name=args["name"],
        version=args["version"],
        block_number=log["blockNumber"],
        transaction_hash=bytes(log["transactionHash"]),
    )


def _parse_revocation(log: Any) -> Revocation:
    args = log["args"]
    return Revocation(
        manifest_digest=bytes(args["manifestDigest"]),
        model_digest=bytes(args["modelDigest"]),
        guardian=bytes.fromhex(args["guardian"][2:]),
        revoked_at=from_unix_seconds(args["revokedAt"]),
        reason=args["reason"],
        block_number=log["blockNumber"],
        transaction_hash=bytes(log["transactionHash"]),
    )

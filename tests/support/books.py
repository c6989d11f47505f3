"""The state of a registry, rebuilt only from the events of its three contracts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from provenance_oracle.verifier.record.codec import decode_record, record_id, release_id
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.namespaces import Kind
from tests.support.chain_fixtures import FOR_EVER, PUBLIC_DELAY_SECONDS, DeployedRegistry

NOBODY = "0x" + "00" * 20
# The bits of a standing word, as in contracts/lib/Standings.sol.
_HELD, _DOUBTFUL, _NAMED = (1 << bit for bit in (105, 106, 107))
_LINE_FLAGS = {255: 1 << 108, 254: 1 << 110}
_SIGNERS_AND_WEIGHT = ((1 << 48) - 1) << 40
_REVOKED_AT, _REVISIONS, _JUDGEMENT = 112, 224, 152
_COUNT, _CLOSED = 112, 128


@dataclass
class Space:
    """The state of a namespace, rebuilt from its events."""

    owner: str
    claimed_at: int
    identity_limit: int
    head: int = 0
    first_uses: int = 0
    trusted: dict[bytes, int] = field(default_factory=dict)
    proposed: dict[bytes, int] = field(default_factory=dict)
    handover: tuple[str, int] = (NOBODY, 0)


class Books:
    """Everything that the view functions of a registry return, rebuilt from the events.

    The members hold the contracts' words and structs, by record id, release id, batch root or policy digest.
    """

    def __init__(self, registry: DeployedRegistry) -> None:
        self._web3 = registry.contract.w3
        logs = [log for contract in _contracts(registry) for log in _logs(contract)]
        self.seen = {log["event"] for log in logs}
        self._written = {
            keccak256(log["args"]["record"]): decode_record(log["args"]["record"], "event")
            for log in logs
            if log["event"] == "RecordPublished"
        }
        self.words: dict[bytes, int] = {}
        self.contents: dict[bytes, bytes] = {}
        self.publishers: dict[bytes, bytes] = {}
        self.batches: dict[bytes, int] = {}
        self.policies: dict[bytes, int] = {}
        self.revoked_models: dict[bytes, int] = {}
        self.attested: dict[bytes, dict[bytes, None]] = defaultdict(dict)
        self.stated: dict[bytes, dict[bytes, None]] = defaultdict(dict)
        self.spaces: dict[bytes, Space] = {}
        self.names: dict[tuple[bytes, bytes], bytes] = {}
        self.nonces: dict[str, int] = defaultdict(int)
        self.epochs: dict[int, list[int]] = {}
        self.oracles: dict[int, list[list[Any]]] = {}
        self.scheduled = (bytes(32), 0)
        self.owner = self.pending_owner = self.guardian = NOBODY
        self.paused = False
        self._logs = logs
        for log in sorted(logs, key=lambda log: (log["blockNumber"], log["logIndex"])):
            getattr(self, f"_on_{log['event']}")(log, log["args"])

    def _time(self, log: Any) -> int:
        return int(self._web3.eth.get_block(log["blockNumber"])["timestamp"])

    # Records and batches

    def _on_RecordPublished(self, _log: Any, args: Any) -> None:
        record, content = decode_record(args["record"], "event"), keccak256(args["record"])
        key, release = record_id(record), _release(record)
        self.words[key], self.contents[key] = args["standing"], content
        if record.revision:
            self.words[release] = self.words[release] & ~(0xFFFF << _REVISIONS) | record.revision << _REVISIONS
        self.attested[release] |= dict.fromkeys(record.parents)

    def _on_RecordRevoked(self, _log: Any, args: Any) -> None:
        cleared = self.words[args["recordId"]] & ~(FOR_EVER << _REVOKED_AT)
        self.words[args["recordId"]] = cleared | args["effectiveFrom"] << _REVOKED_AT

    def _on_ModelRevoked(self, log: Any, args: Any) -> None:
        assert args["revokedAt"] == self._time(log)
        self.revoked_models[args["modelDigest"]] = args["revokedAt"]

    def _on_ModelRevocationApplied(self, log: Any, args: Any) -> None:
        assert args["revokedAt"] == self.revoked_models[args["modelDigest"]]
        self._on_RecordRevoked(log, {"recordId": args["recordId"], "effectiveFrom": args["revokedAt"]})

    def _on_BatchRecorded(self, log: Any, args: Any) -> None:
        oracles = self.oracles[args["epoch"]]
        weight = sum(oracle[1] for index, oracle in enumerate(oracles) if args["signers"] >> index & 1)
        stamp = self._time(log) | args["signers"] << 40 | weight << 72 | args["epoch"] << 88
        self.batches[args["root"]] = stamp | args["count"] << _COUNT

    def _on_LeafClosed(self, _log: Any, args: Any) -> None:
        self.batches[args["root"]] |= 1 << _CLOSED + args["index"]

    def _on_LeafRevoked(self, _log: Any, args: Any) -> None:
        stamp, summary = self.batches[args["root"]] & (1 << 112) - 1, args["summary"]
        judgement = summary >> _JUDGEMENT << _JUDGEMENT & ~(0xFFFF << _REVISIONS)
        self.words[args["recordId"]] = stamp | judgement | _LINE_FLAGS.get(summary >> 248, 0)
        self.contents[args["recordId"]] = args["contentDigest"]

    def _on_Recounted(self, _log: Any, args: Any) -> None:
        kept = self.batches if args["idOrRoot"] in self.batches else self.words
        word = kept[args["idOrRoot"]] & ~(_SIGNERS_AND_WEIGHT | _DOUBTFUL)
        doubtful = _DOUBTFUL if args["doubtful"] else 0
        kept[args["idOrRoot"]] = word | args["signers"] << 40 | args["weight"] << 72 | doubtful

    def _on_PublisherNoted(self, _log: Any, args: Any) -> None:
        self.publishers[args["recordId"]] = args["identity"]

    def _on_PolicyNumbered(self, _log: Any, args: Any) -> None:
        self.policies[args["policyDigest"]] = args["policyId"]

    # Oracles and stewards

    def _on_EpochStarted(self, _log: Any, args: Any) -> None:
        epoch, oracles = args["epoch"], [list(oracle.values()) for oracle in args["oracles"]]
        if epoch > 1:
            self.epochs[epoch - 1][2] = args["previousUntil"]
            self.scheduled = (bytes(32), 0)
        self.epochs[epoch], self.oracles[epoch] = [args["threshold"], len(oracles), FOR_EVER], oracles

    def _on_OracleSetScheduled(self, _log: Any, args: Any) -> None:
        self.scheduled = (args["setDigest"], args["activeFrom"])

    def _on_OracleSetCancelled(self, _log: Any, _args: Any) -> None:
        self.scheduled = (bytes(32), 0)

    def _on_OracleRevoked(self, _log: Any, args: Any) -> None:
        self.oracles[args["epoch"]][args["index"]][3] = args["effectiveFrom"]

    def _on_WritesPaused(self, _log: Any, args: Any) -> None:
        self.paused = args["paused"]

    def _on_GuardianAppointed(self, _log: Any, args: Any) -> None:
        self.guardian = args["guardian"]

    def _on_OwnershipTransferStarted(self, _log: Any, args: Any) -> None:
        self.pending_owner = args["newOwner"]

    def _on_OwnershipTransferred(self, _log: Any, args: Any) -> None:
        self.owner, self.pending_owner = args["newOwner"], NOBODY

    # Names and ancestors

    def _on_NamespaceClaimed(self, log: Any, args: Any) -> None:
        assert keccak256(args["namespace"].encode()) == args["namespaceId"]
        self.spaces[args["namespaceId"]] = Space(args["owner"], self._time(log), args["identityLimit"])
        self.nonces[args["owner"]] += 1

    def _on_NamespaceEntry(self, log: Any, args: Any) -> None:
        space, subject, time = self.spaces[args["namespaceId"]], args["subject"], args["time"]
        assert time == self._time(log)
        space.head = args["head"]
        kind = Kind(args["kind"])
        if kind in (Kind.RECORDED, Kind.RELEASED, Kind.ADOPTED):
            self._bind(args["namespaceId"], self._written[subject], later=kind is not Kind.RECORDED)
        elif kind is Kind.IDENTITY_TRUSTED:
            space.first_uses += self._is_first_use(log)
            space.proposed.pop(subject, None)
            space.trusted[subject] = time
        elif kind is Kind.IDENTITY_PROPOSED:
            space.proposed[subject] = time + PUBLIC_DELAY_SECONDS
        elif kind is Kind.IDENTITY_DROPPED:
            if space.proposed.pop(subject, None) is None:
                del space.trusted[subject]
                space.first_uses = space.identity_limit
        elif kind is Kind.HANDOVER_PROPOSED:
            to = self._web3.to_checksum_address(subject[12:])
            space.handover = (to, 0 if to == NOBODY else time + PUBLIC_DELAY_SECONDS)
        elif kind is Kind.HANDED_OVER:
            space.owner, space.handover = self._web3.to_checksum_address(subject[12:]), (NOBODY, 0)

    def _is_first_use(self, log: Any) -> bool:
        """Return whether a publisher became trusted by a claim or a publication, not by an accepted proposal."""
        beside = [other for other in self._logs if other["transactionHash"] == log["transactionHash"]]
        kinds = {other["args"]["kind"] for other in beside if other["event"] == "NamespaceEntry"}
        return bool(kinds & {Kind.CLAIMED, Kind.RECORDED})

    def _on_ParentStated(self, _log: Any, args: Any) -> None:
        self.stated[args["recordId"]][args["parent"]] = None

    def _on_ParentWithdrawn(self, _log: Any, args: Any) -> None:
        parents = list(self.stated[args["recordId"]])
        last = parents.pop()
        if last != args["parent"]:
            parents[parents.index(args["parent"])] = last
        self.stated[args["recordId"]] = dict.fromkeys(parents)

    def _bind(self, namespace_id: bytes, record: WrittenRecord, *, later: bool) -> None:
        text = f"{record.name.partition('/')[2]}@{record.version}"
        self.names[namespace_id, keccak256(text.encode())] = _release(record)
        if later:
            self.words[record_id(record)] = self.words[record_id(record)] & ~_HELD | _NAMED


def _release(record: WrittenRecord) -> bytes:
    return release_id(record.model_digest, record.manifest_digest)


def _contracts(registry: DeployedRegistry) -> tuple[Any, Any, Any]:
    return registry.contract, registry.namespaces, registry.lineage


def _logs(contract: Any) -> list[Any]:
    names = {item["name"] for item in contract.abi if item["type"] == "event"}
    return [log for name in names for log in contract.events[name]().get_logs(from_block=0)]

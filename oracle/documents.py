"""The JSON documents of the operator's commands: journal rows, a new registry, a claimed namespace.

Documents about releases and records are in `verifier.documents`. Every command imports the schema ids from here, so
this module imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from provenance_oracle.verifier.registry.secp256k1 import checksum_address
from provenance_oracle.verifier.strict.timestamps import format_time

if TYPE_CHECKING:
    from provenance_oracle.oracle.audit.differences import Differences
    from provenance_oracle.oracle.chain.adopt_release import Adoption
    from provenance_oracle.oracle.chain.claim_namespace import Claim
    from provenance_oracle.oracle.chain.deploy_terms import OracleTerms, Terms
    from provenance_oracle.oracle.chain.prove_release import ProofCost
    from provenance_oracle.oracle.chain.revoke_model import Applied
    from provenance_oracle.oracle.conditions import Condition
    from provenance_oracle.oracle.index.rows import IndexStatus
    from provenance_oracle.oracle.journal.backup import Copied
    from provenance_oracle.oracle.journal.kept_evidence import KeptVerdict
    from provenance_oracle.oracle.journal.overview import Progress
    from provenance_oracle.oracle.journal.rows import Row
    from provenance_oracle.oracle.settings.load import Effective
    from provenance_oracle.verifier.proofs.reader import ReleaseProof
    from provenance_oracle.verifier.registry.deployment import Deployment, ProofContracts

ADOPT = "provenance-oracle/adopt/v1"
AUDIT = "provenance-oracle/audit/v1"
BACKUP = "provenance-oracle/backup/v1"
CLAIM = "provenance-oracle/claim/v1"
DEMO = "provenance-oracle/demo/v1"
DEPLOY = "provenance-oracle/deploy/v2"
DISPROVE = "provenance-oracle/disprove/v1"
INDEX = "provenance-oracle/index/v1"
KEY = "provenance-oracle/key/v1"
RESTORE = "provenance-oracle/restore/v1"
RETRY = "provenance-oracle/retry/v1"
REVOKE = "provenance-oracle/revoke/v1"
SERVE = "provenance-oracle/serve/v1"
SETTINGS = "provenance-oracle/settings/v1"
PROOF = "provenance-oracle/proof/v1"
PROVE = "provenance-oracle/prove/v1"
STATUS = "provenance-oracle/status/v1"
VERDICT = "provenance-oracle/verdict/v1"
WATCH = "provenance-oracle/watch/v1"


def releases_json(rows: Iterable[Row]) -> dict[str, object]:
    """Return the body of `provenance-oracle/watch/v1` and `provenance-oracle/retry/v1`: one object for each release."""
    return {"releases": [_row_json(row) for row in rows]}


def copied_json(copied: Copied) -> dict[str, object]:
    """Return the body of `provenance-oracle/backup/v1` and `restore/v1`: the rows in each table of the copy."""
    return {"version": copied.version, "rows": copied.rows}


def index_json(status: IndexStatus, snapshot_digest: str | None) -> dict[str, object]:
    """Return the body of `provenance-oracle/index/v1`: how far the index is, and the SHA-256 of a new snapshot."""
    return {
        "chain_id": status.chain_id,
        "registry": checksum_address(status.registry),
        "deployed_block": status.deployed_block,
        "indexed_until": status.until,
        "indexed_hash": f"0x{status.until_hash.hex()}",
        "head": status.head,
        "lag_blocks": status.lag_blocks,
        "unchecked": status.unchecked,
        "records": status.records,
        "batches": status.batches,
        "unread_batches": status.unread_batches,
        "writes_paused": status.writes_paused,
        "snapshot_sha256": snapshot_digest,
    }


def verdict_json(digest: bytes, found: KeptVerdict, signers: Sequence[bytes] = ()) -> dict[str, object]:
    """Return the body of `provenance-oracle/verdict/v1`: a verdict as text, whose SHA-256 is its digest.

    Args:
        signers: addresses (20 bytes) of the keys that signed it, the newest first.
    """
    return {
        "verdict_digest": digest.hex(),
        "statement": found.statement.decode("utf-8", "replace"),
        "has_evidence": found.archive is not None,
        "signed_by": [f"0x{address.hex()}" for address in signers],
    }


def prove_json(
    digests: tuple[bytes, bytes],
    proof: ReleaseProof | None,
    cost: ProofCost | None,
    sent: bytes | None,
    *,
    confirmed: bool,
) -> dict[str, object]:
    """Return the body of `provenance-oracle/prove/v1`: the proof, and its cost if it was planned.

    Args:
        digests: of model and manifest, 32 bytes each.
        sent: the hash of the transaction that this run sent; None if it sent none.
        confirmed: the planned or sent proof confirms a record too.
    """
    from provenance_oracle.verifier.documents.proof import proven_json

    return {
        "model_digest": digests[0].hex(),
        "manifest_digest": digests[1].hex(),
        "confirms_record": confirmed,
        "transaction": f"0x{sent.hex()}" if sent else None,
        "cost": None if cost is None else _cost_json(cost),
        "proven": proven_json(proof),
    }


def _cost_json(cost: ProofCost) -> dict[str, object]:
    return {
        "gas": cost.gas,
        "sending": cost.sending,
        "hardware": cost.hardware,
        "manifest": cost.manifest,
        "price_wei": cost.price_wei,
        "wei": cost.wei,
    }


def disprove_json(record_id: bytes, reason: int, gas: int, sent: bytes | None) -> dict[str, object]:
    """Return the body of `provenance-oracle/disprove/v1`: a record (its id, 32 bytes) and what is against it.

    Args:
        reason: a number of the event `RecordDisproved`.
        sent: the hash of the transaction; None if none was sent.
    """
    transaction = f"0x{sent.hex()}" if sent else None
    return {"record_id": record_id.hex(), "reason": reason, "gas": gas, "transaction": transaction}


def batch_json(root: bytes, count: int) -> dict[str, object]:
    """Return the body of `provenance-oracle/proof/v1` with --batch: a batch's root (32 bytes) and number of records."""
    return {"root": root.hex(), "count": count}


def status_json(
    progress: Progress, conditions: Iterable[Condition] | None, *, at: datetime, ready: bool | None
) -> dict[str, object]:
    """Return the body of `provenance-oracle/status/v1`: how far the releases are, and the troubles that stand.

    Args:
        conditions, ready: None if no running oracle was asked.
        at: the time now.
    """
    from provenance_oracle.oracle.conditions import condition_json

    return {
        "at": format_time(at),
        "ready": ready,
        "states": [
            {
                "state": one.state,
                "count": one.count,
                "parked": one.parked,
                "oldest_seen_at": format_time(one.oldest_seen_at),
            }
            for one in progress.counts
        ],
        "backlog": sum(one.count for one in progress.counts if not one.state.closed),
        "recorded_last_hour": progress.recorded,
        "last_failures": [
            {
                "source": source,
                "release": row.key.release,
                "state": row.state,
                "at": format_time(row.changed_at),
                "problem": row.problem,
            }
            for source, row in sorted(progress.failures.items())
        ],
        "refused_batches": [{"at": format_time(one.at), "reason": one.reason} for one in progress.refusals],
        "proofs": {
            "counts": {str(state): count for state, count in progress.proofs.counts.items()},
            "notes": [
                {
                    "source": one.source,
                    "release": one.release,
                    "at": format_time(one.at),
                    "reason": one.reason,
                    "refused": one.is_refused,
                }
                for one in progress.proofs.notes
            ],
        },
        "conditions": None if conditions is None else [condition_json(one) for one in conditions],
    }


def audit_json(found: Differences, keys: Iterable[bytes]) -> dict[str, object]:
    """Return the body of `provenance-oracle/audit/v1`: how much was compared, and each difference.

    Args:
        keys: the addresses of the oracle's keys, 20 bytes each.
    """
    return {
        "oracles": [f"0x{key.hex()}" for key in sorted(keys)],
        "compared": {name: found.read[name] for name in ("records", "batches", "rows", "verdicts")},
        "differences": [
            {
                "kind": one.kind,
                "subject": one.subject,
                "got": one.got,
                "wanted": one.wanted,
                "repair": one.repair or None,
                "next_step": None if one.repair else one.step,
            }
            for one in found.listed
        ],
        "unlisted": found.unlisted,
        "left": found.left,
    }


def deploy_json(
    deployment: Deployment, terms: Terms, *, policies: Mapping[str, int], policy_digests: Mapping[str, bytes]
) -> dict[str, object]:
    """Return the body of `provenance-oracle/deploy/v2`: a new registry and the rights over it.

    Args:
        policies: the registry's number of each policy, by name.
        policy_digests: digest of each policy by name, 32 bytes.
    """
    return {
        **contract_addresses(deployment),
        "proofs": None if deployment.proofs is None else proof_addresses(deployment.proofs),
        "chain_id": deployment.chain_id,
        "block": deployment.block,
        "transaction": f"0x{deployment.transaction.hex()}",
        "code_hash": f"0x{deployment.code_hash.hex()}",
        "owner": terms.owner,
        "guardian": terms.guardian,
        "oracles": [_oracle_json(oracle) for oracle in terms.oracles],
        "threshold": terms.threshold,
        "delay_hours": terms.delay_hours,
        "grace_hours": terms.grace_hours,
        "policies": dict(policies),
        "policy_digests": {name: f"0x{policy_digests[name].hex()}" for name in policies},
    }


def claim_json(claim: Claim, *, identities: Iterable[bytes], identity_limit: int) -> dict[str, object]:
    """Return the body of `provenance-oracle/claim/v1`: a claimed namespace and the publishers that it trusts."""
    return {
        "namespace": claim.namespace,
        "owner": claim.owner,
        "identities": [identity.hex() for identity in identities],
        "identity_limit": identity_limit,
        "block": claim.block,
        "transaction": f"0x{claim.transaction.hex()}",
    }


def key_json(address: str) -> dict[str, object]:
    """Return the body of `provenance-oracle/key/v1`: the account of a key, an address in checksum form."""
    return {"address": address}


def adopt_json(adoption: Adoption) -> dict[str, object]:
    """Return the body of `provenance-oracle/adopt/v1`: a release to which its name leads now."""
    return {
        "name": adoption.record.name,
        "version": adoption.record.version,
        "model_digest": adoption.record.model_digest.hex(),
        "manifest_digest": adoption.record.manifest_digest.hex(),
        "block": adoption.block,
        "transaction": f"0x{adoption.transaction.hex()}",
    }


def revoke_json(done: Applied, *, sent: Iterable[bytes]) -> dict[str, object]:
    """Return the body of `provenance-oracle/revoke/v1`: a revoked model, and the records that have it since this run.

    Args:
        sent: hash of the transaction that revoked the model, if this run did.
    """
    return {
        "model_digest": done.revocation.model_digest.hex(),
        "revoked_at": format_time(done.revocation.revoked_at),
        "guardian": f"0x{done.revocation.guardian.hex()}",
        "reason": done.revocation.reason,
        "applied_to": [manifest.hex() for manifest in done.manifest_digests],
        "left": done.left,
        "transactions": [f"0x{transaction.hex()}" for transaction in (*sent, *done.transactions)],
    }


def settings_json(effective: Effective) -> dict[str, Any]:
    """Return the body of `provenance-oracle/settings/v1`: each setting's value, without secrets, and its origin."""
    from provenance_oracle.oracle.settings.names import SPECS

    return {
        "settings": {
            name: {"value": spec.shown(getattr(effective.settings, name)), "origin": effective.origins[name]}
            for name, spec in SPECS.items()
        },
        "remarks": list(effective.remarks),
    }


def contract_addresses(deployment: Deployment) -> dict[str, str]:
    """Return the addresses of a registry's three contracts by name, with the checksum of ERC-55."""
    names = ("registry", "namespaces", "lineage")
    return {name: checksum_address(getattr(deployment, name)) for name in names}


def proof_addresses(proofs: ProofContracts) -> dict[str, str]:
    """Return the addresses of the contracts for proofs by name, with the checksum of ERC-55."""
    return {
        "amd_verifier": checksum_address(proofs.amd_verifier),
        "hardware_proofs": checksum_address(proofs.hardware_proofs),
        "disputes": checksum_address(proofs.disputes),
    }


def _row_json(row: Row) -> dict[str, object]:
    return {
        "release": row.key.release,
        "state": row.state,
        "exit_code": row.exit_code,
        "check": row.check,
        "problem": row.problem,
        "verdict_digest": row.verdict_digest.hex() if row.verdict_digest else None,
    }


def _oracle_json(oracle: OracleTerms) -> dict[str, object]:
    app = f"0x{oracle.rofl_app.hex()}" if any(oracle.rofl_app) else None
    return {"key": None if app else oracle.key, "rofl_app": app, "weight": oracle.weight}

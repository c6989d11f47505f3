"""Evidence whose bytes never change, for the Solidity tests and the gas snapshot.

Signatures with RSASSA-PSS have a random salt, so the evidence is kept in a file. The command
`python -m tests.support.proof_samples` writes it anew, which changes the snapshot.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

from provenance_oracle.publisher.manifest import Build, make_statement, public_key_of
from provenance_oracle.publisher.simulator import CaRole, FakeAmd
from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, model_digest
from provenance_oracle.verifier.manifest.dsse import PAYLOAD_TYPE, pae
from provenance_oracle.verifier.proofs.evidence_calls import EvidenceCall, evidence_of, places_in, raw_signature
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import parse_report
from tests.support.proofs import P256_KEY, P384_KEY, make_provable

SAMPLES = Path(__file__).parents[2] / "hardhat" / "test" / "proofs" / "samples.json"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_KEYS = {"p256": P256_KEY, "p384": P384_KEY}
# Revocation lists of Genoa, each of one serial number: of no pinned key, of the ASK, and of the later ASK.
_LISTS = {"crl": 0x20001, "revoking_crl": 0x20002, "later_crl": 0x20003}


def read_sample(name: str) -> EvidenceCall:
    """Return the evidence of a release with three files; the VM's key is on `p256` or `p384`."""
    fields = json.loads(SAMPLES.read_text())[name]
    values = (bytes.fromhex(one[2:]) if isinstance(one, str) else one for one in fields.values())
    return EvidenceCall(*values)


def read_crl() -> bytes:
    """Return the simulator's revocation list of Genoa that revokes one serial number, none of a pinned key."""
    return bytes.fromhex(json.loads(SAMPLES.read_text())["crl"][2:])


def sample_with_files(count: int) -> EvidenceCall:
    """Return the evidence of the sample `p256` with another manifest, of this many files with long digests."""
    sample = read_sample("p256")
    files = tuple(
        FileDigest(f"model-{number:05d}-of-{count:05d}.safetensors", 4_976_698_672, keccak256(b"%d" % number))
        for number in range(count)
    )
    digest = parse_report(sample.report).digest
    payload = make_statement(FileSet(files, model_digest(files)), Build("acme/large", "1.0"), digest)
    internal_at, subjects_at = places_in(payload, digest)
    algorithm = ECDSA(hashes.SHA256(), deterministic_signing=True)
    signature = P256_KEY.sign(pae(PAYLOAD_TYPE, payload), algorithm)  # type: ignore[call-arg, arg-type]
    return sample._replace(
        payload=payload,
        internal_at=internal_at,
        subjects_at=subjects_at,
        signature=raw_signature(public_key_of(P256_KEY)[1], signature),
    )


def later_amd() -> FakeAmd:
    """Return Genoa's authorities with another ASK and ASVK, of one key, which signs for Milan elsewhere."""
    key = FakeAmd.load(ProductLine.MILAN).authorities[CaRole.ASK].key
    amd = FakeAmd.load(ProductLine.GENOA).replaced(CaRole.ASK, key, serial=_LISTS["later_crl"])
    return amd.replaced(CaRole.ASVK, key, serial=0x20103)


def _write_samples() -> None:
    genoa, later = FakeAmd.load(ProductLine.GENOA), later_amd()
    with tempfile.TemporaryDirectory() as folder:
        calls = {name: evidence_of(make_provable(Path(folder) / name, key, at=AT)) for name, key in _KEYS.items()}
        calls["later"] = evidence_of(make_provable(Path(folder) / "later", amd=later, at=AT))
    lists = {name: genoa.current_crl(AT, revoked=(serial,)) for name, serial in _LISTS.items()}
    lists |= {f"later_{role}": later.authorities[role].certificate for role in (CaRole.ASK, CaRole.ASVK)}
    found: dict[str, object] = {
        name: {key: f"0x{value.hex()}" if isinstance(value, bytes) else value for key, value in call._asdict().items()}
        for name, call in calls.items()
    }
    SAMPLES.write_text(
        json.dumps({**found, **{name: f"0x{one.hex()}" for name, one in lists.items()}}, indent=1) + "\n"
    )


if __name__ == "__main__":
    _write_samples()

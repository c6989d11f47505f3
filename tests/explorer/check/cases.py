"""Releases to judge in Python and in a browser: of real hardware and of the simulator, whole and changed at random."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import random
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.publisher.manifest import public_key_of, sign_statement
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.errors import AppraisalError, FormatError, ProvenanceError, VerificationError
from provenance_oracle.verifier.judgement.appraise import appraise
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.judgement.release import (
    CHAIN_PATH,
    CRL_PATH,
    KEY_PATH,
    REPORT_PATH,
    VEK_DER_PATH,
    VEK_PEM_PATH,
    release_of,
)
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.statement import BUILD_TYPE, BUILDER_ID, PREDICATE_TYPE, STATEMENT_TYPE
from provenance_oracle.verifier.policy import Policy, load_policy
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, ProductLine
from provenance_oracle.verifier.snp.report import SIGNED_BYTES
from provenance_oracle.verifier.strict.release_files import files_of
from tests.support.real_sets import CRLS, crl, found_sets, read_set

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_KEYS = (
    ec.derive_private_key(11, ec.SECP384R1()),
    ec.derive_private_key(12, ec.SECP256R1()),
    ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
)


@dataclass(frozen=True)
class Case:
    """The files of a release's `provenance/`, and the moment of judgement."""

    files: Mapping[str, bytes]
    at: datetime

    def with_file(self, path: str, data: bytes) -> Case:
        return replace(self, files={**self.files, path: data})

    def json(self) -> dict[str, Any]:
        """Return the case as `exposed.ts` takes it."""
        files = {path: base64.b64encode(data).decode() for path, data in self.files.items()}
        return {"files": files, "at": int(self.at.timestamp())}


@dataclass(frozen=True)
class Verdict:
    """`accepted`, or the kind of the failure and its check; and the outcome of every check that has one."""

    kind: str
    check: str | None
    outcomes: Mapping[str, str]


def in_python(case: Case) -> Verdict:
    """Judge a case with the roots of AMD and the simulator, and a policy that accepts every genuine report."""
    sheet = CheckSheet()
    try:
        with sheet:
            release = release_of(files_of(Path("unused")), case.files)
            appraise(release, _anything(), at=case.at, roots=AMD_ROOTS + SIMULATOR_ROOTS, sheet=sheet)
    except ProvenanceError as error:
        return Verdict(_kind(error), error.check, {f.check: f.outcome for f in error.findings})
    return Verdict("accepted", None, {finding.check: finding.outcome for finding in sheet.findings()})


def in_engine(engine: Any, cases: Sequence[Case]) -> list[Verdict]:
    """Judge cases in a browser or in Node.js."""
    results = engine.call("recheck", [case.json() for case in cases])
    return [Verdict(result["kind"], result["check"], result["outcomes"]) for result in results]


def _kind(error: ProvenanceError) -> str:
    kinds = {FormatError: "malformed", VerificationError: "forged", AppraisalError: "refused"}
    return next((kind for of, kind in kinds.items() if isinstance(error, of)), "incomplete")


@cache
def _anything() -> Policy:
    """Return a policy that leaves to no rule what only a policy can decide: the page does not judge by policies."""
    return replace(load_policy("unsafe-any"), report_versions=(2, 3, 4, 5))


# --- real hardware -------------------------------------------------------------------------------------------


def hardware_cases(vectors: Path) -> dict[str, Case]:
    """Return a case for each genuine set, with a list of AMD's for half of those that have one.

    Their VMs bound other things than keys, so each case ends at `key-binding`, after the report's signature.
    """
    cases = {}
    for number, folder in enumerate(found_sets(vectors)):
        real = read_set(folder)
        evidence, product = real.evidence, real.manifest["product"]
        lists = [name for name in CRLS if product in name]
        files = {
            REPORT_PATH: evidence.report,
            VEK_DER_PATH: evidence.vek,
            CHAIN_PATH: evidence.chain,
            KEY_PATH: public_key_of(_KEYS[0])[0],
            MANIFEST_PATH: sign_statement(json.dumps(statement(bytes(32))).encode(), _KEYS[0]),
        }
        if number % 2:
            files[VEK_PEM_PATH] = _pem(files.pop(VEK_DER_PATH))
            files |= {CRL_PATH: crl(vectors, lists[number // 2 % len(lists)])} if lists else {}
        cases[folder.name] = Case(files, real.at)
    return cases


def bound_hardware_case(vectors: Path) -> Case:
    """Return the one genuine set whose report names a key, by its SHA-384; what the key signed is no manifest."""
    folder = next(folder for folder in found_sets(vectors) if "IDBLOCK" in folder.name)
    request = (folder / "request.csr").read_bytes()
    load = x509.load_pem_x509_csr if request.startswith(b"-----") else x509.load_der_x509_csr
    key = load(request).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hardware_cases(vectors)[folder.name].with_file(KEY_PATH, key)


def _pem(data: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(data).encode()


# --- the simulator's hardware --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Simulated:
    """A simulated VM and its release."""

    guest: FakeGuest
    key: Any
    case: Case

    def signed(self, payload: bytes) -> Case:
        """Return the case with another payload, signed by the VM's key."""
        return self.case.with_file(MANIFEST_PATH, sign_statement(payload, self.key))

    @property
    def statement(self) -> dict[str, Any]:
        """The statement that the manifest holds."""
        return statement(self.case.files[REPORT_PATH])


@cache
def simulated_cases() -> dict[str, Simulated]:
    """Return good releases of all lines, kinds of keys and versions of reports."""
    cases = {}
    for number, line in enumerate((*ProductLine, *ProductLine)):
        csp_id = "CN=cloud.example" if number == 3 else None
        guest = FakeGuest.on(FakeAmd.load(line), at=AT, version=2 + number % 4, csp_id=csp_id)
        key = _KEYS[number % 3] if number < 3 else _KEYS[(number + 1) % 3]
        cases[f"simulated-{line}-v{guest.version}-{number}"] = Simulated(guest, key, _release(guest, key, number))
    return cases


def _release(guest: FakeGuest, key: Any, number: int) -> Case:
    pem, parsed = public_key_of(key)
    binding = ("sha256-spki", "sha384-spki", "sha512-spki")[number % 3]
    evidence = guest.evidence(bound_report_data(parsed, binding))
    files = {
        REPORT_PATH: evidence.report,
        CHAIN_PATH: evidence.chain,
        KEY_PATH: pem,
        MANIFEST_PATH: sign_statement(json.dumps(statement(evidence.report)).encode(), key),
    }
    files |= {VEK_PEM_PATH: _pem(evidence.vek)} if number % 2 else {VEK_DER_PATH: evidence.vek}
    if number % 3 and evidence.crl:
        files[CRL_PATH] = evidence.crl
    return Case(files, guest.at + timedelta(seconds=1))


_STATEMENT: dict[str, Any] = {
    "_type": STATEMENT_TYPE,
    "predicateType": PREDICATE_TYPE,
    "subject": [
        {
            "name": name,
            "digest": {"fsverity_sha256_4096": fsverity_digest(name.encode()).hex(), "sha256": "ab" * 32},
            "annotations": {"size": len(name), "note": ["any", {"thing": None}]},
        }
        for name in ("config.json", "model-00001-of-00002.safetensors", "tokenizer/vocab é.txt")
    ],
    "predicate": {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"name": "org/model", "version": "1.0", "epochs": 3},
            "resolvedDependencies": [
                {
                    "name": "base",
                    "uri": "https://example.org/base",
                    "digest": {"provenance_model_v1": "cd" * 32, "gitCommit": "ef" * 20},
                    "annotations": {"role": "base-model", "relation": "finetune"},
                    "mediaType": "x",
                },
                {"uri": "pkg:x", "digest": {"sha512": "01" * 64}, "annotations": {"role": "dataset"}},
            ],
        },
        "runDetails": {
            "builder": {"id": BUILDER_ID, "version": {"tool": "1"}},
            "metadata": {
                "startedOn": "2026-11-20T10:00:00Z",
                "finishedOn": "2026-11-20T11:00:00.5Z",
                "invocationId": "1",
            },
        },
    },
}


def statement(report: bytes) -> dict[str, Any]:
    """Return a statement with something in every field, which names a report."""
    made = copy.deepcopy(_STATEMENT)
    named = {"snpReport": {"sha256": hashlib.sha256(report[:SIGNED_BYTES]).hexdigest()}}
    made["predicate"]["buildDefinition"]["internalParameters"] = named
    return made


def shuffled(seed: str) -> random.Random:
    """Return the generator of one mutant."""
    return random.Random(f"explorer {seed}")

"""The simulated evidence of the Solidity tests is what both verifiers accept. UPDATE_EVIDENCE=1 writes it anew."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest, der
from provenance_oracle.publisher.simulator.certificates import Pss, X509Extension
from provenance_oracle.publisher.simulator.forms import CRL_NUMBER
from provenance_oracle.verifier.snp.certificates import problem_at, split_signed
from provenance_oracle.verifier.snp.crl import AUTHORITY_KEY_ID, parse_crl
from provenance_oracle.verifier.snp.der import parse_der
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import SIMULATOR_ROOTS, ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from tests.support.evm import run_evm
from tests.support.p384_inputs import exceptional_inputs
from tests.support.real_sets import judge
from tests.support.snp_contracts import Judged, SnpVerifier, encode_call, expected

pytestmark = pytest.mark.chain

_FILE = Path(__file__).parents[3] / "hardhat" / "test" / "amd" / "evidence.json"
_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_PROVIDERS = {"VCEK": None, "VLEK": "CN=cloud.example"}
_VERSIONS = {ProductLine.MILAN: 2, ProductLine.GENOA: 3, ProductLine.TURIN: 5}
_REASON = X509Extension("2.5.29.21", bytes.fromhex("0a0101")).encode()


def test_the_evidence_is_accepted_by_both_verifiers(anvil_program: Path) -> None:
    if os.environ.get("UPDATE_EVIDENCE") == "1":
        _FILE.write_text(json.dumps(_evidence(), indent=1) + "\n")
    kept = {name: bytes.fromhex(text[2:]) for name, text in json.loads(_FILE.read_text()).items()}
    with run_evm() as evm:
        verifier = SnpVerifier.deploy(evm, "SimulatorVerifier")
        for line in ProductLine:
            for kind in _PROVIDERS:
                report, vek = (kept[f"{line}-{kind}-{part}"] for part in ("report", "vek"))
                evidence = Evidence(report, vek, FakeAmd.load(line).chain_pem(SigningKey[kind]))
                claims = judge(evidence, _AT, SIMULATOR_ROOTS)
                got = verifier.verify(evidence.report, evidence.vek)
                assert isinstance(got, Judged) and got == expected(evidence.vek, claims)
            assert parse_crl(kept[f"{line}-crl"], "crl").revoked_serials
            assert not verifier.ask("verifyCrl(bytes)", kept[f"{line}-crl"]).reverted
        p384 = verifier.child("p384")
        inputs, valid = kept["p384-inputs"], kept["p384-valid"]
        calls = [encode_call("verify(bytes)", inputs[240 * n : 240 * n + 240]) for n in range(len(valid))]
        assert bytes(answer.number for answer in evm.calls(p384, calls)) == valid


def _evidence() -> dict[str, str]:
    found = {}
    for line in ProductLine:
        amd = FakeAmd.load(line)
        for kind, csp_id in _PROVIDERS.items():
            guest = FakeGuest.on(amd, at=_AT, csp_id=csp_id, version=_VERSIONS[line])
            vek = guest.vek(pss=Pss(explicit_trailer=line is ProductLine.MILAN))
            found[f"{line}-{kind}-report"] = guest.report(bytes(range(64)), key=vek.key)
            found[f"{line}-{kind}-vek"] = vek.certificate
        found |= {f"{line}-{role}": amd.authorities[role].certificate for role in (CaRole.ASK, CaRole.ASVK)}
        found[f"{line}-crl"] = _list(amd)
    found |= _malformed_lists(FakeAmd.load(ProductLine.MILAN))
    cases = list(exceptional_inputs(16))
    found["p384-inputs"] = b"".join(data for data, _ in cases)
    found["p384-valid"] = bytes(valid for _, valid in cases)
    return {name: f"0x{data.hex()}" for name, data in found.items()}


def _malformed_lists(amd: FakeAmd) -> dict[str, bytes]:
    """Return lists that are signed, each with one thing that no list of AMD's has."""
    key_id, number = _extensions(amd)
    other_key_id, _ = _extensions(FakeAmd.load(ProductLine.GENOA))
    serial, moment = der.integer(1), der.time(_AT)
    entry = der.sequence(serial, moment)
    short_key_id = X509Extension(AUTHORITY_KEY_ID, der.sequence(der.implicit(0, bytes(19)))).encode()
    long_key_id = X509Extension(AUTHORITY_KEY_ID, _value(key_id) + b"\0").encode()
    number_with_more = X509Extension(CRL_NUMBER, _value(number) + b"\0").encode()
    delta = X509Extension("2.5.29.27", der.integer(1)).encode()
    # 2.5.29 and a number that does not end
    unended = der.sequence(der.tlv(0x06, bytes.fromhex("551d80")), der.octet_string(b""))
    lists = {
        "no-entries": ((), (key_id, number)),
        "no-extensions-of-an-entry": ((der.sequence(serial, moment, der.sequence()),), (key_id, number)),
        "extension-of-an-entry-twice": (
            (der.sequence(serial, moment, der.sequence(_REASON, _REASON)),),
            (key_id, number),
        ),
        "odd-extension-of-an-entry": ((der.sequence(serial, moment, der.sequence(unended)),), (key_id, number)),
        "serial-twice": ((entry, entry), (key_id, number)),
        "one-extension": ((entry,), (number,)),
        "five-numbers": ((entry,), (number,) * 5),
        "number-with-more": ((entry,), (key_id, number_with_more)),
        "delta": ((entry,), (key_id, number, delta)),
        "short-key-id": ((entry,), (short_key_id, number)),
        "long-key-id": ((entry,), (long_key_id, number)),
        "other-key-id": ((entry,), (other_key_id, number)),
    }
    return {f"crl-{name}": _signed(amd, entries, extensions) for name, (entries, extensions) in lists.items()}


def _list(amd: FakeAmd) -> bytes:
    """Return a list of two serial numbers, the second with an extension."""
    first = der.sequence(der.integer(0x010001), der.time(_AT))
    second = der.sequence(der.integer(0x80), der.time(_AT), der.sequence(_REASON))
    return _signed(amd, (first, second), _extensions(amd))


def _extensions(amd: FakeAmd) -> tuple[bytes, ...]:
    """Return the extensions of a list: authority key identifier and number."""
    return tuple(one.encoding for one in split_signed(amd.current_crl(_AT), "crl")[1][-1].children[0].children)


def _signed(amd: FakeAmd, entries: tuple[bytes, ...], extensions: tuple[bytes, ...]) -> bytes:
    fields = [field.encoding for field in split_signed(amd.current_crl(_AT), "crl")[1][:-1]]
    tbs = der.sequence(*fields, der.sequence(*entries), der.explicit(0, der.sequence(*extensions)))
    return der.sequence(tbs, Pss().encode(), der.bit_string(Pss().sign(tbs, amd.ark.key)))


def _value(extension: bytes) -> bytes:
    """Return the content of an extension's OCTET STRING."""
    return parse_der(extension, problem_at("extension")).children[-1].content

"""Tests of the identities of publishers: known digests, and lines that are refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.identity.names import IdentityKind, PublisherIdentity, parse_identity
from provenance_oracle.verifier.record.fields import workload_identity

HEX = "ab" * 32
LINES = {
    f"key {HEX}": IdentityKind.KEY,
    f"certificate {HEX} email:me@example.org": IdentityKind.CERTIFICATE,
    f"certificate {HEX} dn:CN=Model Signing 001,O=Example": IdentityKind.CERTIFICATE,
    f"authority {HEX}": IdentityKind.AUTHORITY,
    "sigstore https://accounts.example.org email:me@example.org": IdentityKind.SIGSTORE,
    "sigstore https://accounts.example.org other:été": IdentityKind.SIGSTORE,
    "workflow https://token.actions.githubusercontent.com https://github.com/o/r/.github/workflows/sign.yml": (
        IdentityKind.WORKFLOW
    ),
    f"snp-measurement {HEX}{'00' * 16}": IdentityKind.MEASUREMENT,
    f"simulated-snp-measurement {HEX}{'00' * 16}": IdentityKind.SIMULATED_MEASUREMENT,
}


@pytest.mark.parametrize("line", LINES)
def test_accepts(line: str) -> None:
    identity = parse_identity(line, "line")
    assert (identity.line, identity.kind) == (line, LINES[line])
    assert identity.anchor == (bytes.fromhex(HEX) if line.split()[0] in ("key", "certificate", "authority") else None)


@pytest.mark.parametrize(
    ("line", "digest"),
    [
        ("sigstore https://sigstore.verify.ibm.com/oauth2 email:stefanb@us.ibm.com", "82b937a5812fdc56"),
        ("key c1e49d63327f85c7e2971aefd30b5a0d1c6b9b5e1a892e7f5fba995adace816d", "277236a02e239151"),
        (
            "certificate 098513323bdc1d5a40f9a0b56f0bc292f4e752caca8b42338bba219829148f02 dn:CN=intermediate-ca",
            "e4323285cbdffda7",
        ),
    ],
)
def test_digests_are_known(line: str, digest: str) -> None:
    assert parse_identity(line, "line").digest.hex().startswith(digest)


@pytest.mark.parametrize("simulated", [False, True])
def test_the_digest_of_a_measurement_is_that_of_the_record(simulated: bool) -> None:
    measurement = bytes(range(48))
    line = f"{'simulated-' if simulated else ''}snp-measurement {measurement.hex()}"
    assert parse_identity(line, "line").digest == workload_identity(measurement, simulated=simulated)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", "begins with"),
        ("key", "64"),
        (f"Key {HEX}", "begins with"),
        (f"key {HEX.upper()}", "64"),
        (f"key {HEX}00", "64"),
        (f"key  {HEX}", "64"),
        (f"key {HEX} ", "64"),
        (f"key {HEX}\n", "printable"),
        (f"key {HEX}\u202e", "printable"),
        (f"certificate {HEX}", "name"),
        (f"certificate {HEX} me@example.org", "name"),
        (f"certificate {HEX} email:", "name"),
        (f"certificate {HEX} email: me", "name"),
        (f"authority {HEX} dn:CN=x", "64"),
        ("sigstore accounts.example.org email:me", "URL"),
        ("sigstore https://a dns:example.org", "URL"),
        ("sigstore https://a email:e\u0301", "NFC"),
        (f"sigstore https://a email:{'x' * 1024}", "1024"),
        ("workflow https://a https://github.com/o/r/.github/workflows/w.yml@refs/heads/main", "without @"),
        (f"snp-measurement {HEX}", "96"),
    ],
)
def test_refuses(line: str, wanted: str) -> None:
    with pytest.raises(FormatError, match=wanted) as refused:
        parse_identity(line, "--identity")
    assert refused.value.check is Check.PUBLISHER_IDENTITY
    assert refused.value.where == "--identity"


@given(st.text(max_size=80) | st.tuples(st.sampled_from(list(IdentityKind)), st.text(max_size=80)).map(" ".join))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(FormatError):
        assert parse_identity(text, "line") == PublisherIdentity(text)

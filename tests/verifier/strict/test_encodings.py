"""Tests that data in another form is named in the message, and that the command in the message converts it."""

from __future__ import annotations

import base64
import gzip
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.manifest.key import parse_public_key
from provenance_oracle.verifier.snp.certificates import split_certificates
from provenance_oracle.verifier.snp.crl import parse_crl
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import parse_report
from provenance_oracle.verifier.strict.encodings import certificate_hint, encoding_of, pem_fault, unwrapped

_GUEST = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=datetime(2026, 11, 21, tzinfo=UTC))
_REPORT = _GUEST.report(bytes(range(64)))
# As Azure's paravisor writes it: a header of 32 bytes, the report, runtime data.
_HCL = b"HCLA" + bytes(28) + _REPORT + b"{}".ljust(2600 - 32 - 1184, b"\0")
_ASK = _GUEST.amd.authorities[CaRole.ASK].certificate
_PEM = ssl.DER_cert_to_PEM_cert(_ASK).encode()
_CRL = _GUEST.crl()


def _pem_of_report() -> bytes:
    return b"-----BEGIN SNP REPORT-----\n" + base64.encodebytes(_REPORT) + b"-----END SNP REPORT-----\n"


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (base64.b64encode(_REPORT), "base64 of a report"),
        (base64.encodebytes(_REPORT), "base64 of a report"),
        (base64.urlsafe_b64encode(_REPORT).rstrip(b"="), "base64url of a report"),
        (_REPORT.hex().encode(), "hex of a report"),
        (b"\n".join(re.findall(b"..", _REPORT.hex().upper().encode())), "hex of a report"),
        (gzip.compress(_REPORT), "gzip"),
        (_pem_of_report(), "PEM of a report"),
        (_HCL, "an Azure HCL report"),
        (base64.b64encode(_HCL), "base64 of an Azure HCL report"),
        (_HCL.hex().encode() + b"\n", "hex of an Azure HCL report"),
        (base64.b64encode(gzip.compress(_REPORT)), "base64 of gzip"),
    ],
)
def test_a_report_in_another_form_is_named_and_the_command_converts_it(tmp_path: Path, data: bytes, form: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_report(data)
    assert f"this is {form}" in caught.value.problem
    assert (caught.value.got, caught.value.wanted) == (f"{len(data)} bytes", "1184 bytes")
    found = re.search("convert it with `(.*)`", caught.value.problem)
    assert found
    if "xxd" in found[1] and not shutil.which("xxd"):
        assert unwrapped(data)[1] in (_REPORT, _HCL)
        return
    (tmp_path / "FILE").write_bytes(data)
    subprocess.run(["sh", "-c", found[1]], cwd=tmp_path, check=True)
    assert (tmp_path / "report.bin").read_bytes() == _REPORT


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_ASK, "this is a certificate; is the report the other file?"),
        (_PEM, "this is a certificate; is the report the other file?"),
        (b'{"report": "AA=="}', "this is JSON; take the report out of it"),
        (b"<!doctype html>", "this is HTML"),
        (_REPORT[:-1], "wrong report size"),
        (b"", "wrong report size"),
    ],
)
def test_other_files_are_named_too(data: bytes, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_report(data)
    assert said in caught.value.problem
    assert "convert" not in caught.value.problem


def _wider(pem: bytes, width: int) -> bytes:
    body = b"".join(pem.splitlines()[1:-1])
    lines = [body[at : at + width] for at in range(0, len(body), width)]
    return b"\n".join([pem.splitlines()[0], *lines, pem.splitlines()[-1], b""])


_FAULTS: list[tuple[bytes, str]] = [
    (b"subject=CN = SEV-Genoa\n" + _PEM, "text before the BEGIN line"),
    (b"\xef\xbb\xbf" + _PEM, "a byte order mark before the BEGIN line"),
    (b"\n" + _PEM, "text before the BEGIN line"),
    (_PEM + b"Bag Attributes\n" + _PEM, "text between two blocks"),
    (_PEM + b"the end\n", "text after the last END line"),
    (_wider(_PEM, 76), "lines of other lengths (line 2 has 76 characters"),
    (_wider(_PEM, 5000), "lines of other lengths (line 2 has"),
    (_PEM + _wider(_PEM, 60), "lines of other lengths"),
    (_PEM.replace(b"\n", b" \n", 2), "something else on it"),
    (_PEM.replace(b"CERTIFICATE", b"PRIVATE KEY"), "a block of PRIVATE KEY where CERTIFICATE is wanted"),
    (_PEM.partition(b"-----END")[0], "without an END line"),
    (_PEM.replace(b"END CERTIFICATE", b"END X509 CRL"), "with another END line"),
    (_PEM.replace(b"CERTIFICATE-----\n", b"CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n", 1), "a header in line 2"),
    (_PEM * 5, "too many blocks"),
    (base64.encodebytes(_ASK), "this is base64; convert it with `cat FILE | base64 -d > NEW`"),
    (_ASK.hex().encode(), "this is hex; convert it with `cat FILE | xxd -r -p > NEW`"),
    (gzip.compress(_PEM), "this is gzip; convert it with `cat FILE | gunzip > NEW`"),
    (b"<html>404</html>", "this is HTML, not PEM or DER"),
]


@pytest.mark.parametrize(("data", "said"), _FAULTS, ids=[said[:40] for _, said in _FAULTS])
def test_a_fault_of_a_certificate_file_is_named(data: bytes, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        split_certificates(data, "chain.pem")
    assert said in caught.value.problem
    assert caught.value.got
    assert caught.value.wanted


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"text\n" + ssl.DER_cert_to_PEM_cert(_CRL).replace("CERTIFICATE", "X509 CRL").encode(),
            "text before the BEGIN",
        ),
        (ssl.DER_cert_to_PEM_cert(_CRL).encode(), "a block of CERTIFICATE where X509 CRL is wanted"),
        (base64.b64encode(_CRL), "this is base64; convert it with"),
        (gzip.compress(_CRL), "this is gzip; convert it with"),
    ],
)
def test_a_fault_of_a_list_is_named(data: bytes, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_crl(data, "ark.crl")
    assert said in caught.value.problem


_KEY = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"key of the VM\n" + _KEY, "text before the BEGIN line"),
        (_KEY.replace(b"PUBLIC", b"PRIVATE"), "a block of PRIVATE KEY where PUBLIC KEY is wanted"),
        (_PEM, "a block of CERTIFICATE where PUBLIC KEY is wanted"),
        (_KEY.replace(b"ZuE=\n", b"ZuE= \n"), "white space around line 2"),
        (_wider(_KEY, 30), "lines of other lengths"),
        (gzip.compress(_KEY), "this is gzip"),
    ],
)
def test_a_fault_of_a_public_key_is_named(data: bytes, said: str) -> None:
    parse_public_key(_KEY, "cvm-key.pem")
    with pytest.raises(FormatError) as caught:
        parse_public_key(data, "cvm-key.pem")
    assert said in caught.value.problem


def test_the_contents_of_a_private_key_are_not_shown() -> None:
    secret = _PEM.replace(b"CERTIFICATE", b"PRIVATE KEY")
    for parse in (lambda: split_certificates(secret, "x"), lambda: parse_public_key(secret, "x")):
        with pytest.raises(FormatError) as caught:
            parse()
        assert not any(line.decode() in str(caught.value) for line in secret.splitlines()[1:-1])


def test_a_long_run_of_white_space_is_linear_work() -> None:
    """Ambiguous patterns would take hours for these 2 MB."""
    data = b"A" * 32 + b" " * ((2 << 20) - 40) + b"\0"
    assert encoding_of(data) == ""
    assert certificate_hint(b"-----BEGIN " * 100_000).startswith(": this is PEM")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.integers(0, 50))
def test_any_bytes_get_a_short_answer(data: bytes, position: int) -> None:
    calls: tuple[Callable[[], str], ...] = (
        lambda: certificate_hint(data),
        lambda: pem_fault(data, min(position, len(data)), b"CERTIFICATE"),
        lambda: encoding_of(data),
    )
    assert all(len(call()) < 200 for call in calls)
    assert len(unwrapped(data)[0]) <= 3

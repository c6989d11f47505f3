"""Warn when a new release of `cryptography` refuses serial number 0.

AMD's VEKs have serial number 0, which RFC 5280 forbids. cryptography 50 loads such certificates with a warning that a
future release will refuse them. `verifier.snp` parses certificates itself, so such a release affects neither verifier
nor oracle, only the tests that compare with cryptography and OpenSSL.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

import provenance_oracle.verifier.snp
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.snp.certificates import parse_certificate
from provenance_oracle.verifier.snp.products import ProductLine

_VCEK = FakeGuest.on(FakeAmd.load(ProductLine.MILAN), at=datetime(2026, 11, 21, tzinfo=UTC)).vek().certificate


def test_serial_number_zero_is_read_here() -> None:
    assert parse_certificate(_VCEK, "vek").serial == 0


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
def test_serial_number_zero_still_loads_in_cryptography() -> None:
    try:
        assert x509.load_der_x509_certificate(_VCEK).serial_number == 0
    except ValueError as error:
        pytest.fail(
            f"this release of cryptography refuses serial number 0, which every VEK of AMD has ({error}). The verifier"
            " is not affected. Keep the bound in pyproject.toml below this release for the tests that compare with"
            " cryptography and OpenSSL, or remove those tests and raise the bound."
        )


def test_the_verifier_does_not_use_the_x509_parser() -> None:
    """Otherwise a release that refuses serial number 0 would stop the oracle."""
    sources = {path.name: path.read_text() for path in Path(provenance_oracle.verifier.snp.__path__[0]).glob("*.py")}
    assert "certificates.py" in sources
    assert [name for name, text in sources.items() if "x509" in "".join(re.findall(r"^.*import.*$", text, re.M))] == []

"""What a new release of cryptography must not take away.

AMD's VEKs have serial number 0, which RFC 5280 forbids. cryptography 50 loads such certificates with the warning that a
future release will not. `verifier.snp` reads certificates itself, so that day stops neither verifier nor oracle; it
stops those tests that ask cryptography and OpenSSL for a second opinion.
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
            " does not mind; keep the bound in pyproject.toml below this release for the tests that compare with"
            " cryptography and OpenSSL, or drop those tests, and then raise the bound."
        )


def test_the_verifier_does_not_use_the_x509_parser() -> None:
    """Else the day on which serial number 0 is refused would be the day on which the oracle stops."""
    sources = {path.name: path.read_text() for path in Path(provenance_oracle.verifier.snp.__path__[0]).glob("*.py")}
    assert "certificates.py" in sources
    assert [name for name, text in sources.items() if "x509" in "".join(re.findall(r"^.*import.*$", text, re.M))] == []

"""A fake key distribution service. A fake AMD answers requests for AMD's addresses from memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from provenance_oracle.publisher.simulator.amd import FakeAmd
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.snp.kds import KDS_HOST, UnknownToAmdError
from provenance_oracle.verifier.snp.products import VEK_FORMS, ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb

_SPL_NAMES = {"fmcSPL": "fmc", "blSPL": "bootloader", "teeSPL": "tee", "snpSPL": "snp", "ucodeSPL": "microcode"}


class Resource(StrEnum):
    """The resources that the service has."""

    VCEK = "vcek"
    CHAIN = "cert_chain"
    CRL = "crl"


@dataclass(frozen=True)
class FakeKds:
    """Implements the verifier's `Fetcher` without a network.

    Args:
        amds: one fake AMD for each product line that the service knows.
        at: the present. VCEKs are issued at this moment, the revocation list a day before.
        instead: answers in place of the right ones: other bytes, or an error to raise.
    """

    amds: tuple[FakeAmd, ...]
    at: datetime
    instead: Mapping[Resource, bytes | ProvenanceError] = field(default_factory=dict)

    def fetch(self, url: str) -> bytes:
        """Return the answer for one of AMD's addresses.

        Raises:
            UnknownToAmdError: AMD has no such address.
            ProvenanceError: an error in `instead`.
        """
        kind, amd, rest, query = self._split(url)
        resource = Resource(rest) if rest in (Resource.CHAIN, Resource.CRL) else Resource.VCEK
        answer = self.instead.get(resource)
        if isinstance(answer, ProvenanceError):
            raise answer
        if answer is not None:
            return answer
        if resource is Resource.CHAIN:
            return amd.chain_pem(kind)
        if resource is Resource.CRL:
            return amd.current_crl(self.at)
        if kind is not SigningKey.VCEK:
            raise _unknown(url)
        return self._vcek(amd, rest, query, url)

    def _split(self, url: str) -> tuple[SigningKey, FakeAmd, str, str]:
        parts = urlsplit(url)
        lines = {amd.line: amd for amd in self.amds}
        match parts.path.split("/"):
            case ["", kind, "v1", line, rest] if (parts.scheme, parts.netloc) == ("https", KDS_HOST):
                if kind in ("vcek", "vlek") and line in lines:
                    return SigningKey[kind.upper()], lines[ProductLine(line)], rest, parts.query
        raise _unknown(url)

    def _vcek(self, amd: FakeAmd, hwid_hex: str, query: str, url: str) -> bytes:
        levels = {name: values[0] for name, values in parse_qs(query).items()}
        wanted = [name for name in _SPL_NAMES if name != "fmcSPL" or amd.line is ProductLine.TURIN]
        if list(levels) != wanted or len(hwid_hex) != 2 * VEK_FORMS[amd.line].hwid_bytes:
            raise _unknown(url)
        tcb = Tcb(**{_SPL_NAMES[name]: int(level) for name, level in levels.items()})
        return amd.vcek(bytes.fromhex(hwid_hex), tcb, not_before=self.at).certificate


def _unknown(url: str) -> UnknownToAmdError:
    return UnknownToAmdError("the simulator does not know this address", where=url, got="status 404")

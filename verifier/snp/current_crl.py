"""Complete evidence with a revocation list for the moment of judgement, from AMD or a file, when asked to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from verifier.checks import Check
from verifier.errors import FormatError
from verifier.snp.endorsements import Endorsements, parse_endorsements
from verifier.snp.evidence import Evidence
from verifier.snp.kds import Fetcher, fetch_crl
from verifier.snp.products import ProductLine


def with_current_crl(evidence: Evidence, *, at: datetime, fetcher: Fetcher) -> Evidence:
    """Return `evidence` with a list that `fetcher` gave, unless its own is for moment `at`. Nothing is verified here.

    Raises:
        FormatError: the evidence is malformed. TemporaryError: the list cannot be had now.
    """
    endorsements = parse_endorsements(
        evidence.vek,
        evidence.chain,
        evidence.crl,
        vek_where=evidence.vek_name,
        chain_where=evidence.chain_name,
        crl_where=evidence.crl_name,
    )
    own = endorsements.crl
    if own is not None and own.this_update <= at <= own.next_update:
        return evidence
    fetched = fetch_crl(fetcher, _line_of(endorsements), endorsements.vek.kind)
    return replace(evidence, crl=fetched, crl_name="fetched CRL")


def _line_of(endorsements: Endorsements) -> ProductLine:
    """The line by the ARK's name: only a hint where to ask; the list is verified against the pinned root."""
    for line in ProductLine:
        if endorsements.ark.common_name == f"ARK-{line}":
            return line
    raise FormatError(
        "no known root",
        check=Check.ENDORSEMENTS_FORMAT,
        where=endorsements.ark.where,
        got=endorsements.ark.common_name,
        wanted="ARK-Milan, ARK-Genoa or ARK-Turin",
    )

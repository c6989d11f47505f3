"""Complete evidence with a revocation list for the moment of judgement, from AMD or a file, when asked to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import CrlUnavailableError, FormatError
from provenance_oracle.verifier.snp.chain import require_aware
from provenance_oracle.verifier.snp.crl import parse_crl
from provenance_oracle.verifier.snp.endorsements import Endorsements, endorsements_of
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.kds import Fetcher, fetch_crl
from provenance_oracle.verifier.snp.products import ProductLine

_FETCHED = "fetched CRL"


def with_current_crl(evidence: Evidence, *, at: datetime, fetcher: Fetcher, now: datetime | None = None) -> Evidence:
    """Return `evidence` with a list that `fetcher` gave, unless its own is for moment `at`. Nothing is verified here.

    Args:
        now: when it is fetched, if later than `at`; the list then has to be current now, and so tells of the time since
            `at` too.

    Raises:
        FormatError: the evidence is malformed.
        TemporaryError: the list cannot be had now, or what came is none; the release is not to blame for that.
        UsageError: `at` has no time zone.
    """
    require_aware(at)
    endorsements = endorsements_of(evidence)
    own = endorsements.crl
    if own is not None and own.covers(at):
        return evidence
    fetched = fetch_crl(fetcher, _line_of(endorsements), endorsements.vek.kind)
    try:
        parse_crl(fetched, _FETCHED)
    except FormatError as error:
        raise CrlUnavailableError(
            "the answer for AMD's revocation list is no such list",
            check=Check.VEK_REVOCATION,
            where=_FETCHED,
            got=str(error),
            wanted="a revocation list",
        ) from error
    return replace(evidence, crl=fetched, crl_name=_FETCHED, crl_at=max(at, now or at))


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

"""Complete evidence with a revocation list (CRL) that is current at the time of judgement."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import CrlUnavailableError, FormatError, VerificationError
from provenance_oracle.verifier.snp.chain import require_aware, verify_crl
from provenance_oracle.verifier.snp.crl import parse_crl
from provenance_oracle.verifier.snp.endorsements import Endorsements, endorsements_of
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.kds import Fetcher, crl_url, fetch_crl, forget_answer
from provenance_oracle.verifier.snp.products import ProductLine

FETCHED_CRL = "fetched CRL"  # its name in messages, in a verdict, and in kept evidence


def with_current_crl(evidence: Evidence, *, at: datetime, fetcher: Fetcher, now: datetime | None = None) -> Evidence:
    """Return `evidence` with a revocation list that is fetched, or unchanged if its own list is current at `at`.

    A fetched list must be signed by the ARK in `evidence`, which the caller has verified before. If the list is not,
    or is not current, a fetcher that keeps answers is told to forget it, so that the next judgement asks AMD again.

    Args:
        at: the time of judgement, an aware datetime.
        fetcher: fetches the list, from AMD or from a file.
        now: the time of the fetch, if it is later than `at`. The list must then be current at `now`, so that it also
            covers the time since `at`.

    Raises:
        FormatError: the endorsements are malformed, or the ARK is of no known line (check `endorsements-format`).
        CrlUnavailableError: the answer is not a revocation list, or the ARK did not sign it. That is not the release's
            fault (check `vek-revocation`).
        TemporaryError: the fetcher raised it.
        UsageError: `at` has no time zone.
    """
    require_aware(at)
    endorsements = endorsements_of(evidence)
    own = endorsements.crl
    if own is not None and own.covers(at):
        return evidence
    line, kind, crl_at = _line_of(endorsements), endorsements.vek.kind, max(at, now or at)
    fetched = fetch_crl(fetcher, line, kind)
    try:
        crl = parse_crl(fetched, FETCHED_CRL)
        verify_crl(crl, endorsements.ark)
    except (FormatError, VerificationError) as error:
        forget_answer(fetcher, crl_url(line, kind))
        is_list = isinstance(error, VerificationError)
        raise CrlUnavailableError(
            f"the answer for AMD's revocation list is {'not signed by its root' if is_list else 'no such list'}",
            check=Check.VEK_REVOCATION,
            where=FETCHED_CRL,
            got=str(error),
            wanted=f"a revocation list signed by {endorsements.ark.common_name}" if is_list else "a revocation list",
        ) from error
    if not crl.covers(crl_at):
        forget_answer(fetcher, crl_url(line, kind))
    return replace(evidence, crl=fetched, crl_name=FETCHED_CRL, crl_at=crl_at)


def _line_of(endorsements: Endorsements) -> ProductLine:
    """Return the product line by the ARK's name.

    The name only decides which address is asked; the list is later verified against the pinned root.
    """
    for line in ProductLine:
        if endorsements.ark.common_name == f"ARK-{line}":
            return line
    raise FormatError(
        "unknown root certificate",
        check=Check.ENDORSEMENTS_FORMAT,
        where=endorsements.ark.where,
        got=endorsements.ark.common_name,
        wanted="ARK-Milan, ARK-Genoa or ARK-Turin",
    )

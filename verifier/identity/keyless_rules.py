"""The rules for keyless bundles that sigstore-python 4.5 does not enforce.

Every key counts only within its window in the trusted root, at every moment that a log or a timestamp authority vouches
for. A log is found by its id alone. Index and size of the proof of inclusion are those of the log's signed checkpoint.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta

from cryptography import x509

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, naming_extras
from provenance_oracle.verifier.identity.bundle import SignatureBundle
from provenance_oracle.verifier.identity.issued_by import is_issued_by
from provenance_oracle.verifier.identity.log_entry import LogEntry
from provenance_oracle.verifier.identity.signer import forged
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot, RootAuthority, RootLog
from provenance_oracle.verifier.identity.stamp_form import parse_stamp_form
from provenance_oracle.verifier.strict.parse_json import canonical_base64
from provenance_oracle.verifier.strict.timestamps import format_time

FUTURE_MAX = timedelta(minutes=5)
_HINT_BYTES = 4
# Nothing signs the lines of signatures, so each has one form. sigstore-python passes over others, and reads any base64.
_NOTE = re.compile(
    r"(?P<text>[^\n]+\n(?P<size>[0-9]{1,19})\n(?P<root>[^\n]+)\n(?:[^\n]+\n)*)\n"
    "(?P<signatures>(?:\u2014 [!-*,-~]+ [A-Za-z0-9+/=]+\n)+)"
)


def verify_log_entry(bundle: SignatureBundle, entry: LogEntry, root: PinnedRoot) -> RootLog:
    """Return the log that the entry names, after its checkpoint and its promise were verified with the log's own key.

    Raises:
        VerificationError: the root has no such log, or a field differs from the signed ones.
    """
    logs = [log for log in root.logs if log.log_id == entry.log_id]
    if len(logs) != 1:
        raise forged(bundle, "no such log", entry.log_id.hex(), "a log of the trusted root")
    (log,) = logs
    size, tree_root = _checkpoint(bundle, entry, log)
    if (size, tree_root) != (entry.tree_size, entry.root) or entry.proof_index >= entry.tree_size:
        got = f"index {entry.proof_index} of {entry.tree_size}"
        raise forged(bundle, "the proof is not for the checkpoint's tree", got, f"a proof for a tree of {size}")
    if entry.promise:
        message = {
            "body": base64.b64encode(entry.body).decode(),
            "integratedTime": entry.integrated_seconds,
            "logID": entry.log_id.hex(),
            "logIndex": entry.index,
        }
        if not log.signed(entry.promise, json.dumps(message, separators=(",", ":")).encode()):
            raise forged(bundle, "the log's promise does not verify", f"entry {entry.index}", "one by the log's key")
    elif entry.kind.endswith(" 0.0.2") and entry.index != entry.proof_index:
        raise forged(bundle, "the entry has two indices", f"{entry.index}", f"{entry.proof_index}")
    return log


def _checkpoint(bundle: SignatureBundle, entry: LogEntry, log: RootLog) -> tuple[int, bytes]:
    """Return tree size and root of the checkpoint, after the log's signature was verified (C2SP signed note)."""
    note = _NOTE.fullmatch(entry.checkpoint)
    tree_root = canonical_base64(note["root"]) if note else None
    signatures = [canonical_base64(line.split(" ")[2]) for line in note["signatures"].splitlines()] if note else []
    signed = [one for one in signatures if one and len(one) > _HINT_BYTES]
    if note is None or tree_root is None or len(signed) != len(signatures):
        raise forged(bundle, "malformed checkpoint", entry.checkpoint[:100], "a signed note")
    own = [one[_HINT_BYTES:] for one in signed if one[:_HINT_BYTES] == log.log_id[:_HINT_BYTES]]
    if not any(log.signed(signature, note["text"].encode()) for signature in own):
        raise forged(bundle, "the checkpoint does not verify", f"{len(own)} signatures", "one by the log's key")
    return int(note["size"]), tree_root


def moments_of(bundle: SignatureBundle, entry: LogEntry, root: PinnedRoot) -> list[datetime]:
    """Return the moments that the log's promise and each timestamp vouch for; at least one.

    Raises:
        VerificationError: there is none, or a timestamp is by no authority of the root within its window.
    """
    moments = []
    if entry.promise and entry.integrated_seconds:
        moments.append(datetime.fromtimestamp(entry.integrated_seconds, UTC))
    moments += [_stamped_at(bundle, stamp, root) for stamp in bundle.stamps]
    if not moments:
        raise forged(bundle, "nobody vouches for a time", "no promise and no timestamp", "one of them")
    return moments


def _stamped_at(bundle: SignatureBundle, stamp: bytes, root: PinnedRoot) -> datetime:
    with naming_extras():
        from rfc3161_client import VerificationError as StampError
        from rfc3161_client import VerifierBuilder, decode_timestamp_response
    try:
        form = parse_stamp_form(stamp, _problem_of_stamp)
        response = decode_timestamp_response(stamp)
        moment = response.tst_info.gen_time
    except (ValueError, FormatError) as error:
        raise forged(bundle, "malformed timestamp", str(error)[:200], "an RFC 3161 response") from error
    for authority in root.stampers:
        signer, *issuers = authority.chain
        if not issuers or not _was_valid(authority, moment) or not form.fits(authority.chain):
            continue
        builder = VerifierBuilder(tsa_certificate=signer, roots=[issuers[-1]], intermediates=list(issuers[:-1]))
        try:
            builder.build().verify_message(response, bundle.envelope.signature)
        except (StampError, ValueError):
            continue
        return moment
    got = f"a timestamp of {format_time(moment)}"
    raise forged(bundle, "no authority made the timestamp in its window", got, "one by an authority of the root")


def _problem_of_stamp(what: str, got: str, wanted: str) -> FormatError:
    return FormatError(what, check=Check.PUBLISHER_SIGNATURE, got=got, wanted=wanted)


def verify_issuing_ca(bundle: SignatureBundle, leaf: x509.Certificate, root: PinnedRoot, moment: datetime) -> None:
    """Raise VerificationError unless a CA of the root, valid at `moment`, issued the leaf, itself valid then."""
    is_valid = leaf.not_valid_before_utc <= moment <= leaf.not_valid_after_utc
    valid_cas = [one for one in root.authorities if _was_valid(one, moment)]
    if not is_valid or not any(is_issued_by(leaf, one.chain[0]) for one in valid_cas):
        got = f"no CA of the trusted root was valid at {format_time(moment)} and issued the certificate"
        raise forged(bundle, "the certificate was not valid then", got, "a CA within its window")


def verify_certificate_log(bundle: SignatureBundle, leaf: x509.Certificate, root: PinnedRoot, at: datetime) -> None:
    """Raise VerificationError unless the leaf's one SCT names a log of the root by its id, within the log's window.

    sigstore-python verified the SCT with the key of that id: the root's id must be the digest of the key.
    """
    scts = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    moment = scts[0].timestamp.replace(tzinfo=UTC)
    logs = [log for log in root.certificate_logs if scts[0].log_id == log.log_id == log.spki_digest]
    if len(scts) != 1 or len(logs) != 1 or moment not in logs[0].window or moment > at + FUTURE_MAX:
        got = f"{len(scts)} SCTs, the first of {format_time(moment)} by {scts[0].log_id.hex()}"
        raise forged(bundle, "no log vouches for the certificate", got, "one SCT by a log of the root in its window")


def _was_valid(authority: RootAuthority, moment: datetime) -> bool:
    return moment in authority.window and all(
        one.not_valid_before_utc <= moment <= one.not_valid_after_utc for one in authority.chain
    )

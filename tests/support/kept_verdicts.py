"""A release that an oracle judged, and everything that it keeps of the judgement, for tests that alter one part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.journal.evidence import archive
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.rejudge import KeptFiles
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import Policy, load_policy, parse_policy, policy_page
from provenance_oracle.verifier.record.fields import Entry, RecordSigner
from provenance_oracle.verifier.registry.signed_verdict import digest_to_sign, envelope_of
from provenance_oracle.verifier.strict.tar import files_of_tar, tar_of
from tests.support.chain_fixtures import make_entry
from tests.support.whole_releases import AT, lay_out

DEMO = load_policy("demo")
ORACLE = EnvironmentSigner("KEY", {"KEY": "11" * 32})
STRANGER = EnvironmentSigner("KEY", {"KEY": "22" * 32})


def raised_floor() -> Policy:
    """Return the policy `demo` under another name, with a microcode floor that the simulated guest does not meet."""
    page = policy_page("demo").replace("name: demo", "name: raised", 1)
    raised = page.replace("microcode: 84}", "microcode: 255}").replace("microcode: 79}", "microcode: 255}")
    return parse_policy(raised.encode(), "raised.yaml")


@dataclass
class Kept:
    """What an oracle keeps. A test changes a part, and takes the files then.

    `signer` signs the envelope; None signs nothing.
    """

    folder: Path
    judgement: Judgement
    statement: bytes
    files: dict[str, bytes]
    signer: EnvironmentSigner | None = field(default=ORACLE)

    @property
    def entry(self) -> Entry:
        """The record of the verdict as it is now, signed by ORACLE."""
        signers = (RecordSigner(0, bytes.fromhex(ORACLE.address[2:]), 1, True),)
        record = replace(self.judgement.record, verdict_digest=self.digest)
        return make_entry(record, signers=signers)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.statement).digest()

    @property
    def envelope(self) -> bytes | None:
        if self.signer is None:
            return None
        signature = self.signer.sign_der(digest_to_sign(self.statement))
        return envelope_of(self.statement, [(self.signer.address, signature)])

    def kept(self) -> KeptFiles:
        return KeptFiles(self.statement, tar_of(self.files), self.envelope, "kept")

    def restate(self, change: Callable[[Any], object]) -> None:
        """Change the verdict as a false oracle would: record and signature follow."""
        value = json.loads(self.statement)
        change(value)
        self.statement = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    def write(self, place: Path) -> Path:
        """Write the files as an oracle does, and return the place."""
        name = self.digest.hex()
        (place / name[:2]).mkdir(parents=True, exist_ok=True)
        kept = self.kept()
        for suffix, data in ((".json", kept.statement), (".evidence.tar", kept.archive), (".dsse.json", kept.envelope)):
            if data is not None:
                (place / name[:2] / f"{name}{suffix}").write_bytes(data)
        return place


def keep(folder: Path, policy: Policy = DEMO) -> Kept:
    """Make a release in `folder`, judge it for AT, and keep what an oracle keeps."""
    return keep_judgement(lay_out(folder), policy, AT)


def keep_judgement(folder: Path, policy: Policy, at: datetime, root: PinnedRoot | None = None) -> Kept:
    """Judge the release in `folder` for a moment, trusting a root of sigstore, and keep what an oracle keeps."""
    judgement = judge(read_release(folder), policy, at=at, sigstore_root=root)
    files = files_of_tar(archive(judgement.release, policy))
    return Kept(folder, judgement, judgement.verdict.statement, files)

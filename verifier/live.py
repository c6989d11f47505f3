"""`verify_model` and `load_verified`, the functions that users call. They read the clock of this machine.

`verifier.judgement.live_model` does the work and takes the time as an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provenance_oracle.verifier.judgement.live_model import (
    LoadedModel,
    ModelConfirmation,
    accept,
    confirm_weights,
    load_weights_of,
)
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import Policy, load_policy
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.snp.kds import Fetcher

if TYPE_CHECKING:
    import torch


def verify_model(
    model: torch.nn.Module | Mapping[str, object],
    release: Path | str,
    *,
    policy: Policy | str | Path | None = None,
    record: Entry | None = None,
    at: datetime | None = None,
    fetcher: Fetcher | None = None,
    files: Collection[str] = (),
    unsaved: Collection[str] = (),
) -> ModelConfirmation:
    """Compare the weights that a model has in memory, on any device, with the files that a release recorded.

    Only the headers of the release's safetensors files are read. The digest of each file is computed from its header
    and the tensors in memory, which are read in place. Nothing may write to the tensors meanwhile.

    Args:
        model: a torch module, or a state dict of torch tensors or NumPy arrays, named as in the files.
        release: the release's folder. Its safetensors files may be cut after their headers.
        policy: judges the release's evidence here: a `Policy`, the name of a shipped one such as "baseline", or the
            path of a file. Give this or `record`, or both.
        record: the release's entry in a registry, as `RegistryReader.entry` returns it; grade 1 or 2 without a policy.
        at: the moment to judge for; by default that of the record, or else now.
        fetcher: fetches a current revocation list if the release has none; None: nothing is fetched.
        files: paths of the model's safetensors files; by default the only one, or the files that the only index names.
        unsaved: names of tensors that code makes and no file holds; they are accepted unchecked.

    Raises:
        VerificationError: a tensor or a file differs from the release (check `file-digests`), the record belongs to
            another release, or the release is forged.
        UsageError: neither policy nor record is given, or the files or tensors to compare are ambiguous.
        FormatError, AppraisalError, RecordError: the release, its header, its evidence or its record is unacceptable.
        TemporaryError: a file or memory cannot be read. DeviceFaultError: a GPU computes wrongly.
    """
    folder = Path(release)
    accepted = accept(read_release(folder), _policy(policy), record, at, datetime.now(UTC), fetcher)
    return confirm_weights(folder, accepted, model, files, unsaved)


def load_verified(
    release: Path | str,
    *,
    policy: Policy | str | Path | None = None,
    record: Entry | None = None,
    at: datetime | None = None,
    fetcher: Fetcher | None = None,
    files: Collection[str] = (),
    weights_only: bool = False,
) -> LoadedModel:
    """Load the weights of a release into memory, and return them only if they match the recorded digests.

    Every byte of the weights is read once, from one open file, into the memory that the tensors keep, and hashed there.
    The other files of the release, such as configuration and tokenizer, are compared with the manifest too.

    Args:
        weights_only: load and check the weights only; the folder may lack the other files or hold more. They are then
            listed in `confirmation.unchecked_files`.

    The other arguments are those of `verify_model`.

    Raises:
        VerificationError: a file is missing, in no manifest or of another size (check `file-set`).
        Other errors are those of `verify_model`.
    """
    folder = Path(release)
    accepted = accept(read_release(folder), _policy(policy), record, at, datetime.now(UTC), fetcher)
    return load_weights_of(folder, accepted, files, weights_only=weights_only)


def _policy(policy: Policy | str | Path | None) -> Policy | None:
    return load_policy(policy) if isinstance(policy, str | Path) else policy

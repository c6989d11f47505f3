"""`verify_model`, `load_verified` and `load_into`, the functions that users call. They read the clock of this machine.

`verifier.judgement.live_model` does the work and takes the time as an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provenance_oracle.verifier.digest.weights.places import NameMap
from provenance_oracle.verifier.judgement.live_model import (
    Accepted,
    LoadedModel,
    ModelConfirmation,
    accept,
    confirm_weights,
    load_into_module,
    load_weights_of,
)
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import Policy, load_policy
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.strict.release_folder import Reading, followed

if TYPE_CHECKING:
    import torch

_READING = Reading(hub_links=True)


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
    names: NameMap | None = None,
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
        names: the name in the model of each name in the files that a loader changed: a mapping or a function. If the
            file's tensor became part of a fused one, a tuple of the name and the part's index, such as
            `("mlp.experts.down_proj", 3)`. The names that DDP, FSDP, torch.compile and PEFT add are known, and so are
            those that transformers changes while it loads.

    Raises:
        VerificationError: a tensor or a file differs from the release (check `file-digests`), the record belongs to
            another release, or the release is forged.
        UsageError: neither policy nor record is given, or the files or tensors to compare are ambiguous.
        FormatError, AppraisalError, RecordError: the release, its header, its evidence or its record is unacceptable.
        TemporaryError: a file or memory cannot be read. DeviceFaultError: a GPU computes wrongly.
    """
    folder, accepted = accepted_release(release, policy, record, at, fetcher)
    return confirm_weights(folder, accepted, model, files, unsaved, names)


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
    To put them into a module call `load_into`. The other files of the release, such as configuration and tokenizer, are
    compared with the manifest too.

    Args:
        weights_only: load and check the weights only; the folder may lack the other files or hold more. They are then
            listed in `confirmation.unchecked_files`.

    The other arguments are those of `verify_model`.

    Raises:
        VerificationError: a file is missing, in no manifest or of another size (check `file-set`).
        Other errors are those of `verify_model`.
    """
    folder, accepted = accepted_release(release, policy, record, at, fetcher)
    return load_weights_of(folder, accepted, files, weights_only=weights_only)


def load_into(
    module: torch.nn.Module,
    release: Path | str,
    *,
    policy: Policy | str | Path | None = None,
    record: Entry | None = None,
    at: datetime | None = None,
    fetcher: Fetcher | None = None,
    files: Collection[str] = (),
    unsaved: Collection[str] = (),
    names: NameMap | None = None,
    weights_only: bool = False,
) -> ModelConfirmation:
    """Load the weights of a release into a torch module, on any device, and check the memory that it computes with.

    Every parameter and persistent buffer of the module must have its tensor in the files. Tied weights stay tied. A
    parameter takes on the dtype of the files, and gets new memory if it had another dtype or lay on the meta device:
    make an optimizer afterwards. Buffers that the module does not save are left alone, and listed in `unsaved`.

    The module is changed only after every digest is right. Should the comparison of its memory fail after that, do not
    use it.

    Args:
        unsaved: names of parameters and buffers that no file holds, such as a new head; they are left unchecked.

    The other arguments are those of `verify_model` and `load_verified`.

    Raises:
        VerificationError: a parameter or persistent buffer is in no file, or the reverse; a shape differs; or the
            release differs from its manifest (checks `file-digests`, `file-set`).
        UsageError: `module` is no torch module, or an unsaved buffer lies on the meta device.
        Other errors are those of `load_verified`.
    """
    folder, accepted = accepted_release(release, policy, record, at, fetcher)
    return load_into_module(folder, accepted, module, files, unsaved, names, weights_only=weights_only)


def accepted_release(
    release: Path | str,
    policy: Policy | str | Path | None,
    record: Entry | None,
    at: datetime | None,
    fetcher: Fetcher | None,
) -> tuple[Path, Accepted]:
    """Return the release's folder and its accepted manifest; this reads the machine's clock."""
    folder = followed(Path(release))
    rules = load_policy(policy) if isinstance(policy, str | Path) else policy
    return folder, accept(read_release(folder, _READING), rules, record, at, datetime.now(UTC), fetcher)

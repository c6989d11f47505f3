"""Check weights in memory against a release, or load weights so that the bytes you checked are the bytes you run.

The weights are compared with the release's signed manifest. The manifest is accepted because its evidence passes a
policy here, because a registry has a record of it, or both; never because it lies on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import Limits, Listing, list_files, refuse_changes
from provenance_oracle.verifier.digest.match_files import match_file_set, match_some_files, set_aside
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest
from provenance_oracle.verifier.digest.weights.live import ConfirmedFile, match_weights
from provenance_oracle.verifier.digest.weights.loader_names import transformers_map
from provenance_oracle.verifier.digest.weights.loading import load_weights
from provenance_oracle.verifier.digest.weights.model_state import match_state, state_of
from provenance_oracle.verifier.digest.weights.places import NameMap
from provenance_oracle.verifier.digest.weights.placing import place_tensors, plan_placing
from provenance_oracle.verifier.digest.weights.segment_hasher import AnyDevice
from provenance_oracle.verifier.digest.weights.weight_files import (
    choose_weights,
    read_architecture,
    read_table,
    read_weights,
)
from provenance_oracle.verifier.errors import AppraisalError, FormatError, RecordError, UsageError, VerificationError
from provenance_oracle.verifier.judgement.appraise import AttestationResult, roots_of
from provenance_oracle.verifier.judgement.judge import appraise_fetching
from provenance_oracle.verifier.judgement.release import PROVENANCE_PATHS, Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.statement import Manifest, parse_statement
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Entry, product_line_from_code
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.strict.release_folder import STRICT, Reading, open_release_folder
from provenance_oracle.verifier.strict.timestamps import format_time

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Accepted:
    """A release's manifest and the reason to accept it: the `result` of judging its evidence, its registry `entry`.

    `reading` is what was allowed of its folder.
    """

    manifest: Manifest
    result: AttestationResult | None
    entry: Entry | None
    reading: Reading = STRICT


@dataclass(frozen=True)
class ModelConfirmation:
    """Weights in memory that equal those of a release. `unsaved` and `unchecked_files` list the parts not checked.

    Attributes:
        files: the files whose recorded digests match the tensors in memory.
        aliases: (name, name in the files) of tensors that share their memory with a tensor of the files (tied weights).
        unsaved: tensors of the model that no file holds and the caller accepted; not checked.
        unchecked_files: files of the release whose digests were not compared: configuration, tokenizer, code, unless
            `load_verified` compared them.
    """

    accepted: Accepted
    files: tuple[ConfirmedFile, ...]
    aliases: tuple[tuple[str, str], ...]
    unsaved: tuple[str, ...]
    unchecked_files: tuple[str, ...]

    @property
    def tensors(self) -> tuple[str, ...]:
        """Names of the tensors that were compared, bit for bit."""
        return tuple(name for file in self.files for name in file.tensors)


@dataclass(frozen=True)
class LoadedModel:
    """Tensors on the CPU, in memory of their own, and the confirmation of exactly that memory."""

    tensors: dict[str, torch.Tensor]
    confirmation: ModelConfirmation


def accept(
    release: Release,
    policy: Policy | None,
    record: Entry | None,
    at: datetime | None,
    now: datetime,
    fetcher: Fetcher | None,
) -> Accepted:
    """Return the manifest after its evidence passes the policy, its record matches, or both if both are given.

    Args:
        at: the moment to judge for; None: that of the record, or else `now`.
        now: the present, for which a fetched revocation list must be current.

    Raises:
        UsageError: neither policy nor record is given.
        FormatError, VerificationError, AppraisalError, TemporaryError: see `appraise`.
        VerificationError, RecordError, AppraisalError: the record belongs to another release, is not active, or has
            grade 0 and comes without a policy (check `registry-record`).
    """
    if policy is None and record is None:
        wanted = "policy=..., to judge the release's evidence here, or record=..., its entry in a registry"
        raise UsageError("nothing is given to accept the release by", got="neither policy nor record", wanted=wanted)
    result = None
    if policy is not None:
        moment = at or (record.judged_as_of if record else now)
        _, result = appraise_fetching(release, policy, moment, roots_of(policy), fetcher, CheckSheet(), now)
    payload = release.unverified_payload
    if record is not None:
        _match_record(payload, record, is_judged_here=result is not None)
    return Accepted(result.manifest if result else parse_statement(payload), result, record, release.files.reading)


def confirm_weights(
    folder: Path,
    accepted: Accepted,
    model: torch.nn.Module | Mapping[str, object],
    files: Collection[str],
    unsaved: Collection[str],
    names: NameMap | None = None,
    beside: Mapping[str, object] | None = None,
) -> ModelConfirmation:
    """Compare the weights that a model has in memory with the files of an accepted release.

    Args:
        beside: tensors of the files that the model does not have, so that the digests of the files can be computed.

    Raises the errors of `verifier.live.verify_model`, except those about evidence and record.
    """
    # (1) which files, their headers, and the table that can name a tensor
    with open_release_folder(folder, accepted.reading) as release:
        weights = read_weights(release, choose_weights(release, accepted.manifest, files))
        table = read_table(release, accepted.manifest)
    # (2) the same names, dtypes and shapes in model and files
    loader = transformers_map(model, lambda: _architecture(folder, accepted))
    state = match_state(weights, {**state_of(model), **(beside or {})}, unsaved, names, loader)
    memories = {name: tensor.memory for name, tensor in state.tensors.items()}
    # (3) every byte
    hasher = AnyDevice()
    confirmed = tuple(match_weights(file, memories, table, hasher) for file in weights)
    return ModelConfirmation(accepted, confirmed, state.aliases, state.unsaved, _unchecked(accepted, confirmed))


def load_weights_of(
    folder: Path, accepted: Accepted, files: Collection[str], *, weights_only: bool = False
) -> LoadedModel:
    """Read the weights of an accepted release into memory, and return them only if every digest matches.

    The other files of the release are compared too unless `weights_only`. They are compared first, since they are
    small. The folder is listed again after the last byte.

    Raises the errors of `verifier.live.load_verified`, except those about evidence and record.
    """
    manifest = accepted.manifest
    tensors: dict[str, torch.Tensor] = {}
    confirmed, hasher = [], AnyDevice()
    with open_release_folder(folder, accepted.reading) as release:
        chosen = choose_weights(release, manifest, files)
        listing = None if weights_only else match_other_files(folder, accepted, chosen)
        table = read_table(release, manifest)
        for named in chosen:
            loaded, file = load_weights(release, named, table, hasher)
            _refuse_twice(named.path, tensors.keys() & loaded.keys())
            tensors |= loaded
            confirmed.append(file)
    if listing is not None:
        refuse_changes(folder, listing)
    unchecked = _unchecked(accepted, tuple(confirmed)) if listing is None else ()
    return LoadedModel(tensors, ModelConfirmation(accepted, tuple(confirmed), (), (), unchecked))


def load_into_module(
    folder: Path,
    accepted: Accepted,
    module: torch.nn.Module,
    files: Collection[str],
    unsaved: Collection[str],
    names: NameMap | None,
    *,
    weights_only: bool,
) -> ModelConfirmation:
    """Load the weights of an accepted release into a module, and compare the module's memory with the release.

    Raises the errors of `verifier.live.load_into`, except those about evidence and record.
    """
    # (1) every parameter and persistent buffer has its tensor in the files; only headers were read
    with open_release_folder(folder, accepted.reading) as release:
        weights = read_weights(release, choose_weights(release, accepted.manifest, files))
    loader = transformers_map(module, lambda: ())
    plan = plan_placing(weights, module, unsaved, names, loader)
    # (2) every digest is right before the module is touched
    loaded = load_weights_of(folder, accepted, files, weights_only=weights_only)
    place_tensors(module, plan, loaded.tensors)
    # (3) the memory that the module computes with, wherever it lies, is that of the release
    found = confirm_weights(folder, accepted, module, files, plan.unsaved, names)
    return replace(found, unchecked_files=loaded.confirmation.unchecked_files)


def _architecture(folder: Path, accepted: Accepted) -> tuple[str, ...]:
    with open_release_folder(folder, accepted.reading) as release:
        return read_architecture(release, accepted.manifest)


def _refuse_twice(path: str, names: Collection[str]) -> None:
    if names:
        problem, where = "two files hold a tensor of this name", f"{path}, tensor {min(names)}"
        raise FormatError(problem, check=Check.FILE_DIGESTS, where=where, got="a name twice", wanted="one model")


def match_other_files(folder: Path, accepted: Accepted, weights: Sequence[FileDigest]) -> Listing:
    """Compare the files of the release, and the digests of all but the weights, with the manifest."""
    manifest = accepted.manifest
    listing = set_aside(folder, list_files(folder, Limits(), accepted.reading), {*manifest.paths, *PROVENANCE_PATHS})
    match_file_set(manifest, listing, folder)
    others = {file.path for file in manifest.files} - {file.path for file in weights}
    match_some_files(folder, listing, manifest, others, CpuHasher())
    return listing


def _unchecked(accepted: Accepted, confirmed: tuple[ConfirmedFile, ...]) -> tuple[str, ...]:
    checked = {file.path for file in confirmed}
    return tuple(file.path for file in accepted.manifest.files if file.path not in checked)


def _match_record(payload: bytes, record: Entry, *, is_judged_here: bool) -> None:
    """Refuse a record that belongs to another release, is not active, or has grade 0 and comes without a policy."""
    found = hashlib.sha256(payload).digest()
    if found != record.manifest_digest:
        raise VerificationError(
            "the record belongs to another release",
            check=Check.REGISTRY_RECORD,
            where="manifest digest",
            got=found.hex(),
            wanted=record.manifest_digest.hex(),
        )
    if record.closure:
        got = f"revoked from {format_time(record.revoked_at)} on" if record.revoked_at else "one that is shut"
        raise RecordError(record.closure.explanation, check=Check.REGISTRY_RECORD, got=got, wanted="an active record")
    if record.grade == 0 and not is_judged_here:
        raise AppraisalError(
            "a record of grade 0 is not enough without a policy",
            check=Check.REGISTRY_RECORD,
            where="record",
            got=f"grade 0, {product_line_from_code(record.product_line)}",
            wanted="grade 1 or 2; else give a policy, to judge the evidence here",
        )

"""Check weights in memory against a release, or load them so that what was checked is what runs.

What the weights are compared with is the release's signed manifest. It is accepted on evidence judged here against a
policy, on a record that a registry keeps, or on both; never because it lies on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.weights.live import ConfirmedFile, match_weights
from provenance_oracle.verifier.digest.weights.loading import load_weights
from provenance_oracle.verifier.digest.weights.model_state import match_state, state_of
from provenance_oracle.verifier.digest.weights.segment_hasher import AnyDevice
from provenance_oracle.verifier.digest.weights.weight_files import choose_weights, read_table, read_weights
from provenance_oracle.verifier.errors import AppraisalError, FormatError, RecordError, UsageError, VerificationError
from provenance_oracle.verifier.judgement.appraise import AttestationResult, roots_of
from provenance_oracle.verifier.judgement.judge import appraise_fetching
from provenance_oracle.verifier.judgement.release import Release, read_release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.dsse import parse_envelope
from provenance_oracle.verifier.manifest.statement import Manifest, parse_statement
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Entry, name_of_product_line
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.strict.timestamps import format_time

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Accepted:
    """A release's manifest and why it is believed: `result` of judging its evidence, its `entry` in a registry."""

    manifest: Manifest
    result: AttestationResult | None
    entry: Entry | None


@dataclass(frozen=True)
class ModelConfirmation:
    """Weights in memory that are those of a release. Nothing is said about what is listed as not checked.

    Fields:
        files: the files whose recorded digests are those of the tensors in memory.
        aliases: (name, name in the files) of tensors that share their memory with one of the files', as tied weights.
        unsaved: tensors of the model that no file holds, which the caller accepted; not checked.
        unchecked_files: files of the release that are not weights of this model: configuration, tokenizer, code.
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
    """Tensors on the CPU, in memory of their own, and what was confirmed about exactly that memory."""

    tensors: dict[str, torch.Tensor]
    confirmation: ModelConfirmation


def verify_model(
    model: torch.nn.Module | Mapping[str, object],
    release: Path | str,
    *,
    policy: Policy | None = None,
    record: Entry | None = None,
    at: datetime | None = None,
    fetcher: Fetcher | None = None,
    files: Collection[str] = (),
    unsaved: Collection[str] = (),
) -> ModelConfirmation:
    """Compare the weights that a model holds in memory, on any device, with the files that a release recorded.

    Of the release's safetensors files only the headers are read; the recorded digests are computed again from them
    and the tensors. The weights are read in place. Nothing may write to them meanwhile.

    Args:
        model: a torch module, or a state dict of torch tensors or NumPy arrays, named as in the files.
        release: the release's folder. Its safetensors files may be cut after their headers.
        policy: judge the release's evidence here against it. This or `record`, or both.
        record: the release's entry in a registry, of grade 1 or better, as `RegistryReader.entry` returns it.
        at: moment to judge for; by default that of the record, or else now.
        fetcher: asked for a current revocation list if the release has none; None: nothing is fetched.
        files: paths of the model's safetensors files; by default the only one, or those that the only index names.
        unsaved: names of tensors that code makes and no file holds, accepted unchecked.

    Raises:
        VerificationError: a tensor or a file is not that of the release (check `file-digests`), or the release is
            forged.
        UsageError: it is not clear what to compare. FormatError, AppraisalError, RecordError: the release, its header,
            its evidence or its record is not acceptable. TemporaryError: something cannot be read.
    """
    folder = Path(release)
    # (1) the manifest, believed because of evidence or a record
    accepted = _accept(read_release(folder), policy, record, at, fetcher)
    # (2) which files, their headers, and the table that can name a tensor
    weights = read_weights(folder, choose_weights(folder, accepted.manifest, files))
    table = read_table(folder, accepted.manifest)
    # (3) names, dtypes and shapes, both ways
    state = match_state(weights, state_of(model), unsaved)
    memories = {name: tensor.memory for name, tensor in state.tensors.items()}
    # (4) every byte
    hasher = AnyDevice()
    confirmed = tuple(match_weights(file, memories, table, hasher) for file in weights)
    return ModelConfirmation(accepted, confirmed, state.aliases, state.unsaved, _unchecked(accepted, confirmed))


def load_verified(
    release: Path | str,
    *,
    policy: Policy | None = None,
    record: Entry | None = None,
    at: datetime | None = None,
    fetcher: Fetcher | None = None,
    files: Collection[str] = (),
) -> LoadedModel:
    """Load the weights of a release into memory, and return them only if they are what it recorded.

    Every byte is read once, from one open file, into the memory that the tensors keep, and hashed there. For a module:
    `module.load_state_dict(loaded.tensors, assign=True)`. Arguments and errors are those of `verify_model`.
    """
    folder = Path(release)
    accepted = _accept(read_release(folder), policy, record, at, fetcher)
    table = read_table(folder, accepted.manifest)
    tensors: dict[str, torch.Tensor] = {}
    confirmed, hasher = [], AnyDevice()
    for named in choose_weights(folder, accepted.manifest, files):
        loaded, file = load_weights(folder, named, table, hasher)
        twice = sorted(tensors.keys() & loaded.keys())
        if twice:
            problem, where = "two files hold a tensor of this name", f"{named.path}, tensor {twice[0]}"
            raise FormatError(problem, check=Check.FILE_DIGESTS, where=where, got="a name twice", wanted="one model")
        tensors |= loaded
        confirmed.append(file)
    confirmation = ModelConfirmation(accepted, tuple(confirmed), (), (), _unchecked(accepted, tuple(confirmed)))
    return LoadedModel(tensors, confirmation)


def _unchecked(accepted: Accepted, confirmed: tuple[ConfirmedFile, ...]) -> tuple[str, ...]:
    checked = {file.path for file in confirmed}
    return tuple(file.path for file in accepted.manifest.files if file.path not in checked)


def _accept(
    release: Release, policy: Policy | None, record: Entry | None, at: datetime | None, fetcher: Fetcher | None
) -> Accepted:
    """Return the manifest once the evidence or the record, or both if both are given, speak for it."""
    if policy is None and record is None:
        wanted = "policy=..., to judge the release's evidence here, or record=..., its entry in a registry"
        raise UsageError("nothing speaks for this release", got="neither policy nor record", wanted=wanted)
    result = None
    if policy is not None:
        moment = at or (record.judged_as_of if record else datetime.now(UTC))
        _, result = appraise_fetching(
            release, policy, moment, roots_of(policy), fetcher, CheckSheet(), datetime.now(UTC)
        )
    payload = parse_envelope(release.envelope).payload
    if record is not None:
        _match_record(payload, record, is_judged_here=result is not None)
    return Accepted(result.manifest if result else parse_statement(payload), result, record)


def _match_record(payload: bytes, record: Entry, *, is_judged_here: bool) -> None:
    """Refuse a record that is of another release, was revoked, or says too little to be believed alone."""
    found = hashlib.sha256(payload).digest()
    if found != record.manifest_digest:
        raise VerificationError(
            "the record is of another release",
            check=Check.REGISTRY_RECORD,
            where="manifest digest",
            got=found.hex(),
            wanted=record.manifest_digest.hex(),
        )
    if record.closed_because:
        got = f"revoked from {format_time(record.revoked_at)} on" if record.revoked_at else "one that is shut"
        raise RecordError(record.closed_because, check=Check.REGISTRY_RECORD, got=got, wanted="an active record")
    if record.grade == 0 and not is_judged_here:
        raise AppraisalError(
            "the record alone does not say enough",
            check=Check.REGISTRY_RECORD,
            where="record",
            got=f"grade 0, {name_of_product_line(record.product_line)}",
            wanted="grade 1 or 2; else give a policy, to judge the evidence here",
        )

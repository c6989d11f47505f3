"""`from_pretrained`: a class of transformers loads a release, and the model is returned only if it is the recorded one.

Configuration, tokenizer and index are compared before transformers reads them. The weights are compared in the memory
in which the model will compute with them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from provenance_oracle.verifier.digest.files import refuse_changes
from provenance_oracle.verifier.digest.weights.loader_names import transformers_map
from provenance_oracle.verifier.digest.weights.loading import read_tensors
from provenance_oracle.verifier.digest.weights.model_state import entries_by_name, state_of
from provenance_oracle.verifier.digest.weights.places import NameMap, locate
from provenance_oracle.verifier.digest.weights.placing import slots_of
from provenance_oracle.verifier.digest.weights.weight_files import choose_weights, read_weights
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.judgement.live_model import ModelConfirmation, confirm_weights, match_other_files
from provenance_oracle.verifier.live import accepted_release
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.strict.release_folder import open_release_folder

# Code from anywhere, another place for the files, and pickled weights.
_REFUSED = ("trust_remote_code", "revision", "subfolder", "use_safetensors", "local_files_only", "gguf_file")


class PretrainedClass(Protocol):
    """A class of transformers that loads models, such as `AutoModelForCausalLM`."""

    def from_pretrained(self, folder: str, /, **options: Any) -> Any:
        """Load a model from a folder."""


@dataclass(frozen=True)
class Pretrained:
    """A model whose memory holds the weights of a release, and the confirmation of exactly that memory."""

    model: Any
    confirmation: ModelConfirmation


def from_pretrained(
    loader: PretrainedClass,
    release: Path | str,
    *,
    policy: Policy | str | Path | None = None,
    record: Entry | None = None,
    at: datetime | None = None,
    fetcher: Fetcher | None = None,
    files: Collection[str] = (),
    unsaved: Collection[str] = (),
    unused: Collection[str] = (),
    names: NameMap | None = None,
    **options: Any,
) -> Pretrained:
    """Load a release with a class of transformers, and compare the weights in memory before anybody uses them.

    Args:
        loader: the class, such as `AutoModelForCausalLM`.
        release: the release's folder. Its files other than the weights are compared with the manifest first, so that
            transformers reads only a configuration that the release names. Nobody else may write to the folder.
        unused: names of tensors in the files that this class does not load, such as the output layer for `AutoModel`.
            They are read from the files and compared too; the model must not have them.
        options: for `loader.from_pretrained`, such as `device_map`. The dtype is that of the files. A cast or quantised
            model has other bytes and is refused. Options that load code, pickles or other files are refused too.

    The other arguments are those of `verify_model`. Buffers that code makes are listed in `confirmation.unsaved`.

    Raises:
        UsageError: an option is not allowed, or transformers cannot load the release with these options.
        VerificationError: a file or the model's memory differs from the release (checks `file-set`, `file-digests`).
        Other errors are those of `verify_model`.
    """
    for name in _REFUSED:
        if name in options:
            wanted = "an option that neither runs code nor loads other files than the release's safetensors files"
            raise UsageError("not allowed for a checked model", where=name, got=str(options[name]), wanted=wanted)
    # (1) the manifest is believed for its evidence, its record, or both
    folder, accepted = accepted_release(release, policy, record, at, fetcher)
    # (2) what transformers reads besides the weights, and the headers of the weights
    with open_release_folder(folder, accepted.reading) as opened:
        chosen = choose_weights(opened, accepted.manifest, files)
        headers = read_weights(opened, chosen)
        rest = read_tensors(opened, headers, unused)
    listing = match_other_files(folder, accepted, chosen)
    # (3) load; nothing in the model was compared yet
    model = _loaded(loader, folder, options)
    # (4) every bit in the memory that the model computes with
    slots = slots_of(model)
    for name in rest.keys() & slots.tensors.keys():
        raise UsageError("the model has a tensor listed in unused", where="unused", got=name, wanted="others")
    state, loaded = {**state_of(model), **rest}, transformers_map(model, lambda: ())
    saved = locate(entries_by_name(headers), state.keys(), names, loaded).used
    made = [name for name in slots.transient if name not in saved | set(unsaved)]
    found = confirm_weights(folder, accepted, model, files, (*unsaved, *made), names, beside=rest)
    # (5) the files that transformers read are the ones that were compared
    refuse_changes(folder, listing)
    return Pretrained(model, replace(found, unchecked_files=()))


def _loaded(loader: PretrainedClass, folder: Path, options: dict[str, Any]) -> Any:
    fixed = {"use_safetensors": True, "local_files_only": True, "trust_remote_code": False}
    try:
        return loader.from_pretrained(str(folder), **{"dtype": "auto", **options, **fixed})
    except Exception as error:  # transformers documents no closed list
        got = f"{type(error).__name__}: {error}".partition("\n")[0]
        wanted = "a release and options that transformers can load"
        raise UsageError("transformers cannot load the release", where=str(folder), got=got, wanted=wanted) from error

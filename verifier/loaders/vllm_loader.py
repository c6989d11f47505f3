"""The load format `provenance` of vLLM: the model gets only tensors that were compared with the release.

vLLM fuses and shards weights while it loads them, so its memory cannot be compared with files. Instead the loader reads
every byte once into memory of its own, hashes it there, and hands the model these tensors.
Interface: https://docs.vllm.ai/en/stable/design/plugin_system and `vllm.model_executor.model_loader`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.judgement.live_model import ModelConfirmation
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.live import load_verified
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.registry.reader import RegistryReader
from provenance_oracle.verifier.strict.release_folder import Reading, followed
from provenance_oracle.verifier.text import first_of

LOAD_FORMAT = "provenance"
_NAMED_MAX = 3


@dataclass(frozen=True)
class LoaderOptions:
    """`--model-loader-extra-config` of vLLM, a JSON object.

    Attributes:
        policy: the name of a shipped policy, or the path of a file.
        rpc, registry: a node, and the address of the registry that must have an active record.
    """

    policy: str | None = None
    rpc: str | None = None
    registry: str | None = None


def parse_loader_options(config: object) -> LoaderOptions:
    """Parse vLLM's extra configuration for the loader.

    Raises:
        UsageError: it is no mapping, has an unknown key or a value that is no text, or gives no reason to believe a
            release: neither a policy nor a node with a registry.
    """
    where, known = "model_loader_extra_config", [field.name for field in fields(LoaderOptions)]
    if not isinstance(config, Mapping):
        raise UsageError("not an object", where=where, got=type(config).__name__, wanted=", ".join(known))
    for name, value in config.items():
        if name not in known or not isinstance(value, str):
            got = f"{name}={value!r}"
            raise UsageError("not an option of the loader", where=where, got=got, wanted=f"text for {', '.join(known)}")
    options = LoaderOptions(**config)
    if (options.rpc is None) != (options.registry is None) or (options.policy is None and options.rpc is None):
        got = ", ".join(sorted(config)) or "nothing"
        wanted = '{"policy": ...}, {"rpc": ..., "registry": ...}, or all three'
        raise UsageError("nothing is given to accept the release by", where=where, got=got, wanted=wanted)
    return options


def register_vllm() -> None:
    """Add the load format to vLLM. vLLM calls this in every process, as an entry point of `vllm.general_plugins`."""
    from vllm.model_executor.model_loader import register_model_loader
    from vllm.model_executor.model_loader.base_loader import BaseModelLoader

    class ProvenanceModelLoader(BaseModelLoader):  # type: ignore[misc]  # vLLM is not there for the type checker
        """Loads a release that is accepted, from a local folder."""

        def __init__(self, load_config: Any) -> None:
            super().__init__(load_config)
            self.options = parse_loader_options(load_config.model_loader_extra_config)

        def download_model(self, model_config: Any) -> None:
            refuse_remote(model_config.model)

        def load_weights(self, model: Any, model_config: Any) -> None:
            is_quantised = model_config.quantization is not None
            load_accepted(model, model_config.model, self.options, is_quantised=is_quantised)

    register_model_loader(LOAD_FORMAT)(ProvenanceModelLoader)


def load_accepted(model: Any, place: str, options: LoaderOptions, *, is_quantised: bool = False) -> ModelConfirmation:
    """Load the weights of a release, compare every byte, and hand them to a model of vLLM.

    Args:
        model: has `load_weights`, which takes pairs of name and tensor and may return the names that it filled.
        place: the release's folder.
        is_quantised: parameters without weights in the files are let through, as vLLM does.

    Raises:
        UsageError: `place` is no folder. VerificationError: a parameter of the model got no weights.
        Other errors are those of `load_verified` and `RegistryReader.entry`.
    """
    folder = refuse_remote(place)
    loaded = load_verified(folder, policy=options.policy, record=_record(folder, options))
    filled = model.load_weights(iter(loaded.tensors.items()))
    if filled is not None and not is_quantised:
        empty = sorted({name for name, _ in model.named_parameters()} - set(filled))
        if empty:
            raise VerificationError(
                "parameters of the model are in no file",
                check=Check.FILE_DIGESTS,
                where=place,
                got=first_of(empty, _NAMED_MAX),
                wanted="weights for every parameter",
            )
    return loaded.confirmation


def refuse_remote(place: str) -> Path:
    """Return the folder that vLLM was told to serve; raise UsageError for the name of a model on a hub."""
    if not Path(place).is_dir():
        wanted = "the folder of a release; provenance_oracle.hub.snapshot_download makes it"
        raise UsageError("the model is not a folder", where="model", got=place, wanted=wanted)
    return Path(place)


def _record(folder: Path, options: LoaderOptions) -> Entry | None:
    """Return the registry's entry of the release, active or not; None if no registry is named."""
    if options.rpc is None or options.registry is None:
        return None
    release = read_release(followed(folder), Reading(hub_links=True))
    digest = hashlib.sha256(release.unverified_payload).digest()
    return RegistryReader(options.rpc, options.registry).entry(digest)

"""Judge where an AI model came from: evidence, manifest, files, record.

The package reads and judges. It runs no service, holds no key and writes to no chain. Importing it loads neither web3
nor any GPU library. `provenance_oracle.verifier.judgement.appraise` is the judgement as one readable function.

    judge            judge one release under a policy: raises, or returns a Judgement
    RegistryReader   ask the contract for records
    verify_model     compare weights in memory with the digests that a release recorded
    load_verified    load weights, so that the bytes you checked are the bytes you run
    load_into        load weights into a torch module, and check the memory that it computes with
    DatasetHasher    order-independent digest of the samples that a data loader yields

`__all__` is the interface for users, and `provenance_oracle` exports the same names. Every other name may move.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance_oracle.verifier.digest.dataset import DatasetHasher
    from provenance_oracle.verifier.disk import PRIVATEMODE, digest_disk, find_disk, parse_models_yaml, plan_disk
    from provenance_oracle.verifier.errors import (
        AppraisalError,
        FormatError,
        ProvenanceError,
        RecordError,
        TemporaryError,
        UsageError,
        VerificationError,
    )
    from provenance_oracle.verifier.judgement.judge import Judgement, judge
    from provenance_oracle.verifier.judgement.release import Release, read_release
    from provenance_oracle.verifier.live import load_into, load_verified, verify_model
    from provenance_oracle.verifier.policy import Policy, load_policy
    from provenance_oracle.verifier.record.batch import seal_batch
    from provenance_oracle.verifier.record.codec import encode_record, namespace_id, record_id
    from provenance_oracle.verifier.record.signing import batch_digest, publication_digest
    from provenance_oracle.verifier.registry.contract import load_artifact
    from provenance_oracle.verifier.registry.deployment import parse_deployment
    from provenance_oracle.verifier.registry.lookup import open_deployment
    from provenance_oracle.verifier.registry.reader import RegistryReader

    __version__: str

__all__ = [  # noqa: RUF022 (in the order of sorted(), which a test compares)
    "AppraisalError",
    "DatasetHasher",
    "FormatError",
    "Judgement",
    "PRIVATEMODE",
    "Policy",
    "ProvenanceError",
    "RecordError",
    "RegistryReader",
    "Release",
    "TemporaryError",
    "UsageError",
    "VerificationError",
    "batch_digest",
    "digest_disk",
    "encode_record",
    "find_disk",
    "judge",
    "load_artifact",
    "load_into",
    "load_policy",
    "load_verified",
    "namespace_id",
    "open_deployment",
    "parse_deployment",
    "parse_models_yaml",
    "plan_disk",
    "publication_digest",
    "read_release",
    "record_id",
    "seal_batch",
    "verify_model",
]

_MODULES = {
    "digest.dataset": ("DatasetHasher",),
    "disk": ("PRIVATEMODE", "digest_disk", "find_disk", "parse_models_yaml", "plan_disk"),
    "errors": (
        "AppraisalError",
        "FormatError",
        "ProvenanceError",
        "RecordError",
        "TemporaryError",
        "UsageError",
        "VerificationError",
    ),
    "judgement.judge": ("Judgement", "judge"),
    "judgement.release": ("Release", "read_release"),
    "live": ("load_into", "load_verified", "verify_model"),
    "policy": ("Policy", "load_policy"),
    "record.batch": ("seal_batch",),
    "record.codec": ("encode_record", "namespace_id", "record_id"),
    "record.signing": ("batch_digest", "publication_digest"),
    "registry.contract": ("load_artifact",),
    "registry.deployment": ("parse_deployment",),
    "registry.lookup": ("open_deployment",),
    "registry.reader": ("RegistryReader",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a name's module at its first use, so that `import provenance_oracle` stays light."""
    if name == "__version__":
        from importlib.metadata import version  # imports `email` and `zipfile`, 40 ms

        return version("provenance-oracle")
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

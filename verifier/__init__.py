"""Judge where an AI model came from: evidence, manifest, files, record.

The package reads and judges. It holds no service, no key and writes to no chain. Importing it loads neither
web3 nor any GPU library; see `verifier.judgement.appraise` for the judgement as one readable function.

    verify_model     compare weights in memory with what a release recorded
    load_verified    load weights so that what was checked is what runs
    DatasetHasher    order-independent digest of the samples that a data loader yields
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verifier.digest.dataset import DatasetHasher
    from verifier.judgement.live_model import load_verified, verify_model

__all__ = ["DatasetHasher", "load_verified", "verify_model"]

_HOMES = {
    "DatasetHasher": "verifier.digest.dataset",
    "load_verified": "verifier.judgement.live_model",
    "verify_model": "verifier.judgement.live_model",
}


def __getattr__(name: str) -> object:
    """Import what is asked for only now, so that `import verifier` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

"""Watch sources, judge every release with `verifier`, and write records to the registry.

The package is run by its commands (`provenance watch`). `EnvironmentSigner` is for programs that drive the registry
themselves: docs/by-hand.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance_oracle.oracle.chain.signers import EnvironmentSigner

__all__ = ["EnvironmentSigner"]


def __getattr__(name: str) -> object:
    """Import the name's module at its first use: it needs packages of the extra `chain`."""
    if name != "EnvironmentSigner":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from provenance_oracle.oracle.chain.signers import EnvironmentSigner

    return EnvironmentSigner


def __dir__() -> list[str]:
    return __all__

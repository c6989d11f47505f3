"""Watch sources, judge every release with `verifier`, and write records to the registry.

Operators run the package by its commands (`provenance watch`). `EnvironmentSigner` is for programs that call the
registry themselves; docs/by-hand.md shows how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance_oracle.oracle.signers.environment import EnvironmentSigner

__all__ = ["EnvironmentSigner"]


def __getattr__(name: str) -> object:
    """Import `EnvironmentSigner` at its first use, because its module needs packages of the extra `chain`.

    Raises:
        AttributeError: `name` is another name.
    """
    if name != "EnvironmentSigner":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from provenance_oracle.oracle.signers.environment import EnvironmentSigner

    return EnvironmentSigner


def __dir__() -> list[str]:
    return __all__

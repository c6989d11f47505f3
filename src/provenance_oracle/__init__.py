"""Where an AI model came from, and whether its files are the recorded ones: the interface for users.

    from provenance_oracle import judge, load_policy, read_release

The names and their documentation are those of `provenance_oracle.verifier`. `provenance_oracle.publisher` makes
releases, and `provenance_oracle.oracle` records them; the command `provenance` runs all three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance_oracle import verifier
from provenance_oracle.verifier import __all__ as __all__

if TYPE_CHECKING:
    from provenance_oracle.verifier import *  # noqa: F403

    __version__: str


def __getattr__(name: str) -> object:
    """Import a name's module at its first use, as `provenance_oracle.verifier` does."""
    if name not in verifier.__dir__():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(verifier, name)


def __dir__() -> list[str]:
    return verifier.__dir__()

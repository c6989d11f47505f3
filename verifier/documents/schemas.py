"""The ids of the JSON documents, and the two members that all of them have. Light: every command imports it.

The number after the name is the version. A member may be added under the same id; a member that changes its meaning or
goes away needs a new id.
"""

from __future__ import annotations

from collections.abc import Mapping

CHECK = "provenance-oracle/check/v2"
DISK = "provenance-oracle/disk/v1"
HASH = "provenance-oracle/hash/v1"
REPORT = "provenance-oracle/report/v1"
SHOW = "provenance-oracle/show/v2"


def envelope(schema: str, *, accepted: bool, body: Mapping[str, object]) -> dict[str, object]:
    """Return a whole document: its schema id, whether the answer is yes, then the members of `body`."""
    return {"schema": schema, "accepted": accepted, **body}

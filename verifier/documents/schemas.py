"""The ids of the JSON documents, and the members that all documents have.

The number after the name is the version. A new member keeps the id. A member that goes away or changes its meaning
needs a new id. Every command imports this module, so it must stay light.
"""

from __future__ import annotations

from collections.abc import Mapping

CHECK = "provenance-oracle/check/v2"
COMPLETION = "provenance-oracle/completion/v1"
ERROR = "provenance-oracle/error/v1"  # of a usage error before it is clear which command is meant
DISK = "provenance-oracle/disk/v1"
EXPORT = "provenance-oracle/export/v1"
HASH = "provenance-oracle/hash/v1"
MEASURE = "provenance-oracle/measure/v1"
NETWORKS = "provenance-oracle/networks/v1"
REPORT = "provenance-oracle/report/v1"
SIGNATURE = "provenance-oracle/signature/v1"
SHOW = "provenance-oracle/show/v2"


def envelope(schema: str, *, accepted: bool, body: Mapping[str, object]) -> dict[str, object]:
    """Return a whole document: the schema id, `accepted`, then the members of `body`."""
    return {"schema": schema, "accepted": accepted, **body}

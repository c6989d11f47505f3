"""The image's HEALTHCHECK: ask the oracle on this machine for /healthz. Only the standard library, to start quickly.

PROVENANCE_LISTEN is the setting `listen`, HOST:PORT. Without it the oracle has no HTTP server, and there is nothing to
ask: the check passes. Exit code 0 is healthy, 1 is unhealthy, as the Dockerfile reference defines.
"""

from __future__ import annotations

import http.client
import os
import sys

TIMEOUT_SECONDS = 3.0
_EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 (compared, not bound)


def main() -> int:
    listen = os.environ.get("PROVENANCE_LISTEN", "")
    if not listen:
        return 0
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        asked = http.client.HTTPConnection(
            "127.0.0.1" if host in _EVERY_ADDRESS else host, int(port), timeout=TIMEOUT_SECONDS
        )
        asked.request("GET", "/healthz")
        status = asked.getresponse().status
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"{listen}/healthz: {error}", file=sys.stderr)
        return 1
    if status != http.client.OK:
        print(f"{listen}/healthz: status {status}, wanted 200", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

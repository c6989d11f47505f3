"""AMD's key distribution service: addresses, and fetching what a release did not bring along.

Source: AMD 57230 (VCEK certificate and KDS interface specification), with the zero-padded numbers and Turin's
`fmcSPL` as virtee/snpguest sends them. Nothing here reaches the network unless the caller passes a `Fetcher`
that does. What comes back is as untrusted as a file: it is parsed and verified like any other endorsement.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlencode

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.snp.products import VEK_FORMS, ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb

KDS_HOST = "kdsintf.amd.com"

_MAX_ANSWER_BYTES = 1 << 20  # a revocation list is the largest thing there is
_TIMEOUT_SECONDS = 10.0  # of one network operation
_DEADLINE_SECONDS = 60.0  # of one fetch, whatever the server drips
_CHUNK_BYTES = 1 << 16


class Fetcher(Protocol):
    """The one way to the network: an address in, the bytes of the answer out."""

    def fetch(self, url: str) -> bytes:
        """Return the body of a successful answer.

        Raises:
            UnknownToAmdError: the service answered that it has no such thing.
            TemporaryError: no answer, or one that says to try later.
        """
        ...


class UnknownToAmdError(TemporaryError):
    """The service has nothing at this address: wrong for a chip, a passing fault for a chain or a list."""


def vcek_url(line: ProductLine, chip_id: bytes, tcb: Tcb) -> str:
    """Address of the VCEK of the chip with this 64-byte chip_id at this (reported) TCB."""
    levels = {"blSPL": tcb.bootloader, "teeSPL": tcb.tee, "snpSPL": tcb.snp, "ucodeSPL": tcb.microcode}
    if tcb.fmc is not None:
        levels = {"fmcSPL": tcb.fmc, **levels}
    query = urlencode({name: f"{level:02}" for name, level in levels.items()})
    return f"https://{KDS_HOST}/vcek/v1/{line}/{chip_id[: VEK_FORMS[line].hwid_bytes].hex()}?{query}"


def chain_url(line: ProductLine, vek_kind: SigningKey) -> str:
    """Address of ASK or ASVK, and ARK, in PEM."""
    return f"https://{KDS_HOST}/{vek_kind.name.lower()}/v1/{line}/cert_chain"


def crl_url(line: ProductLine, vek_kind: SigningKey) -> str:
    """Address of the ARK's revocation list, in DER."""
    return f"https://{KDS_HOST}/{vek_kind.name.lower()}/v1/{line}/crl"


def fetch_vcek(fetcher: Fetcher, line: ProductLine, chip_id: bytes, tcb: Tcb) -> bytes:
    """Return the DER certificate of a chip at its reported TCB. There is no such service for a VLEK.

    Raises:
        FormatError: chip_id is masked (all zero), or AMD knows no such chip at this TCB.
        TemporaryError: as the fetcher says.
    """
    if not any(chip_id):
        raise FormatError(
            "the host masks the chip id, so no VCEK can be asked for",
            check=Check.ENDORSEMENTS_FORMAT,
            where="chip_id",
            got="zeros",
            wanted="the VCEK in the release",
        )
    url = vcek_url(line, chip_id, tcb)
    try:
        return fetcher.fetch(url)
    except UnknownToAmdError as error:
        # Final: the address holds nothing but what the report claims, and asking again is what a flood would want.
        raise FormatError(
            "AMD has no certificate for this chip at this TCB",
            check=Check.ENDORSEMENTS_FORMAT,
            where=url,
            got=error.got,
            wanted="chip_id and reported_tcb of a genuine chip",
        ) from error


def fetch_chain(fetcher: Fetcher, line: ProductLine, vek_kind: SigningKey) -> bytes:
    """Return PEM of ASK (for a VCEK) or ASVK (for a VLEK), then ARK. Raises TemporaryError."""
    return fetcher.fetch(chain_url(line, vek_kind))


def fetch_crl(fetcher: Fetcher, line: ProductLine, vek_kind: SigningKey) -> bytes:
    """Return the ARK's revocation list in DER. Raises TemporaryError."""
    return fetcher.fetch(crl_url(line, vek_kind))


def _connect() -> http.client.HTTPConnection:
    return http.client.HTTPSConnection(KDS_HOST, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())


class HttpsFetcher:
    """Fetches from AMD's one host over HTTPS, follows no redirect, and bounds size and time.

    Args:
        connect: gives an unconnected connection to AMD's host; tests give one to a server of their own.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        connect: Callable[[], http.client.HTTPConnection] = _connect,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._clock = clock

    def fetch(self, url: str) -> bytes:
        """As `Fetcher.fetch`. Raises UsageError for an address that is not AMD's."""
        path = _path_at_amd(url)
        connection = self._connect()
        try:
            connection.request("GET", path, headers={"Accept": "*/*", "User-Agent": "provenance-oracle"})
            with connection.getresponse() as response:
                _check_status(response.status, url)
                return self._read(response, url)
        except (OSError, http.client.HTTPException) as error:
            raise TemporaryError(
                "AMD's key distribution service cannot be reached", where=url, got=type(error).__name__
            ) from error
        finally:
            connection.close()

    def _read(self, response: http.client.HTTPResponse, url: str) -> bytes:
        """Read the body in pieces, so that neither its size nor a slow server is without bound."""
        deadline = self._clock() + _DEADLINE_SECONDS
        body = bytearray()
        while piece := response.read1(_CHUNK_BYTES):
            body += piece
            if len(body) > _MAX_ANSWER_BYTES:
                raise TemporaryError(
                    "the answer is too large", where=url, got="more", wanted=f"at most {_MAX_ANSWER_BYTES} bytes"
                )
            if self._clock() > deadline:
                raise TemporaryError(
                    "the answer takes too long", where=url, got="more", wanted=f"at most {_DEADLINE_SECONDS:.0f} s"
                )
        if response.length:  # the connection closed before all announced bytes came
            raise TemporaryError("the answer was cut short", where=url, got=f"{response.length} bytes less")
        return bytes(body)


def _path_at_amd(url: str) -> str:
    prefix = f"https://{KDS_HOST}/"
    if not url.startswith(prefix) or not url.isascii() or not url.isprintable():
        raise UsageError("refusing to fetch from elsewhere", where=url, got=url, wanted=f"{prefix}...")
    return url[len(prefix) - 1 :]


def _check_status(status: int, url: str) -> None:
    if status == http.HTTPStatus.OK:
        return
    if status in (http.HTTPStatus.BAD_REQUEST, http.HTTPStatus.NOT_FOUND):
        raise UnknownToAmdError("the key distribution service has no such thing", where=url, got=f"status {status}")
    hint = " (it allows about one request in ten seconds)" if status == http.HTTPStatus.TOO_MANY_REQUESTS else ""
    raise TemporaryError(
        f"the key distribution service did not answer{hint}", where=url, got=f"status {status}", wanted="status 200"
    )

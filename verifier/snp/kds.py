"""AMD's key distribution service (KDS): its addresses, and a client for endorsements that a release lacks.

Source: AMD 57230 (VCEK Certificate and KDS Interface Specification); the zero-padded numbers and Turin's `fmcSPL` are
as virtee/snpguest sends them. The functions reach the network only through the `Fetcher` that the caller passes.
Answers are as untrusted as files: the caller parses and verifies them like any other endorsement.
"""

from __future__ import annotations

import http
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable
from urllib.parse import urlencode

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.snp.products import VEK_FORMS, ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb
from provenance_oracle.verifier.strict.exchange import HttpClient, Server, environment_proxy

KDS_HOST = "kdsintf.amd.com"

_MAX_ANSWER_BYTES = 1 << 20  # the largest answer is a revocation list
_DEADLINE_SECONDS = 60.0  # of one whole fetch, from the look-up of the name to the last byte
_AMD = Server("https", KDS_HOST, 443, KDS_HOST, _DEADLINE_SECONDS)
_HEADERS = {"Accept": "*/*", "User-Agent": "provenance-oracle"}


class Fetcher(Protocol):
    """The interface through which this package reaches the network."""

    def fetch(self, url: str) -> bytes:
        """Return the body of a successful answer from `url`.

        Raises:
            UnknownToAmdError: the service answered that it has nothing at this address.
            TemporaryError: the service did not answer, or answered that the caller should try later.
        """
        ...


@runtime_checkable
class KeepingFetcher(Fetcher, Protocol):
    """A fetcher that keeps answers and can be told that one was of no use."""

    def forget(self, url: str) -> None:
        """Drop the answer from `url` if it is kept, so that the next fetch asks the service."""
        ...


class UnknownToAmdError(TemporaryError):
    """The service has nothing at this address.

    For a chip, this means that the report is wrong. For a chain or a list, it is a temporary fault of the service.
    """


def vcek_url(line: ProductLine, chip_id: bytes, tcb: Tcb) -> str:
    """Return the address of the VCEK of a chip at a TCB.

    Args:
        chip_id: chip_id of the report, 64 bytes; Turin's address has only the first 8.
        tcb: the reported TCB.
    """
    levels = {"blSPL": tcb.bootloader, "teeSPL": tcb.tee, "snpSPL": tcb.snp, "ucodeSPL": tcb.microcode}
    if tcb.fmc is not None:
        levels = {"fmcSPL": tcb.fmc, **levels}
    query = urlencode({name: f"{level:02}" for name, level in levels.items()})
    return f"https://{KDS_HOST}/vcek/v1/{line}/{chip_id[: VEK_FORMS[line].hwid_bytes].hex()}?{query}"


def chain_url(line: ProductLine, vek_kind: SigningKey) -> str:
    """Return the address of the ASK (for a VCEK) or ASVK (for a VLEK) and the ARK, in PEM."""
    return f"https://{KDS_HOST}/{vek_kind.name.lower()}/v1/{line}/cert_chain"


def crl_url(line: ProductLine, vek_kind: SigningKey) -> str:
    """Return the address of the ARK's revocation list, in DER."""
    return f"https://{KDS_HOST}/{vek_kind.name.lower()}/v1/{line}/crl"


def fetch_vcek(fetcher: Fetcher, line: ProductLine, chip_id: bytes, tcb: Tcb) -> bytes:
    """Fetch the VCEK certificate, in DER, of a chip at its reported TCB. AMD has no such service for a VLEK.

    Args:
        chip_id: chip_id of the report, 64 bytes.
        tcb: the reported TCB.

    Raises:
        FormatError: chip_id is masked (all zero), or AMD knows no such chip at this TCB (check `endorsements-format`).
        TemporaryError: the fetcher raised it.
    """
    if not any(chip_id):
        raise FormatError(
            "the host masks the chip id, so the VCEK cannot be fetched",
            check=Check.ENDORSEMENTS_FORMAT,
            where="chip_id",
            got="zeros",
            wanted="the VCEK in the release",
        )
    url = vcek_url(line, chip_id, tcb)
    try:
        return fetcher.fetch(url)
    except UnknownToAmdError as error:
        # The error is final: the address holds only claims of the report, and retries would only help a flood.
        raise FormatError(
            "AMD has no certificate for this chip at this TCB",
            check=Check.ENDORSEMENTS_FORMAT,
            where=url,
            got=error.got,
            wanted="chip_id and reported_tcb of a genuine chip",
        ) from error


def fetch_chain(fetcher: Fetcher, line: ProductLine, vek_kind: SigningKey) -> bytes:
    """Fetch the ASK (for a VCEK) or ASVK (for a VLEK), then the ARK, in PEM.

    Raises:
        TemporaryError: the fetcher raised it.
    """
    return fetcher.fetch(chain_url(line, vek_kind))


def fetch_crl(fetcher: Fetcher, line: ProductLine, vek_kind: SigningKey) -> bytes:
    """Fetch the ARK's revocation list, in DER.

    Raises:
        TemporaryError: the fetcher raised it.
    """
    return fetcher.fetch(crl_url(line, vek_kind))


def forget_answer(fetcher: Fetcher, url: str) -> None:
    """Tell a fetcher that keeps answers that the one from `url` did not verify. Other fetchers keep none."""
    if isinstance(fetcher, KeepingFetcher):
        fetcher.forget(url)


class HttpsFetcher:
    """A fetcher for AMD's host over HTTPS. It follows no redirect and limits size (1 MiB) and time (60 s for it all).

    Args:
        server: by default AMD's, through the proxy that the environment names; tests pass their own.
        on_wait: called at least twice a second while a fetch waits. What it raises ends the fetch.
        clock: returns monotonic seconds.

    Raises:
        UsageError: the environment names a proxy of a kind that is not supported.
    """

    def __init__(
        self,
        server: Server | None = None,
        on_wait: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server or replace(_AMD, proxy=environment_proxy("https", KDS_HOST))
        self._on_wait = on_wait
        self._clock = clock

    def fetch(self, url: str) -> bytes:
        """Return the body of a successful answer from `url`.

        Raises:
            UsageError: the address is not at AMD's host.
            UnknownToAmdError: the service answered with status 400 or 404.
            TemporaryError: the service cannot be reached, answered with another status, or the answer is too large, too
                slow or cut short.
        """
        path = _path_at_amd(url)
        client = HttpClient(replace(self._server, who=url), self._on_wait, self._clock)
        answer = client.exchange("GET", path, _HEADERS, body_max_bytes=_MAX_ANSWER_BYTES)
        _check_status(answer.status, url)
        return answer.body


def _path_at_amd(url: str) -> str:
    prefix = f"https://{KDS_HOST}/"
    if not url.startswith(prefix) or not url.isascii() or not url.isprintable():
        raise UsageError("not an address of AMD's key distribution service", where=url, got=url, wanted=f"{prefix}...")
    return url[len(prefix) - 1 :]


def _check_status(status: int, url: str) -> None:
    if status == http.HTTPStatus.OK:
        return
    if status in (http.HTTPStatus.BAD_REQUEST, http.HTTPStatus.NOT_FOUND):
        raise UnknownToAmdError(
            "AMD's key distribution service has nothing at this address", where=url, got=f"status {status}"
        )
    hint = " (it allows about one request in ten seconds)" if status == http.HTTPStatus.TOO_MANY_REQUESTS else ""
    raise TemporaryError(
        f"AMD's key distribution service gave no usable answer{hint}",
        where=url,
        got=f"status {status}",
        wanted="status 200",
    )

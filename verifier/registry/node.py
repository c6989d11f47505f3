"""Connect to a node of a chain by JSON-RPC over HTTP. The node may be down, slow, wrong or hostile.

web3's own retries are switched off, because they would send a transaction twice. Its off-chain lookups are switched off
too, because a contract may ask web3 to fetch any address.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from provenance_oracle.verifier.errors import (
    FormatError,
    ProvenanceError,
    TemporaryError,
    UsageError,
    naming_extras,
    unread,
)
from provenance_oracle.verifier.registry.json_rpc import error_words
from provenance_oracle.verifier.registry.light_imports import light_imports
from provenance_oracle.verifier.registry.rpc_client import (
    ONCE,
    Repeating,
    RpcClient,
    RpcEvent,
    ignore_event,
    open_provider,
)
from provenance_oracle.verifier.strict.exchange import Server, basic_authorization, default_port, environment_proxy

if TYPE_CHECKING:
    from web3 import Web3

TIMEOUT_SECONDS = 20.0
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class NodeConnection:
    """An open connection to one node. All readers and writers of this node in a process share it.

    Attributes:
        web3: as `connect` returns it. It is not for use by several threads at once.
        client: the client through which web3 asks. It can send several requests together, and keep answers.
        where: scheme, host and port of the endpoint, for messages.
    """

    web3: Web3
    where: str
    client: RpcClient


def open_node(
    rpc_url: str | NodeConnection,
    timeout_seconds: float = TIMEOUT_SECONDS,
    on_wait: Callable[[], object] = lambda: None,
    repeating: Repeating = ONCE,
    on_event: Callable[[RpcEvent], object] = ignore_event,
) -> NodeConnection:
    """Return a new connection to an endpoint, or the connection that is given. No network yet.

    Args:
        timeout_seconds: the time for one request, from the look-up of the name to the last byte of the answer.
        on_wait: called at least twice a second while a request waits. What it raises ends the request.
        repeating: how often a request that failed is sent again.
        on_event: called with the events of each HTTP request.

    Raises:
        UsageError: as `connect` does.
    """
    if isinstance(rpc_url, NodeConnection):
        return rpc_url
    web3, client = _open(rpc_url, timeout_seconds, on_wait, repeating, on_event)
    return NodeConnection(web3, shown_url(rpc_url), client)


def connect(
    rpc_url: str, timeout_seconds: float = TIMEOUT_SECONDS, on_wait: Callable[[], object] = lambda: None
) -> Web3:
    """Return a web3 that tries each request once, follows no redirect and does no off-chain lookup. No network yet.

    An answer that is too large (see `json_rpc`), or not whole after `timeout_seconds`, is a TemporaryError.

    Args:
        on_wait: called at least twice a second while a request waits. What it raises ends the request.

    Raises:
        UsageError: `rpc_url` is not an http or https URL, or the extra `chain` is not installed.
    """
    return _open(rpc_url, timeout_seconds, on_wait, ONCE, ignore_event)[0]


def _open(
    rpc_url: str,
    timeout_seconds: float,
    on_wait: Callable[[], object],
    repeating: Repeating,
    on_event: Callable[[RpcEvent], object],
) -> tuple[Web3, RpcClient]:
    with naming_extras(), light_imports():
        from web3 import Web3
        from web3.middleware import ExtraDataToPOAMiddleware

    parts = _split_url(rpc_url)
    authorization = basic_authorization(parts)
    headers = {"Authorization": authorization} if authorization else {}
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    server = _server_of(parts, timeout_seconds, shown_url(rpc_url))
    provider, client = open_provider(server, target, headers, on_wait, repeating, on_event)
    provider.global_ccip_read_enabled = False
    web3 = Web3(provider)
    web3.middleware_onion.remove("validation")  # it asks for the chain id twice with each call of a contract
    web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)  # else a block with over 32 bytes there is an error
    return web3, client


def _server_of(parts: SplitResult, seconds: float, who: str) -> Server:
    """Return the server of an endpoint, behind the proxy that the environment names for it, if any."""
    host, port = parts.hostname or "", parts.port or default_port(parts.scheme)
    proxy = environment_proxy(parts.scheme, host)
    return Server(parts.scheme, host, port, who, seconds, proxy, _trusting() if parts.scheme == "https" else None)


def _trusting() -> ssl.SSLContext:
    """Trust the authorities of the system or of SSL_CERT_FILE, and those of a bundle that the environment names.

    The bundle is REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, a file or a folder; by default that of the package certifi.

    Raises:
        UsageError: the bundle cannot be read.
    """
    context = ssl.create_default_context()  # OpenSSL itself honours SSL_CERT_FILE and SSL_CERT_DIR
    name = next((name for name in _BUNDLES if os.environ.get(name)), "")
    bundle = os.environ.get(name, "")
    with suppress(ImportError):  # it comes with web3
        import certifi

        bundle = bundle or certifi.where()
    try:
        if bundle:
            is_folder = Path(bundle).is_dir()
            context.load_verify_locations(**{"capath" if is_folder else "cafile": bundle})
    except OSError as error:
        raise unread("the certificates cannot be read", error, where=name, wanted="a file in PEM") from None
    return context


@contextmanager
def node_errors(where: str) -> Iterator[None]:
    """Turn every error that web3 raises over a missing or meaningless answer of a node into a TemporaryError.

    A node can make web3, requests, the JSON decoder and the ABI decoder raise nearly any exception, so all are caught.
    The message quotes only the node's own words, because other messages may hold the URL, and the URL may hold a key.
    """
    from web3.exceptions import BlockNotFound, ContractLogicError, Web3RPCError

    try:
        yield
    except FormatError as error:
        raise TemporaryError("the node answered nonsense", check=error.check, where=where, got=str(error)) from error
    except (ProvenanceError, ModuleNotFoundError):
        raise
    except Exception as error:
        words = ""
        if isinstance(error, Web3RPCError):
            words = f": {error_words(error)}"
        elif isinstance(error, ContractLogicError | BlockNotFound):  # these quote the node too
            words = f": {error}"
        raise TemporaryError(
            "the node failed", where=where, got=type(error).__name__ + words, wanted="an answer"
        ) from error


def parse_address(text: str, where: str) -> bytes:
    """Return the 20 bytes of an address given as 0x and 40 hex digits.

    Raises:
        UsageError: the text is not such an address, or is in mixed case and its checksum is wrong.
    """
    with naming_extras():
        from eth_utils.address import is_checksum_address, is_hex_address

    digits = text.removeprefix("0x")
    mixed = digits not in (digits.lower(), digits.upper())
    if not text.startswith("0x") or not is_hex_address(text):
        raise UsageError("the text is not an address", where=where, got=text, wanted="0x and 40 hex digits")
    if mixed and not is_checksum_address(text):
        wanted = "the address as its owner gives it: a digit is wrong, or the case of a letter"
        raise UsageError("the text is not an address: its checksum is wrong", where=where, got=text, wanted=wanted)
    return bytes.fromhex(digits)


def shown_url(rpc_url: str) -> str:
    """Return scheme, host and port of an endpoint. User, path and query often hold a key, so they are not shown."""
    parts = _split_url(rpc_url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"


def _split_url(rpc_url: str) -> SplitResult:
    try:
        parts = urlsplit(rpc_url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise UsageError(
        "the text is not an endpoint", where="rpc", got="another text", wanted="http://HOST:PORT or https://HOST"
    )

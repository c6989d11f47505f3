"""Credentials for OCI registries, and tokens for them as the Distribution's token specification describes.

A registry answers 401 with `WWW-Authenticate: Bearer realm="https://AUTH/token",service="...",scope="..."`; the client
asks the realm for a token, with its credentials if it has any. Credentials come from OCI_USERNAME and OCI_PASSWORD, or
from docker's `config.json` (member `auths`). Programs that keep credentials (`credHelpers`) are not run.
Source: distribution.github.io/distribution/spec/auth/token.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from provenance_oracle.oracle.sources.web_client import WebClient, status_error
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.strict.exchange import OpenAnswer
from provenance_oracle.verifier.strict.files import open_any_file, pieces_of_file
from provenance_oracle.verifier.strict.parse_json import RefusedJsonError, refuse_structure
from provenance_oracle.verifier.text import printable

_CONFIG_MAX_BYTES = 1 << 20
_ANSWER_MAX_BYTES = 1 << 16
_CHALLENGE_MAX_CHARS = 4096
_PARAMETER = re.compile(r'([a-z]{1,32})="([^"\\]{0,2048})"')
_TOKEN = re.compile(r"[!-~]{1,32768}")
_DOCKER_HUB = "https://index.docker.io/v1/"  # the name of docker.io in docker's file


def basic_of(host: str, environ: Mapping[str, str]) -> str:
    """Return the header `Basic ...` for a registry; "" without credentials.

    Raises:
        UsageError: docker's file cannot be read.
    """
    if environ.get("OCI_USERNAME") and environ.get("OCI_PASSWORD"):
        pair = f"{environ['OCI_USERNAME']}:{environ['OCI_PASSWORD']}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    folder = environ.get("DOCKER_CONFIG") or (f"{environ['HOME']}/.docker" if environ.get("HOME") else "")
    return _from_docker(Path(folder) / "config.json", host) if folder else ""


def _from_docker(path: Path, host: str) -> str:
    try:
        with open_any_file(path) as file:
            data = b"".join(pieces_of_file(file, _CONFIG_MAX_BYTES))
    except UsageError:
        return ""  # no such file
    except ProvenanceError as error:
        raise UsageError("docker's file of credentials cannot be read", where=str(path), got=error.got) from None
    try:
        refuse_structure(data.decode(), max_depth=16, max_tokens=100_000)
        auths = json.loads(data).get("auths", {})
        names = (host, f"https://{host}", *([_DOCKER_HUB] if host == "docker.io" else []))
        pair = next((auths[name]["auth"] for name in names if auths.get(name, {}).get("auth")), "")
        return f"Basic {base64.b64encode(base64.b64decode(pair, validate=True)).decode()}" if pair else ""
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError, RefusedJsonError, binascii.Error):
        wanted = 'an object with {"auths": {HOST: {"auth": ...}}}'
        raise UsageError("docker's file of credentials is malformed", where=str(path), wanted=wanted) from None


class RegistryLogin:
    """Keeps the header Authorization for one registry, and fetches it anew when the registry asks for it.

    Args:
        basic: from `basic_of`.
        client: makes a client of a site that sends one header Authorization to it.
    """

    def __init__(self, basic: str, client: Callable[[str, Callable[[], str]], WebClient]) -> None:
        self._basic = basic
        self._client = client
        self._header = ""

    def header(self) -> str:
        """Return the header for the registry; "" until it asks for one."""
        return self._header

    def answer(self, challenge: str, registry: str) -> None:
        """Fetch a token as a challenge says.

        Args:
            challenge: the header WWW-Authenticate.
            registry: the registry's site. A realm without encryption is asked only on a registry without it.

        Raises:
            TemporaryError: the registry asks for another kind of login, or the realm gives no token.
        """
        scheme, _, rest = challenge[:_CHALLENGE_MAX_CHARS].partition(" ")
        if scheme.lower() == "basic" and self._basic:
            self._header = self._basic
            return
        asked = dict(_PARAMETER.findall(rest))
        realm = urlsplit(asked.get("realm", ""))
        is_safe = realm.scheme == "https" or (realm.scheme == "http" and registry.startswith("http://"))
        if scheme.lower() != "bearer" or not is_safe or not realm.hostname or realm.username is not None:
            problem, wanted = (
                "the registry asks for a login of another kind",
                "Bearer with an https realm, or credentials",
            )
            raise TemporaryError(problem, where=registry, got=printable(challenge, 100), wanted=wanted)
        site = f"{realm.scheme}://{realm.netloc}"
        query = urlencode([(name, asked[name]) for name in ("service", "scope") if name in asked])
        with self._client(site, lambda: self._basic).get(f"{site}{realm.path}?{query}", {}) as answer:
            if answer.status != 200:
                raise status_error(answer, site)
            self._header = f"Bearer {_token_in(_small_body(answer), site)}"


def _small_body(answer: OpenAnswer) -> bytes:
    body = b""
    while len(body) <= _ANSWER_MAX_BYTES and (piece := answer.read(_ANSWER_MAX_BYTES)):
        body += piece
    return body


def _token_in(body: bytes, site: str) -> str:
    """Return the token in {"token" or "access_token": TOKEN}."""
    try:
        refuse_structure(body.decode(), max_depth=4, max_tokens=1000)
        found = json.loads(body)
        token = found.get("token") or found.get("access_token")
    except (ValueError, AttributeError, RecursionError, RefusedJsonError):
        token = None
    if not isinstance(token, str) or len(body) > _ANSWER_MAX_BYTES or not _TOKEN.fullmatch(token):
        raise TemporaryError("the registry's login gives no token", where=site, wanted='{"token": ...}')
    return token

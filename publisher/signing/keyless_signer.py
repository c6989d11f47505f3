"""Sign with sigstore's keyless method: a short-lived certificate for an OpenID token, and an entry in a public log.

sigstore-python talks to the services. Which ones they are, and which keys they have, its trust configuration says
(ClientTrustConfig, https://github.com/sigstore/protobuf-specs, sigstore_trustroot.proto, in JSON).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from provenance_oracle.verifier.errors import TemporaryError, UsageError, naming_extras
from provenance_oracle.verifier.identity.names import IdentityKind, is_line
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot, parse_trusted_root

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig
    from sigstore.oidc import IdentityToken

_Answer = TypeVar("_Answer")
_GITHUB = "https://token.actions.githubusercontent.com"
_WAIT_SECONDS = 120  # sigstore's clients wait for ever


class KeylessSigner:
    """Signs for the account that an OpenID issuer vouches for. Every signature is public.

    Attributes:
        key: None, as the bundle holds all that verifiers need.
        is_public: True.
    """

    key = None
    is_public = True

    def __init__(self, config: bytes | None = None, token: str | None = None) -> None:
        """Take the parts, and ask nobody.

        Args:
            config: the trust configuration of another instance. None for the public one, whose configuration is
                fetched.
            token: an OpenID token. None to ask the environment for one (CI), then the user's browser.

        Raises:
            UsageError: sigstore-python is not installed. FormatError: `config` is malformed.
        """
        with naming_extras():
            import sigstore  # noqa: F401  # before the model is read, which takes long
        self._config = config
        self._given = token
        self.root: PinnedRoot | None = None
        if config is not None:
            self.root = _root_of(config)

    def lines(self) -> tuple[str, ...]:
        """Return the lines that the certificate will have, as far as the token tells.

        Raises:
            UsageError: there is no token, or it is malformed or expired. TemporaryError: an issuer does not answer.
        """
        claims = _claims(str(self._token))
        names = []
        if self._token.issuer == _GITHUB and "job_workflow_ref" in claims:
            uri = f"https://github.com/{claims['job_workflow_ref']}"
            names = [f"{IdentityKind.SIGSTORE} {_GITHUB} uri:{uri}"]
            names.append(f"{IdentityKind.WORKFLOW} {_GITHUB} {uri.partition('@refs/')[0]}")
        elif "email" in claims:
            names = [f"{IdentityKind.SIGSTORE} {self._token.federated_issuer} email:{claims['email']}"]
        return tuple(filter(is_line, names))

    def sign(self, payload: bytes) -> bytes:
        """Return a bundle of the method `sigstore`, after at most two minutes.

        Raises:
            UsageError: as `lines`. TemporaryError: a service does not answer, or refuses.
        """
        from sigstore.dsse import Statement
        from sigstore.sign import SigningContext

        token, config = self._token, self._trust_config

        def signed() -> bytes:
            with SigningContext.from_trust_config(config).signer(token) as signer:
                return signer.sign_dsse(Statement(payload)).to_json().encode()

        return _asked(signed, "sigstore did not sign")

    @cached_property
    def _trust_config(self) -> ClientTrustConfig:
        from sigstore.models import ClientTrustConfig

        if self._config is not None:
            return ClientTrustConfig.from_json(self._config.decode())
        return _asked(ClientTrustConfig.production, "sigstore's configuration cannot be fetched")

    @cached_property
    def _token(self) -> IdentityToken:
        from sigstore.oidc import IdentityError, IdentityToken, Issuer, detect_credential

        try:
            if text := self._given or detect_credential():
                return IdentityToken(text)
            url = self._trust_config.signing_config.get_oidc_url()
            return Issuer(url).identity_token()  # waits for the user, who can interrupt it
        except IdentityError as error:
            wanted = "a token of this minute; leave the option out to get one in the browser"
            raise UsageError("no usable token", where="--identity-token", got=str(error), wanted=wanted) from error
        except (TemporaryError, UsageError):
            raise
        except Exception as error:  # of several packages, which document no closed list
            raise _failed("the issuer gave no token", error) from error


def _root_of(config: bytes) -> PinnedRoot:
    """Return the trusted root in a trust configuration."""
    where = "--sigstore-config"
    try:
        root = json.loads(config)["trustedRoot"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        got = f"{type(error).__name__}: {error}"
        raise UsageError("no trust configuration", where=where, got=got, wanted="a ClientTrustConfig") from error
    return parse_trusted_root(json.dumps(root).encode(), where)


def _claims(token: str) -> dict[str, object]:
    """Return the claims of a token that sigstore-python parsed. Nobody verifies them here: the CA does."""
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert isinstance(claims, dict)
    return claims


def _asked(ask: Callable[[], _Answer], problem: str) -> _Answer:
    """Return the answer of services; wait at most _WAIT_SECONDS for it. Raises TemporaryError if they do not answer."""
    answers: list[_Answer] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # of several packages, which document no closed list
            failures.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(_WAIT_SECONDS)
    if answers:
        return answers[0]
    raise _failed(problem, failures[0] if failures else TimeoutError(f"no answer in {_WAIT_SECONDS} seconds"))


def _failed(problem: str, error: Exception) -> TemporaryError:
    got = f"{type(error).__name__}: {error}"
    return TemporaryError(problem, where="sigstore", got=got[:300], wanted="an answer of every service; try again")

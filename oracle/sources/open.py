"""Open the sources that the settings name, each by the kind that its text tells."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from provenance_oracle.oracle.settings.effects import is_path
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.sources.base import Source
from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.policy import Word, load_policy
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from provenance_oracle.oracle.sources.object_store import Store

# The name of the first folder in the journal. Every other source has its text as name.
FIRST_FOLDER = "folder"
_STEP_SECONDS = 0.5
OnStep = Callable[[], object]
_Opener = Callable[[str, Settings, Mapping[str, str], OnStep], Source]


def open_sources(
    settings: Settings, environ: Mapping[str, str] = os.environ, on_step: OnStep = lambda: None
) -> tuple[Source, ...]:
    """Return the sources of the setting `sources`, in its order. Nothing is read yet, and no network is used.

    Args:
        environ: holds tokens of remote sources.
        on_step: called often while a source is scanned or read. What it raises ends the scan.

    Raises:
        UsageError: a source is of no known kind, a folder is missing, or two texts name one folder.
    """
    folders = [os.path.realpath(text) for text in settings.sources if is_path(text)]
    twice = sorted({folder for folder in folders if folders.count(folder) > 1})
    if twice:
        raise UsageError("a folder is named twice", where="sources", got=printable(twice[0]), wanted="each folder once")
    return tuple(open_named_source(text, settings, environ, on_step) for text in settings.sources)


def open_named_source(
    text: str, settings: Settings, environ: Mapping[str, str] = os.environ, on_step: OnStep = lambda: None
) -> Source:
    """Return the source that a text of the setting `sources` names. Arguments and errors are as of `open_sources`."""
    scheme = "" if is_path(text) else text.partition("://")[0]
    opener = _OPENERS.get(scheme)
    if opener is None:
        wanted = f"a folder, or a URL of {', '.join(name for name in _OPENERS if name)}"
        raise UsageError(
            "there is no such kind of source", where="sources", got=f"{printable(scheme)}://", wanted=wanted
        )
    return opener(text, settings, environ, on_step)


def _folder(text: str, settings: Settings, _environ: Mapping[str, str], on_step: OnStep) -> Source:
    if not os.path.isdir(text):  # noqa: PTH112 (Path.is_dir raises for some paths; this is False)
        raise UsageError("there is no such folder", where="sources", got=printable(text), wanted="a folder")
    first = next(filter(is_path, settings.sources), text)
    name = FIRST_FOLDER if text == first else text
    namespace = settings.signed_namespace if _takes_signed(settings) else ""
    return FolderSource(
        Path(text), releases_max=settings.releases_max, on_step=on_step, name=name, signed_namespace=namespace
    )


def _takes_signed(settings: Settings) -> bool:
    return load_policy(settings.policy).signed_releases is Word.ACCEPTED


def _hub(text: str, settings: Settings, environ: Mapping[str, str], on_step: OnStep) -> Source:
    from provenance_oracle.oracle.sources.hub import HubSource, parse_hub_source
    from provenance_oracle.oracle.sources.hub_api import HUB_URL, HubApi
    from provenance_oracle.oracle.sources.hub_token import read_hub_token
    from provenance_oracle.oracle.sources.web_client import WebClient

    parts, token = parse_hub_source(text), read_hub_token(settings.hub_token_file, environ)
    web = WebClient(
        environ.get("HF_ENDPOINT") or HUB_URL, lambda: f"Bearer {token.reveal().decode()}" if token else "", on_step
    )
    api = HubApi(web, sleep=partial(_sleep, on_step))
    takes_signed = _takes_signed(settings)
    return HubSource(text, parts, api, releases_max=settings.releases_max, takes_signed=takes_signed, on_step=on_step)


def _sleep(on_step: OnStep, seconds: float) -> None:
    """Sleep, and call `on_step` twice a second."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        on_step()
        time.sleep(min(left, _STEP_SECONDS))


def _object_store(text: str, settings: Settings, _environ: Mapping[str, str], on_step: OnStep) -> Source:
    from provenance_oracle.oracle.sources.object_store import ObjectStoreSource, parse_url

    scheme, bucket, prefix = parse_url(text)
    return ObjectStoreSource(text, _store(scheme, bucket, prefix), releases_max=settings.releases_max, on_step=on_step)


def _store(scheme: str, bucket: str, prefix: str) -> Store:
    if scheme in ("s3", "s3a"):
        from provenance_oracle.oracle.sources.s3 import S3Store

        return S3Store(bucket, prefix)
    from provenance_oracle.oracle.sources.fsspec_store import FsspecStore

    return FsspecStore(f"{scheme}://{bucket}/{prefix}".rstrip("/"))


def _oci(text: str, settings: Settings, environ: Mapping[str, str], on_step: OnStep) -> Source:
    from provenance_oracle.oracle.sources.oci import OciSource, parse_oci_url
    from provenance_oracle.oracle.sources.oci_api import OciRepository
    from provenance_oracle.oracle.sources.oci_login import RegistryLogin, basic_of
    from provenance_oracle.oracle.sources.web_client import WebClient

    host, site, name = parse_oci_url(text)
    login = RegistryLogin(basic_of(host, environ), lambda realm, header: WebClient(realm, header, on_step))
    repository = OciRepository(WebClient(site, login.header, on_step), login, name, text)
    return OciSource(text, repository, releases_max=settings.releases_max, on_step=on_step)


# Object stores. All but `s3` are read through fsspec, with the package of each kind. Kinds with links or another way
# out of the prefix are left out, such as fsspec's local files, archives and caches.
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss")
_OPENERS: Mapping[str, _Opener] = {"": _folder, "hf": _hub, "oci": _oci, **dict.fromkeys(_OBJECT_STORES, _object_store)}

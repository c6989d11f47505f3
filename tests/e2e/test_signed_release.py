"""A release with its publisher's signature, from `pack` or `sign` to `check`, and every way to break it afterwards."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.publisher.simulator import FakeAmd
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.strict import release_folder, write_file
from tests.support.publisher_desk import BUNDLE, KEY, PublisherDesk, failed, run
from tests.support.publisher_files import write_chain
from tests.support.reference_signer import model_signing
from tests.support.signing_chains import CA, LEAF, ROOT, certified, spki_hex
from tests.support.sigstore_server import sigstore_server, token_of

WAYS = ("key", "certificate", "sigstore")
ISSUER = "https://accounts.example.org"


@pytest.fixture
def desk(tmp_path: Path) -> PublisherDesk:
    return PublisherDesk(tmp_path)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, desk: PublisherDesk) -> Iterator[str]:
    """Yield a way to sign for which the desk has all that it needs."""
    if request.param != "sigstore":
        yield request.param
        return
    with sigstore_server() as server:
        config, root = desk.root / "config.json", desk.root / "root.json"
        config.write_bytes(server.config())
        root.write_text(json.dumps(json.loads(server.config())["trustedRoot"]))
        token = token_of(ISSUER, email="me@example.org")
        desk.ways["sigstore"] = ("--sign-sigstore", "--sigstore-config", config, "--identity-token", token)
        desk.check_options += ("--sigstore-root", root)
        yield request.param


def key_line(desk: PublisherDesk) -> str:
    """Return the identity of the desk's key, as `provenance identity` prints it."""
    return str(run("identity", desk.root / "acme.pub")[1]["identities"][0]["identity"])


def test_a_release_signed_while_it_is_packed_is_accepted(desk: PublisherDesk, way: str) -> None:
    code, packed = desk.pack(*desk.ways[way])
    assert (code, packed["signed"]) == (0, True)
    code, checked = run("check", desk.model, *desk.check_options)
    assert code == 0
    outcomes = {one["check"]: one["outcome"] for one in checked["findings"]}
    assert (outcomes["publisher-signature"], outcomes["publisher-identity"]) == ("passed", "passed")
    assert checked["signed_by"]["identity"] == packed["publisher"]["identity"]
    assert checked["publisher"] == packed["publisher"]["digest"]  # that of the record
    assert (desk.model / KEY).exists() == (way == "key")


def test_a_release_can_be_signed_later_and_again(desk: PublisherDesk, way: str) -> None:
    line = desk.pack(*desk.ways[way])[1]["publisher"]["identity"]
    code, packed = desk.pack("--publisher", line, "--replace")
    assert (code, packed["signed"]) == (0, False)
    assert not (desk.model / BUNDLE).exists()
    assert desk.check() == (7, "publisher-signature")  # incomplete: oracles wait
    code, signed = run("sign", desk.model, *desk.ways[way])
    assert (code, signed["publisher"]["identity"], signed["method"]) == (0, line, way)
    assert desk.check() == (0, None)
    assert failed("sign", desk.model, *desk.ways[way]) == (2, None)
    assert run("sign", desk.model, *desk.ways[way], "--replace")[0] == 0
    assert desk.check() == (0, None)


def test_a_signature_that_is_taken_away_leaves_the_release_incomplete(desk: PublisherDesk, way: str) -> None:
    desk.pack(*desk.ways[way])
    (desk.model / BUNDLE).unlink()
    assert desk.check() == (7, "publisher-signature")


def test_another_manifest_is_not_signed(desk: PublisherDesk, way: str) -> None:
    """Another VM packs the same files anew, names the publisher, and keeps the publisher's signature."""
    packed = desk.pack(*desk.ways[way])[1]
    stolen = desk.copy("stolen")
    (desk.root / "kept").mkdir()
    for path in (BUNDLE, KEY):
        if (stolen / path).exists():
            shutil.copy(stolen / path, desk.root / "kept" / path.name)
    desk.attest("thief")
    named = ("--publisher", packed["publisher"]["identity"], "--replace")
    assert desk.pack(*named, vm="thief", model=stolen)[0] == 0
    shutil.copytree(desk.root / "kept", stolen / "provenance", dirs_exist_ok=True)
    assert desk.check(stolen) == (4, "publisher-signature")


def test_the_signature_of_another_publisher_is_refused(desk: PublisherDesk, way: str) -> None:
    desk.pack(*desk.ways[way])
    other = desk.copy("other")
    assert desk.pack("--sign-key", desk.root / "other.key", "--replace", model=other)[0] == 0
    for path in (BUNDLE, KEY):
        shutil.copy(other / path, desk.model / path)
    assert desk.check() == (5, "publisher-identity")


def test_a_file_that_changed_after_signing_is_refused(desk: PublisherDesk, way: str) -> None:
    desk.pack(*desk.ways[way])
    bundle = json.loads((desk.model / BUNDLE).read_text())
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = bundle["dsseEnvelope"]["payload"][:96]
    (desk.model / BUNDLE).write_text(json.dumps(bundle))
    assert desk.check() == (4, "publisher-signature")


def test_a_renewed_revocation_list_leaves_the_signature_valid(desk: PublisherDesk, way: str) -> None:
    desk.pack(*desk.ways[way])
    path = desk.model / "provenance" / "snp" / "ark.crl"
    before = path.read_bytes()
    path.write_bytes(FakeAmd.load(ProductLine.GENOA).current_crl(datetime.now(UTC) - timedelta(hours=1)))
    assert path.read_bytes() != before
    assert desk.check() == (0, None)


def test_a_key_that_was_rotated_is_another_publisher(desk: PublisherDesk) -> None:
    line = desk.pack(*desk.ways["key"])[1]["publisher"]["identity"]
    rotated = ("--sign-key", desk.root / "other.key")
    assert failed("sign", desk.model, *rotated, "--replace") == (2, "publisher-identity")
    assert desk.check() == (0, None)  # the old signature is still there
    assert desk.pack(*rotated, "--publisher", line, "--replace")[0] == 2
    assert desk.pack(*rotated, "--replace")[1]["publisher"]["identity"] != line
    assert failed("check", desk.model, *desk.check_options, "--identity", line) == (5, "publisher-identity")


def test_a_release_that_names_nobody_cannot_be_signed(desk: PublisherDesk) -> None:
    desk.pack()
    assert failed("sign", desk.model, *desk.ways["key"]) == (2, "publisher-identity")
    assert not (desk.model / BUNDLE).exists()


def test_a_release_that_changed_is_not_signed(desk: PublisherDesk) -> None:
    desk.pack("--publisher", f"authority {spki_hex(certified(LEAF, CA, ROOT)[2])}")
    name = next(path for path in sorted(desk.model.iterdir()) if path.is_file())
    name.write_bytes(bytes(len(name.read_bytes())))
    assert failed("sign", desk.model, *desk.ways["certificate"]) == (4, "file-digests")
    assert not (desk.model / BUNDLE).exists()


@pytest.mark.parametrize("crash_at", range(2))
def test_signing_that_is_interrupted_leaves_the_release_incomplete(
    desk: PublisherDesk, crash_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full at the n-th file: the key, or the bundle. Both come after an old signature is gone."""
    desk.pack(*desk.ways["key"])
    writes = count()

    def failing(*names: Any, **folders: Any) -> None:
        if next(writes) == crash_at:
            raise OSError(28, "No space left on device")
        replacing(*names, **folders)

    replacing = os.replace
    monkeypatch.setattr(write_file.os, "replace", failing)
    assert run("sign", desk.model, *desk.ways["key"], "--replace")[0] == 7
    monkeypatch.undo()
    assert desk.check() == (7, "publisher-signature")
    assert run("sign", desk.model, *desk.ways["key"])[0] == 0
    assert desk.check() == (0, None)


def test_sign_opens_every_file_of_the_model_once(desk: PublisherDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.pack("--publisher", key_line(desk))
    opened: list[str] = []
    real = release_folder.open_file

    def counting(parent: int, path: str, *rest: Any) -> Any:
        opened.append(path)
        return real(parent, path, *rest)

    monkeypatch.setattr(release_folder, "open_file", counting)
    assert run("sign", desk.model, *desk.ways["key"])[0] == 0
    model = [str(path.relative_to(desk.model)) for path in desk.model.rglob("*") if path.is_file()]
    assert sorted(path for path in opened if not path.startswith("provenance")) == sorted(
        path for path in model if not path.startswith("provenance")
    )


@pytest.mark.slow
def test_the_reference_tool_and_we_agree_on_a_release(desk: PublisherDesk, way: str) -> None:
    """It verifies what `pack` signed; what it signs on a packed folder, `signature` and `check` accept."""
    verifying, signing = reference_words(desk, way)
    line = desk.pack(*desk.ways[way])[1]["publisher"]["identity"]
    place = (desk.model, "--signature", desk.model / BUNDLE)
    verified = model_signing("verify", way, *place, *verifying)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert desk.pack("--publisher", line, "--replace")[0] == 0
    if way == "key":
        shutil.copy(desk.root / "acme.pub", desk.model / KEY)
    signed = model_signing("sign", way, *place, *signing)
    assert signed.returncode == 0, signed.stdout + signed.stderr
    root = desk.check_options[3:]
    assert run("signature", desk.model, "--identity", line, *root)[0] == 0
    assert desk.check() == (0, None)


def reference_words(desk: PublisherDesk, way: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Return the reference tool's options to verify and to sign in a way."""
    key = ("--private_key", desk.root / "acme.key")
    if way == "key":
        return ("--public_key", desk.root / "acme.pub"), key
    if way == "certificate":
        leaf, *authorities = certified(LEAF, CA, ROOT)
        above = write_chain(desk.root / "authorities.pem", authorities)
        certificate = ("--signing_certificate", write_chain(desk.root / "leaf.pem", [leaf]))
        root = write_chain(desk.root / "root.pem", authorities[-1:])
        return ("--certificate_chain", root), (*key, *certificate, "--certificate_chain", above)
    _, _, config, _, token = desk.ways["sigstore"]
    trust = ("--trust_config", config)
    who = ("--identity", "me@example.org", "--identity_provider", ISSUER)
    return (*who, *trust), ("--identity_token", token, *trust)

"""The browser makes the same call to prove a release as Python, byte for byte, and refuses the same releases alike."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance_oracle.publisher.manifest import sign_statement
from provenance_oracle.publisher.simulator import CaRole, FakeAmd
from provenance_oracle.verifier.errors import AppraisalError, FormatError, ProvenanceError
from provenance_oracle.verifier.judgement.release import Release, read_release
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, parse_envelope
from provenance_oracle.verifier.proofs import intermediates
from provenance_oracle.verifier.proofs.evidence_calls import evidence_of, with_endorsed_key
from provenance_oracle.verifier.proofs.intermediates import added_intermediate
from provenance_oracle.verifier.proofs.words import unpack_proof
from provenance_oracle.verifier.snp.products import ProductLine
from tests.contracts.npm.project import ROOT
from tests.explorer.check.engines import ChromiumEngine, Engine, NodeEngine
from tests.support.proofs import EVIDENCE, FILES, P256_KEY, P384_KEY, encode_function, later_amd, make_provable

_MANY_FILES = {f"part-{number:04d}.bin": b"%d" % number for number in range(300)}
_KEYLESS = "sigstore https://issuer.example subject:repo@refs/heads/main"
_RECORDS = (b"", bytes(range(256)) * 2, b"a")


def _later_asvk() -> FakeAmd:
    genoa = FakeAmd.load(ProductLine.GENOA)
    return genoa.replaced(CaRole.ASVK, genoa.authorities[CaRole.ASK].key, serial=0x20102)


# Releases that the chain can read, by name.
_GOOD: dict[str, dict[str, Any]] = {
    **{f"P-256 on {line.value}": {"line": line} for line in ProductLine},
    **{f"P-384 on {line.value}": {"key": P384_KEY, "line": line} for line in ProductLine},
    "with SHA-256": {"with_sha256": True},
    "P-384, with SHA-256": {"key": P384_KEY, "with_sha256": True},
    "SHA-384 of the key": {"binding": "sha384-spki"},
    "a VLEK": {"csp_id": "CN=cloud.example"},
    **{f"a later ASK on {line.value}": {"line": line, "amd": later_amd(line)} for line in ProductLine},
    "a later ASVK": {"amd": _later_asvk(), "csp_id": "CN=cloud.example"},
    "a publisher": {"publisher": _KEYLESS},
    "a publisher with letters of all kinds": {"publisher": "sigstore https://issuer.example \u00fc \u5b57 \U0001f600"},
    "300 files": {"files": _MANY_FILES},
    "one empty file": {"files": {"a": b""}},
    "names at the ends of ASCII": {"files": {"!": b"1", "a b/~": b"2", "[]^_`{}": b"3"}},
}
# Releases that the chain cannot read: how each is made, and the beginning of what Python says of it.
_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "SHA-512 of the key": ({"binding": "sha512-spki"}, "the chain cannot read how the report binds"),
    "Ed25519": (
        {"key": Ed25519PrivateKey.from_private_bytes(bytes(range(32)))},
        "the chain does not know the algorithm",
    ),
    "a name in letters of another script": ({"files": {"\u0444": b""}}, "the chain cannot read a file"),
}


def _changed_payload(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return a function that signs the manifest of a release again after changing its payload."""

    def apply(folder: Path) -> None:
        file = folder / MANIFEST_PATH
        file.write_bytes(sign_statement(change(parse_envelope(file.read_bytes()).payload), P256_KEY))

    return apply


def _other_signature(folder: Path) -> None:
    file = folder / MANIFEST_PATH
    envelope = json.loads(file.read_text())
    envelope["signatures"][0]["sig"] = base64.b64encode(b"\x30\x02\x02\x00").decode()
    file.write_text(json.dumps(envelope))


def _without_intermediate(folder: Path) -> None:
    file = folder / "provenance" / "snp" / "chain.pem"
    file.write_text(file.read_text().partition("-----END CERTIFICATE-----\n")[2])


# Changes of a good release after which the chain could not read it.
_CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "another report is named": (
        _changed_payload(lambda payload: payload.replace(b'"snpReport":{"sha256":"', b'"snpReport":{"sha256":"0')),
        "the chain does not see that the manifest names this report",
    ),
    "spaces": (
        _changed_payload(lambda payload: json.dumps(json.loads(payload)).encode()),
        "the chain does not see that the manifest names this report",
    ),
    "a member after the files": (
        _changed_payload(lambda payload: payload[:-1] + b',"z":1}'),
        "the chain cannot read a file",
    ),
    "no list of files": (
        _changed_payload(lambda payload: payload.replace(b'"subject":[', b'"subjects":[')),
        "the chain does not see the list of files",
    ),
    "files in another order": (_changed_payload(lambda payload: _swapped(payload)), "the chain cannot read a file"),
    "a size with a zero before it": (
        _changed_payload(lambda payload: payload.replace(b'"size":', b'"size":0')),
        "the chain cannot read a file",
    ),
    "a signature that is none": (_other_signature, "the signature is not one of ECDSA"),
    "no intermediate": (_without_intermediate, "wrong number of certificates"),
}


def _swapped(payload: bytes) -> bytes:
    document = json.loads(payload)
    document["subject"].reverse()
    return json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def _case(release: Path, record: bytes = b"") -> dict[str, Any]:
    paths = [path for path in (release / "provenance").rglob("*") if path.is_file()]
    files = {path.relative_to(release).as_posix(): base64.b64encode(path.read_bytes()).decode() for path in paths}
    return {"files": files, "record": f"0x{record.hex()}"}


def _in_python(release: Release, record: bytes = b"") -> dict[str, Any]:
    try:
        call = evidence_of(release)
    except ProvenanceError as error:
        assert isinstance(error, AppraisalError | FormatError)
        kind = "refused" if isinstance(error, AppraisalError) else "malformed"
        told = {"problem": error.problem, "where": error.where, "got": error.got, "wanted": error.wanted}
        return {"refusal": {"kind": kind, **told}}
    calls = [encode_function(f"prove({EVIDENCE},bytes)", tuple(one), record) for one in (call, with_endorsed_key(call))]
    return {"calls": [f"0x{data.hex()}" for data in calls], "added": _added(release, calls[0])}


def _added(release: Release, prove: bytes) -> dict[str, Any] | None:
    """Return what Python says of an intermediate that the contracts do not have, and the calls that add it first."""
    found = added_intermediate(release.evidence)
    if found is None:
        return None
    adding = encode_function("addIntermediate(bytes)", found.certificate)
    orders = [[adding], [encode_function("submitCrl(bytes)", found.crl.der), adding]] if found.crl else [[adding]]
    together = [encode_function("multicall(bytes[])", [*before, prove]) for before in orders]
    return {
        "certificate": base64.b64encode(found.certificate).decode(),
        "digest": found.digest.hex(),
        "name": found.name,
        "line": found.line,
        "listEnds": found.crl and int(found.crl.next_update.timestamp()),
        "together": [f"0x{data.hex()}" for data in together],
    }


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of all good releases."""
    folders = {name: tmp_path_factory.mktemp("good") for name in _GOOD}
    for name, folder in folders.items():
        make_provable(folder, **{"files": FILES} | _GOOD[name])
    return folders


def _compare(engine: Engine, good: dict[str, Path]) -> None:
    asked = [(name, folder, record) for name, folder in good.items() for record in _RECORDS]
    found = engine.call("encode", [_case(folder, record) for _, folder, record in asked])
    for (name, folder, record), ours in zip(asked, found, strict=True):
        theirs = _in_python(read_release(folder), record)
        assert "calls" in theirs, (name, theirs)
        assert ours == theirs, name


def test_the_calls_of_good_releases_are_equal_in_chromium(chromium: ChromiumEngine, good: dict[str, Path]) -> None:
    _compare(chromium, good)


def test_the_calls_of_good_releases_are_equal_in_node(node: NodeEngine, good: dict[str, Path]) -> None:
    _compare(node, good)


def test_only_a_later_intermediate_is_added_with_the_list_that_there_is(
    node: NodeEngine, good: dict[str, Path], tmp_path: Path
) -> None:
    bare = shutil.copytree(good["a later ASVK"], tmp_path / "bare")
    (bare / "provenance" / "snp" / "ark.crl").unlink()
    folders = good | {"a later ASVK without a list": bare}
    found = dict(zip(folders, node.call("encode", [_case(folder) for folder in folders.values()]), strict=True))
    assert found["a later ASVK without a list"] == _in_python(read_release(bare))
    orders = {name: len(one["added"]["together"]) for name, one in found.items() if one["added"]}
    assert orders == {name: 1 if folders[name] == bare else 2 for name in folders if name.startswith("a later")}


def test_the_contracts_have_the_intermediates_that_the_page_thinks_they_have() -> None:
    text = (ROOT / "explorer" / "src" / "check" / "intermediates.ts").read_text()
    assert set(re.findall(r'"([0-9a-f]{64})"', text)) == intermediates._PINNED_CERTIFICATES


def test_what_the_chain_cannot_read_is_refused_in_the_same_words(
    node: NodeEngine, good: dict[str, Path], tmp_path: Path
) -> None:
    made = {name: (tmp_path / f"made {number}", wanted) for number, (name, (_, wanted)) in enumerate(_REFUSED.items())}
    for name, (folder, _) in made.items():
        make_provable(folder, **_REFUSED[name][0])
    for number, (name, (change, wanted)) in enumerate(_CHANGES.items()):
        folder = tmp_path / f"changed {number}"
        make_provable(folder)
        change(folder)
        made[name] = (folder, wanted)
    found = node.call("encode", [_case(folder) for folder, _ in made.values()])
    for (name, (folder, wanted)), ours in zip(made.items(), found, strict=True):
        theirs = _in_python(read_release(folder))
        assert theirs["refusal"]["problem"].startswith(wanted), name
        assert ours == theirs, name


def _mutants(payload: bytes) -> Iterator[bytes]:
    """Yield payloads with a byte changed, left out or doubled, mostly where the chain looks."""
    rng = Random("payloads")
    places = [payload.index(b'"internalParameters"'), payload.rindex(b'"predicateType"')]
    for _ in range(400):
        at = min(rng.choice(places) + rng.randrange(300), len(payload) - 1)
        byte = bytes((rng.choice(b'0az",:{}[]\\ \x7f\xff'),))
        yield rng.choice(
            (
                payload[:at] + byte + payload[at + 1 :],
                payload[:at] + payload[at + 1 :],
                payload[:at] + byte + payload[at:],
            )
        )


def test_changed_manifests_have_the_same_end(node: NodeEngine, tmp_path: Path) -> None:
    make_provable(tmp_path)
    file = tmp_path / MANIFEST_PATH
    cases, theirs = [], []
    for payload in _mutants(parse_envelope(file.read_bytes()).payload):
        file.write_bytes(sign_statement(payload, P256_KEY))
        cases.append(_case(tmp_path))
        theirs.append(_in_python(read_release(tmp_path)))
    assert node.call("encode", cases) == theirs
    readable = sum("calls" in one for one in theirs)
    assert 20 < readable < 380


def _said(word: int) -> dict[str, Any] | None:
    try:
        found = unpack_proof(word, "here")
    except ProvenanceError:
        return None
    return {
        "provenAt": int(found.proven_at.timestamp()),
        "isSimulated": found.is_simulated,
        "key": found.signing_key.name,
        "lowestTcb": found.lowest_tcb.hex(),
        "vmpl": found.vmpl,
        "isRevoked": found.revoked,
        "opensGate": found.opens_gate,
    }


def test_a_word_says_the_same_here_and_there(node: NodeEngine) -> None:
    rng = Random("words")
    words = [rng.getrandbits(183) & ~(0xFF << 32) | rng.choice((1, 2, 3)) << 183 for _ in range(300)]
    timeless, opening = ~((1 << 40) - 1), ~(0xF << 58 | 0x1FFF << 74)
    words += [word | 1 << 255 for word in words[:50]] + [word | 1 << rng.randrange(191, 255) for word in words[:50]]
    words += [word & timeless for word in words[:50]] + [word & opening for word in words[:100]]
    found = node.call("unpack", [str(word) for word in words])
    assert {one is None for one in found} == {True, False}
    for word, ours in zip(words, found, strict=True):
        theirs = _said(word)
        if ours is not None:
            assert ours.pop("line") in ("Milan", "Genoa", "Turin")
        assert ours == theirs, hex(word)


def test_the_page_names_what_the_contracts_have() -> None:
    text = (ROOT / "explorer" / "src" / "prove" / "interface.ts").read_text()
    abi = {name: _abi(name) for name in ("HardwareProofs", "AmdVerifier")}
    [prove] = [item for item in abi["HardwareProofs"] if item.get("name") == "prove"]
    members = [(one["name"], one["type"]) for one in prove["inputs"][0]["components"]]
    assert [part for part in members if f'["{part[0]}", "{part[1]}"]' not in text] == []
    declared = {_signature(item) for items in abi.values() for item in items if item["type"] in ("error", "function")}
    told = {part for part in text.split('"') if part.endswith(")") and "(" in part and " " not in part}
    assert len(told) > 15
    assert told <= declared


def _abi(name: str) -> list[dict[str, Any]]:
    found = json.loads((ROOT / "verifier" / "abi" / f"{name}.json").read_text())["abi"]
    assert isinstance(found, list)
    return found


def _signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(part['type'] for part in item['inputs'])})"

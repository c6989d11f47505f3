"""The bytes that a publisher signs."""

from __future__ import annotations

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.publisher.signing.payload import make_payload
from provenance_oracle.verifier.identity.statement import parse_signed_files

DIGESTS = {
    path: hashlib.sha256(path.encode()).digest() for path in ("b", "a/b", "a-b", "provenance/manifest.dsse.json")
}


def test_the_payload_is_the_specification_s() -> None:
    payload = make_payload("acme/tiny", DIGESTS)
    statement = json.loads(payload)
    predicate = statement.pop("predicate")
    in_order = ["a-b", "a/b", "b", "provenance/manifest.dsse.json"]
    root = hashlib.sha256(b"".join(DIGESTS[path] for path in in_order)).hexdigest()
    assert statement == {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://model_signing/signature/v1.0",
        "subject": [{"name": "acme/tiny", "digest": {"sha256": root}}],
    }
    assert [one["name"] for one in predicate["resources"]] == in_order
    assert predicate["serialization"] == {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
        "ignore_paths": [
            ".git",
            ".gitattributes",
            ".github",
            ".gitignore",
            "provenance/cvm-key.pem",
            "provenance/model.sig",
            "provenance/publisher-key.pem",
            "provenance/snp",
        ],
    }
    assert b" " not in payload


def test_the_same_files_give_the_same_bytes_in_any_order() -> None:
    assert make_payload("m", DIGESTS) == make_payload("m", dict(reversed(DIGESTS.items())))


def test_files_of_git_at_the_top_are_not_signed_and_others_are() -> None:
    more = {path: bytes(32) for path in (".gitattributes", ".gitignore", "sub/.gitignore", ".github/ci.yml")}
    payload = make_payload("m", DIGESTS | more)
    assert {*parse_signed_files(payload, "x").paths} == {*DIGESTS, "sub/.gitignore", ".github/ci.yml"}
    # The reference tool must not pass over what is signed.
    assert ".github" not in json.loads(payload)["predicate"]["serialization"]["ignore_paths"]


_SEGMENT = st.text("abAB.-_ü0", min_size=1, max_size=6).filter(lambda text: text.strip(".") == text)


@given(st.dictionaries(st.lists(_SEGMENT, min_size=1, max_size=3).map("/".join), st.binary(min_size=32, max_size=32)))
def test_a_verifier_reads_what_was_signed(digests: dict[str, bytes]) -> None:
    files = {path.casefold(): digest for path, digest in digests.items()}
    # no path is also a folder
    files = {path: one for path, one in files.items() if not any(other.startswith(f"{path}/") for other in files)}
    files["provenance/manifest.dsse.json"] = bytes(32)
    signed = parse_signed_files(make_payload("m", files), "x")
    assert {part.path: part.digest for part in signed.parts} == files

"""A record as an SPDX 3.0.1 document in JSON-LD, with the profile AI (https://spdx.github.io/spdx-spec/v3.0.1).

The same record gives the same bytes. `created` is the time of the block that holds the record, since the oracles made
the statement then. A record knows neither a place to download from nor the time of the release, so the document has
neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version

from provenance_oracle.verifier.documents.exported import (
    FSVERITY_NOTE,
    MODEL_DIGEST_NOTE,
    Exported,
)
from provenance_oracle.verifier.manifest.statement import Dependency, ManifestFile, Role
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.strict.timestamps import format_time

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_CREATION = "_:creation"
_ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")
_PURPOSES = {Role.CODE: "source", Role.IMAGE: "container", Role.BASE_MODEL: "model", Role.ADAPTER: "model"}

_Json = dict[str, object]


def spdx_json(exported: Exported) -> _Json:
    """Return the document."""
    profiles = ["core", "software", "ai"]
    if any(one.role is Role.DATASET for one in exported.dependencies()):
        profiles.append("dataset")
    return {"@context": CONTEXT, "@graph": [_creation(exported), *_elements(exported, profiles)]}


def _creation(exported: Exported) -> _Json:
    return {
        "type": "CreationInfo",
        "@id": _CREATION,
        "specVersion": "3.0.1",
        "created": format_time(exported.entry.recorded_at),
        "createdBy": [_id(exported, "oracles")],
        "createdUsing": [_id(exported, "tool")],
    }


def _elements(exported: Exported, profiles: Sequence[str]) -> Iterator[_Json]:
    """Yield the document, its makers, the model, and what the model came with and from."""
    entry, model = exported.entry, exported.uri
    yield _element("SpdxDocument", _id(exported, "document")) | {
        "name": f"{entry.name} {entry.version}",
        "profileConformance": list(profiles),
        "rootElement": [model],
    }
    yield (
        _element("SoftwareAgent", _id(exported, "oracles"))
        | {
            "name": f"oracle set {entry.standing.epoch} of {exported.registry_account}",
        }
        | _listed("externalIdentifier", [_identifier(value) for name, value in exported.facts() if name == "signed-by"])
    )
    tool = f"provenance-oracle {version('provenance-oracle')}"
    yield _element("Tool", _id(exported, "tool")) | {"name": tool}
    yield _model(exported)
    if any(entry.publisher_identity):
        yield _element("Agent", _id(exported, "publisher")) | {
            "name": f"publisher {entry.publisher_identity.hex()}",
            "externalIdentifier": [_identifier(entry.publisher_identity.hex(), "provenance-identity-v1")],
        }
    yield from _evidence(exported)
    yield from _parents(exported)
    yield from _files(exported)
    for number, dependency in enumerate(exported.dependencies()):
        yield from _dependency(exported, number, dependency)


def _model(exported: Exported) -> _Json:
    entry = exported.entry
    package = _recorded(exported.uri, entry)
    if any(entry.publisher_identity):
        package["suppliedBy"] = _id(exported, "publisher")
    package["externalIdentifier"] = [_identifier(exported.uri, "the record on chain")]
    package["comment"] = "\n".join(f"{name}: {value}" for name, value in exported.facts())
    return package


def _evidence(exported: Exported) -> Iterator[_Json]:
    """Yield the statements and the evidence that the record binds, and their relation to the model."""
    found = {_id(exported, one.key): one for one in exported.evidence()}
    for name, one in found.items():
        yield _element("software_File", name) | {
            "name": one.uri,
            "comment": one.note,
            "software_primaryPurpose": "evidence",
            "verifiedUsing": [_hash("sha256", one.digest)],
        }
    yield _relation(exported, "has-evidence", exported.uri, "hasEvidence", list(found))


def _parents(exported: Exported) -> Iterator[_Json]:
    for number, parent in enumerate(exported.parents):
        yield _recorded(exported.parent_uri(parent), parent)
        yield _relation(exported, f"parent/{number}", exported.parent_uri(parent), "ancestorOf", [exported.uri])


def _files(exported: Exported) -> Iterator[_Json]:
    files = exported.manifest.files if exported.manifest else ()
    for file in files:
        yield _element("software_File", exported.file_uri(file.path)) | {
            "name": file.path,
            "verifiedUsing": list(_file_hashes(file)),
            "comment": f"{file.size} bytes",
        }
    if files:
        names = [exported.file_uri(file.path) for file in files]
        yield _relation(exported, "contains", exported.uri, "contains", names)


def _dependency(exported: Exported, number: int, dependency: Dependency) -> Iterator[_Json]:
    """Yield a dependency that the manifest names, and its relation to the model."""
    name = _id(exported, f"dependency/{number}")
    hashes = [_hash(algorithm, digest) for algorithm, digest in dependency.digests]
    element = {"name": dependency.name or dependency.uri, "verifiedUsing": hashes}
    if dependency.uri:
        element["externalIdentifier"] = [_identifier(dependency.uri)]
    if dependency.role is Role.DATASET:
        yield _element("dataset_DatasetPackage", name) | element | {"dataset_datasetType": ["noAssertion"]}
        yield _relation(exported, f"uses/{number}", exported.uri, "trainedOn", [name])
    elif dependency.role in (Role.BASE_MODEL, Role.ADAPTER):
        yield _element("ai_AIPackage", name) | element | {"software_primaryPurpose": "model"}
        yield _relation(exported, f"uses/{number}", name, "ancestorOf", [exported.uri])
    else:
        purpose = _PURPOSES[dependency.role]
        yield _element("software_Package", name) | element | {"software_primaryPurpose": purpose}
        yield _relation(exported, f"uses/{number}", exported.uri, "hasInput", [name])


def _recorded(name: str, entry: Entry) -> _Json:
    """Return the package of a recorded model."""
    return _element("ai_AIPackage", name) | {
        "name": entry.name,
        "software_packageVersion": entry.version,
        "software_primaryPurpose": "model",
        "verifiedUsing": [_hash(MODEL_DIGEST_NOTE, entry.model_digest)],
    }


def _file_hashes(file: ManifestFile) -> Iterator[_Json]:
    if file.sha256 is not None:
        yield _hash("sha256", file.sha256)
    if file.fsverity is not None:
        yield _hash(FSVERITY_NOTE, file.fsverity)


def _hash(algorithm: str, digest: bytes) -> _Json:
    """Return a digest under SPDX's name of its algorithm, or as `other`, with a comment that names it."""
    if algorithm in _ALGORITHMS:
        return {"type": "Hash", "algorithm": algorithm, "hashValue": digest.hex()}
    return {"type": "Hash", "algorithm": "other", "hashValue": digest.hex(), "comment": algorithm}


def _identifier(identifier: str, comment: str = "") -> _Json:
    found: _Json = {"type": "ExternalIdentifier", "externalIdentifierType": "other", "identifier": identifier}
    return found | ({"comment": comment} if comment else {})


def _relation(exported: Exported, key: str, start: str, kind: str, ends: list[str]) -> _Json:
    return _element("Relationship", _id(exported, f"relation/{key}")) | {
        "from": start,
        "relationshipType": kind,
        "to": ends,
    }


def _listed(name: str, values: Sequence[_Json]) -> _Json:
    """Return the member `name`, or nothing: the format allows no empty list."""
    return {name: list(values)} if values else {}


def _element(kind: str, name: str) -> _Json:
    return {"type": kind, "spdxId": name, "creationInfo": _CREATION}


def _id(exported: Exported, key: str) -> str:
    return f"{exported.uri}#{key}"

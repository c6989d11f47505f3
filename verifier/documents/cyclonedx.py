"""A record as a CycloneDX 1.7 bill of materials of a machine-learning model (https://cyclonedx.org/docs/1.7/json).

The same record gives the same bytes. `hashes` of a model holds its model digest, a SHA-256 over the list of its files,
as other tools put the digest of a Go module there; the property `provenance-oracle:model-digest` says which it is.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from provenance_oracle.verifier.documents.exported import MODEL_DIGEST_NAME, Exported, RecordedEvidence
from provenance_oracle.verifier.manifest.statement import FSVERITY, Dependency, ManifestFile, Role
from provenance_oracle.verifier.record.fields import Entry

_ALGORITHMS = {"sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_TYPES = {
    Role.BASE_MODEL: "machine-learning-model",
    Role.ADAPTER: "machine-learning-model",
    Role.DATASET: "data",
    Role.CODE: "application",
    Role.IMAGE: "container",
}
_PREFIX = "provenance-oracle"

_Json = dict[str, object]


def cyclonedx_json(exported: Exported) -> _Json:
    """Return the document."""
    others = [one for one in _numbered(exported) if one[1].role not in (Role.BASE_MODEL, Role.ADAPTER)]
    body: _Json = {
        "metadata": {
            "tools": {
                "components": [{"type": "application", "name": _PREFIX, "version": version("provenance-oracle")}]
            },
            "component": _model(exported),
        }
    }
    if others:
        body["components"] = [_dependency(ref, one) for ref, one in others]
    # the same record has the same serial number; anything else in it, such as a new signer, gives another
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([exported.uri, body], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        **body,
    }


def _model(exported: Exported) -> _Json:
    """Return the component of the recorded model."""
    manifest = exported.manifest
    models = [one for one in _numbered(exported) if one[1].role in (Role.BASE_MODEL, Role.ADAPTER)]
    ancestors = [_recorded(exported.parent_uri(parent), parent) for parent in exported.parents]
    ancestors += [_dependency(ref, one) for ref, one in models]
    datasets = [{"ref": ref} for ref, one in _numbered(exported) if one.role is Role.DATASET]
    component = _recorded(exported.uri, exported.entry)
    if ancestors:
        component["pedigree"] = {"ancestors": ancestors}
    if datasets:
        component["modelCard"] = {"modelParameters": {"datasets": datasets}}
    if manifest is not None:
        component["components"] = [_file(exported.file_uri(file.path), file) for file in manifest.files]
    component["externalReferences"] = [_reference(one) for one in exported.evidence()]
    component["properties"] = _properties(exported.facts())
    return component


def _recorded(ref: str, entry: Entry) -> _Json:
    """Return a component with the name and the digests of a record."""
    return {
        "type": "machine-learning-model",
        "bom-ref": ref,
        "group": entry.namespace,
        "name": entry.name.removeprefix(f"{entry.namespace}/"),
        "version": entry.version,
        "hashes": [{"alg": "SHA-256", "content": entry.model_digest.hex()}],
        "properties": _properties([("model-digest", f"{MODEL_DIGEST_NAME}:{entry.model_digest.hex()}")]),
    }


def _file(ref: str, file: ManifestFile) -> _Json:
    """Return the component of a file, with its SHA-256 where the manifest states it."""
    facts = [("size-bytes", str(file.size))]
    if file.fsverity is not None:
        facts.append((FSVERITY, file.fsverity.hex()))
    component: _Json = {"type": "file", "bom-ref": ref, "name": file.path}
    if file.sha256 is not None:
        component["hashes"] = [{"alg": "SHA-256", "content": file.sha256.hex()}]
    return component | {"properties": _properties(facts)}


def _numbered(exported: Exported) -> Iterator[tuple[str, Dependency]]:
    """Yield the dependencies, each with its reference in the document."""
    for number, one in enumerate(exported.dependencies()):
        yield f"{exported.uri}#dependency/{number}", one


def _dependency(ref: str, dependency: Dependency) -> _Json:
    hashes = [
        {"alg": _ALGORITHMS[name], "content": digest.hex()}
        for name, digest in dependency.digests
        if name in _ALGORITHMS
    ]
    facts = [("role", str(dependency.role))]
    facts += [("relation", dependency.relation)] if dependency.relation else []
    facts += [("uri", dependency.uri)] if dependency.uri else []
    facts += [(f"digest:{name}", digest.hex()) for name, digest in dependency.digests if name not in _ALGORITHMS]
    component: _Json = {"type": _TYPES[dependency.role], "bom-ref": ref, "name": dependency.name or dependency.uri}
    return component | ({"hashes": hashes} if hashes else {}) | {"properties": _properties(facts)}


def _reference(evidence: RecordedEvidence) -> _Json:
    hashes = [{"alg": "SHA-256", "content": evidence.digest.hex()}]
    return {"type": evidence.kind, "url": evidence.uri, "comment": evidence.note, "hashes": hashes}


def _properties(facts: Iterable[tuple[str, str]]) -> list[_Json]:
    return [{"name": f"{_PREFIX}:{name}", "value": value} for name, value in facts]

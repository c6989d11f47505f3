"""The JSON Schemas of the API's documents, by the names under which the OpenAPI document lists them.

The shapes of records, events, namespaces and ancestors are those of `verifier.documents`. No object has other members
than these, and a member is missing only where `required` does not list it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from provenance_oracle.verifier.record.closure import Closure

API_RECORDS = "provenance-oracle/api-records/v1"
API_SEARCH = "provenance-oracle/api-search/v1"
API_HISTORY = "provenance-oracle/api-history/v1"
API_LINEAGE = "provenance-oracle/api-lineage/v1"
API_NAMESPACE = "provenance-oracle/api-namespace/v1"
API_NAMESPACE_HISTORY = "provenance-oracle/api-namespace-history/v1"
API_IDENTITY = "provenance-oracle/api-identity/v1"
API_POLICY = "provenance-oracle/api-policy/v1"
API_EVIDENCE = "provenance-oracle/api-evidence/v1"
API_STATISTICS = "provenance-oracle/api-statistics/v1"
API_STATUS = "provenance-oracle/api-status/v1"

_Schema = Mapping[str, object]


def _object(required: Mapping[str, object], optional: Mapping[str, object] = MappingProxyType({})) -> _Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _document(schema_id: str, members: Mapping[str, object]) -> _Schema:
    return _object({"schema": {"const": schema_id}, **members})


def _list(items: object) -> _Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: object) -> _Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_TEXT: _Schema = {"type": "string"}
_FLAG: _Schema = {"type": "boolean"}
_COUNT: _Schema = {"type": "integer", "minimum": 0}
_DIGEST: _Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_HASH: _Schema = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
_ADDRESS: _Schema = {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}
_HEX: _Schema = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
_TIME: _Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}
_DAY: _Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_TCB: _Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_CURSOR = _or_null(_TEXT)

_RECORD = _object(
    {
        "release_id": _DIGEST,
        "record_id": _DIGEST,
        "name": _TEXT,
        "version": _TEXT,
        "manifest_digest": _DIGEST,
        "model_digest": _DIGEST,
        "verdict_digest": _DIGEST,
        "report_digest": _DIGEST,
        "policy_digest": _DIGEST,
        "policy_id": _COUNT,
        "publisher_identity": _DIGEST,
        "passed": _FLAG,
        "revision": _COUNT,
        "grade": _COUNT,
        "product_line": _TEXT,
        "reported_tcb": _TCB,
        "passed_checks": _list(_TEXT),
        "parents": _list(_DIGEST),
        "judged_at": _TIME,
        "recorded_at": _TIME,
        "epoch": _COUNT,
        "threshold": _COUNT,
        "weight": _COUNT,
        "signers": _list(_object({"index": _COUNT, "address": _or_null(_ADDRESS), "weight": _COUNT, "counts": _FLAG})),
        "batch": _or_null(_object({"root": _DIGEST, "leaf": _COUNT})),
        "revoked_at": _or_null(_TIME),
        "model_revoked_at": _or_null(_TIME),
        "held": _FLAG,
        "doubtful": _FLAG,
        "named": _FLAG,
        "revisions": _COUNT,
        "active": _FLAG,
        "closure": {"enum": [*map(str, Closure), None]},
        "closed_because": _or_null(_TEXT),
        "gate_open": _FLAG,
        "gate_shut_because": _or_null(_TEXT),
        "publisher_gate_open": _or_null(_FLAG),
        "block": _COUNT,
        "transaction": _HASH,
        "gas_used": _or_null(_COUNT),
    }
)

_PLACE = {"block": _COUNT, "transaction": _HASH}
_SIGNED = {"signers": _list(_COUNT), "weight": _COUNT}
_REVOKED = {"effective_from": _TIME, "reason": _TEXT, "guardian": _ADDRESS, **_PLACE}


def _event(words: list[str], members: Mapping[str, object]) -> _Schema:
    return _object({"event": {"enum": words}, **members, **_PLACE})


_EVENT: _Schema = {
    "oneOf": [
        _event(
            ["published", "superseded"],
            {
                "time": _TIME,
                "name": _TEXT,
                "version": _TEXT,
                "revision": _COUNT,
                "passed": _FLAG,
                "epoch": _COUNT,
                "held": _FLAG,
                **_SIGNED,
            },
        ),
        _event(["leaf_closed"], {"root": _DIGEST, "index": _COUNT}),
        _event(["adopted", "released"], {"time": _TIME}),
        _event(["recounted"], {"record_id": _DIGEST, "doubtful": _FLAG, **_SIGNED}),
        _event(["revocation_applied"], {"effective_from": _TIME}),
        _event(["revoked", "model_revoked"], _REVOKED),
    ]
}

_NAMESPACE_MEMBERS = {
    "name": _TEXT,
    "owner": _ADDRESS,
    "claimed_at": _TIME,
    "identity_limit": _COUNT,
    "first_uses": _COUNT,
    "identities": _list(_DIGEST),
    "history_entries": _COUNT,
    "history_complete": {"const": True},
}

_CHANGE = _object(
    {
        "name": _TEXT,
        "from_version": _TEXT,
        "to_version": _TEXT,
        "from_publisher": _DIGEST,
        "to_publisher": _DIGEST,
        "recorded_at": _TIME,
    }
)

_ANCESTOR = _object(
    {
        "release_id": _DIGEST,
        "child": _DIGEST,
        "depth": _COUNT,
        "attested": _FLAG,
        "open": _FLAG,
        "name": _or_null(_TEXT),
        "version": _or_null(_TEXT),
    }
)

_PROOF = _object(
    {
        "schema": {"const": "provenance-oracle/proof/v1"},
        "root": _DIGEST,
        "leaf": _COUNT,
        "count": _COUNT,
        "model_digest": _DIGEST,
        "manifest_digest": _DIGEST,
        "record": _HEX,
        "proof": _object({"contentDigest": _HASH, "summary": _HASH, "siblings": _list(_HASH)}),
    }
)

_LEAVES = _object(
    {
        "schema": {"const": "provenance-oracle/batch/v1"},
        "root": _DIGEST,
        "records": _list(_object({"record": _HEX, "named": _FLAG})),
    }
)

_PROBLEM = _object(
    {"type": _TEXT, "title": _TEXT, "status": {"type": "integer", "minimum": 400, "maximum": 599}},
    {"detail": _TEXT, "check": _or_null(_TEXT), "retry": _FLAG},
)

_FACTS = {
    "name": _TEXT,
    "version": _TEXT,
    "record_id": _DIGEST,
    "model_digest": _DIGEST,
    "manifest_digest": _DIGEST,
    "recorded_at": _TIME,
    "product_line": _TEXT,
    "passed": _FLAG,
    "closure": {"enum": [*map(str, Closure), None]},
}
_FOUND_BY = ("manifest_digest", "model_digest", "verdict_digest", "report_digest", "record_id", "release_id")

_RESULT: _Schema = {
    "oneOf": [
        _object({"kind": {"const": "record"}, **_FACTS, "found_by": {"enum": [*_FOUND_BY, "earlier judgement", None]}}),
        _object({"kind": {"const": "namespace"}, "name": _TEXT}),
        _object({"kind": {"enum": ["identity", "policy", "batch"]}, "digest": _DIGEST}),
    ]
}

_NAMESPACE_ENTRY = _object(
    {
        "number": _COUNT,
        "kind": _COUNT,
        "event": _TEXT,
        "subject": _DIGEST,
        "time": _TIME,
        "seconds": _COUNT,
        "head": _DIGEST,
        **_PLACE,
    }
)

_RULE = _object(
    {"rule": _TEXT, "value": {"anyOf": [{"type": ["string", "integer", "boolean"]}, {"type": "array"}]}},
)

_ORACLE = _object({"address": _ADDRESS, "epoch": _COUNT, "index": _COUNT, "signed": _COUNT, "of": _COUNT})

_DEPLOYMENT = _object(
    {"chain_id": _COUNT, "registry": _ADDRESS, "namespaces": _ADDRESS, "lineage": _ADDRESS, "block": _COUNT}
)

# By the name of each in the OpenAPI document.
SCHEMAS: Mapping[str, _Schema] = MappingProxyType(
    {
        "Record": _RECORD,
        "Event": _EVENT,
        "NamespaceFacts": _object(_NAMESPACE_MEMBERS),
        "PublisherChange": _CHANGE,
        "Ancestor": _ANCESTOR,
        "RecordFacts": _object(_FACTS),
        "Result": _RESULT,
        "Records": _document(
            API_RECORDS, {"entries": _list(_ref("Record")), "total": _or_null(_COUNT), "next_cursor": _CURSOR}
        ),
        "Search": _document(
            API_SEARCH,
            {
                "found_by": {"enum": ["digest", "text"]},
                "results": _list(_ref("Result")),
                "next_cursor": _CURSOR,
                "compared": _list(_TEXT),
            },
        ),
        "History": _document(
            API_HISTORY,
            {
                "events": _list(_ref("Event")),
                "namespaces": _list(_ref("NamespaceFacts")),
                "publisher_changes": _list(_ref("PublisherChange")),
            },
        ),
        "Lineage": _document(
            API_LINEAGE,
            {
                "lineage": _list(_object({"manifest_digest": _DIGEST, "ancestors": _list(_ref("Ancestor"))})),
                "edges": _list(_object({"child": _DIGEST, "parent": _DIGEST, "attested": _FLAG})),
                "descendants": _list(_ref("RecordFacts")),
                "next_cursor": _CURSOR,
            },
        ),
        "Namespace": _document(API_NAMESPACE, _NAMESPACE_MEMBERS),
        "NamespaceHistory": _document(
            API_NAMESPACE_HISTORY,
            {"name": _TEXT, "namespace_id": _DIGEST, "entries": _list(_NAMESPACE_ENTRY), "head": _DIGEST},
        ),
        "Identity": _document(API_IDENTITY, {"digest": _DIGEST, "records": _COUNT, "namespaces": _list(_TEXT)}),
        "Policy": _document(
            API_POLICY,
            {
                "digest": _DIGEST,
                "number": _or_null(_COUNT),
                "records": _COUNT,
                "name": _or_null(_TEXT),
                "version": _or_null({"type": ["string", "integer"]}),
                "date": _or_null(_DAY),
                "text": _or_null(_TEXT),
                "rules": _or_null(_list(_RULE)),
            },
        ),
        "Statistics": _document(
            API_STATISTICS,
            {
                "by_day": _list(_object({"day": _DAY, "releases": _COUNT, "batches": _COUNT, "gas": _COUNT})),
                "oracles": _list(_ORACLE),
                "firmware": _list(_object({"product_line": _TEXT, "reported_tcb": _TCB, "day": _DAY, "count": _COUNT})),
            },
        ),
        "Status": _document(
            API_STATUS,
            {
                "chain_id": _COUNT,
                "registry": _ADDRESS,
                "head": {"type": "integer", "minimum": -1},
                "indexed_until": {"type": "integer", "minimum": -1},
                "indexed_hash": _HASH,
                "indexed_time": _or_null(_TIME),
                "lag_blocks": _COUNT,
                "unchecked": _COUNT,
                "records": _COUNT,
                "batches": _COUNT,
                "unread_batches": _COUNT,
                "deployment": _DEPLOYMENT,
            },
        ),
        "Evidence": _document(
            API_EVIDENCE,
            {
                "verdict_digest": _DIGEST,
                "files": _list(_object({"path": _TEXT, "size": _COUNT, "sha256": _DIGEST})),
            },
        ),
        "Leaves": _LEAVES,
        "Proof": _PROOF,
        "Problem": _PROBLEM,
        "OpenApi": {"type": "object", "required": ["openapi", "info", "paths"]},
    }
)

"""The table of the API's routes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.oracle.web.api.badge import Badges
from provenance_oracle.oracle.web.api.card import Cards
from provenance_oracle.oracle.web.api.figures import FigureAnswers
from provenance_oracle.oracle.web.api.kept import KeptThings
from provenance_oracle.oracle.web.api.name_answers import NameAnswers
from provenance_oracle.oracle.web.api.openapi import openapi_document
from provenance_oracle.oracle.web.api.parameters import (
    DIGEST_KIND,
    INDEX_KIND,
    PAGE_PARAMETERS,
    PATH_KIND,
    WORDS_KIND,
    Parameter,
)
from provenance_oracle.oracle.web.api.record_answers import RecordAnswers
from provenance_oracle.oracle.web.api.table import ApiRoute, Body
from provenance_oracle.verifier.policy import Policy

_DIGEST = Parameter(
    "digest", DIGEST_KIND, "A digest of model, manifest, verdict or report, or the id of a record or release."
)
_RECORD_ID = Parameter("record_id", DIGEST_KIND, "The id of a record or release.")
_NAMESPACE = Parameter("name", WORDS_KIND, "The part of a model's name before the slash.")
_IDENTITY = Parameter("digest", DIGEST_KIND, "The digest of a publisher's identity, as records have it.")
_POLICY = Parameter("digest", DIGEST_KIND, "The digest of a policy's page, as records have it.")
_VERDICT = Parameter("sha256", DIGEST_KIND, "The verdict digest of a record.")
_EVIDENCE = Parameter("digest", DIGEST_KIND, "A manifest digest, or the digest of the verdict on it.")
_ROOT = Parameter("root", DIGEST_KIND, "The root of a batch, as the registry's events name it.")


@dataclass(frozen=True)
class ApiSources:
    """What the API answers from.

    Attributes:
        index: for point reads, which the server's own thread does.
        slow_index: the same database opened once more, for reads in threads.
        journal: path or URL of the oracle's journal; "" if there is none here.
        evidence: folder of evidence; None for the default.
        policies: those whose page is shown.
    """

    index: RecordIndex
    slow_index: RecordIndex
    journal: str = ""
    evidence: Path | None = None
    policies: Sequence[Policy] = ()


def api_table(sources: ApiSources, version: str) -> Sequence[ApiRoute]:
    """Return the table. `version` is that of the program."""
    table = [*_record_routes(sources), *_name_routes(sources), *_kept_routes(sources), *_other_routes(sources)]
    table.append(ApiRoute("/openapi.json", "This document.", lambda: Body(document), schema="OpenApi"))
    document = json.dumps(openapi_document(table, version), indent=1).encode()
    return table


def _record_routes(sources: ApiSources) -> Sequence[ApiRoute]:
    records = RecordAnswers(sources.index, sources.slow_index)
    name = Parameter("name", WORDS_KIND, "namespace/model, or namespace/model@version.", is_required=True)
    text = Parameter("q", WORDS_KIND, "A digest, an id, a name, or beginnings of its words.", is_required=True)
    one = (_RECORD_ID,)
    return [
        ApiRoute(
            "/records/{digest}",
            "Every record to which a digest or id leads.",
            records.by_digest,
            (_DIGEST, *PAGE_PARAMETERS),
            "Records",
        ),
        ApiRoute(
            "/records", "The records of a name.", records.by_name, (name, *PAGE_PARAMETERS), "Records", is_slow=True
        ),
        ApiRoute("/recent", "The newest records.", records.recent, PAGE_PARAMETERS, "Records", is_slow=True),
        ApiRoute(
            "/search",
            "What a text leads to, and with what it was compared.",
            records.search,
            (text, *PAGE_PARAMETERS),
            "Search",
            is_slow=True,
        ),
        ApiRoute(
            "/records/{record_id}/history",
            "The events of a record, its namespace, and changes of the publisher between releases of its model.",
            records.history,
            one,
            "History",
            is_slow=True,
        ),
        ApiRoute(
            "/records/{record_id}/lineage",
            "The ancestors of a release, every edge among them, and a page of the releases made from it.",
            records.lineage,
            (*one, *PAGE_PARAMETERS),
            "Lineage",
            is_slow=True,
        ),
    ]


def _name_routes(sources: ApiSources) -> Sequence[ApiRoute]:
    names = NameAnswers(sources.index, sources.slow_index, sources.policies)
    claimed, space = "/namespaces/{name}", (_NAMESPACE,)
    return [
        ApiRoute(claimed, "A claimed namespace.", names.namespace, space, "Namespace", is_slow=True),
        ApiRoute(
            f"{claimed}/history",
            "Every entry of a namespace's history, with the heads that prove that none is missing.",
            names.namespace_history,
            space,
            "NamespaceHistory",
            is_slow=True,
        ),
        ApiRoute(
            f"{claimed}/records",
            "The records under a namespace.",
            names.namespace_records,
            (*space, *PAGE_PARAMETERS),
            "Records",
            is_slow=True,
        ),
        ApiRoute("/identities/{digest}", "A publisher's identity.", names.identity, (_IDENTITY,), "Identity"),
        ApiRoute(
            "/identities/{digest}/records",
            "The records of a publisher's identity.",
            names.identity_records,
            (_IDENTITY, *PAGE_PARAMETERS),
            "Records",
            is_slow=True,
        ),
        ApiRoute("/policies/{digest}", "A policy, with its rules if it is known.", names.policy, (_POLICY,), "Policy"),
        ApiRoute(
            "/policies/{digest}/records",
            "The records that were judged by a policy.",
            names.policy_records,
            (_POLICY, *PAGE_PARAMETERS),
            "Records",
            is_slow=True,
        ),
    ]


def _kept_routes(sources: ApiSources) -> Sequence[ApiRoute]:
    kept = KeptThings(sources.journal, sources.evidence, sources.slow_index)
    return [
        ApiRoute(
            "/verdicts/{sha256}",
            "A verdict, byte by byte as it was hashed.",
            kept.verdict,
            (_VERDICT,),
            is_slow=True,
        ),
        ApiRoute(
            "/evidence/{digest}",
            "The files of a release's provenance folder that the oracle kept, with their digests.",
            kept.evidence,
            (_EVIDENCE,),
            "Evidence",
            is_slow=True,
        ),
        ApiRoute(
            "/evidence/{digest}/{path}",
            "One kept file.",
            kept.evidence_file,
            (_EVIDENCE, Parameter("path", PATH_KIND, "A path as the list has it.")),
            media_type="application/octet-stream",
            is_slow=True,
        ),
        ApiRoute("/batches/{root}", "The records of a batch.", kept.batch, (_ROOT,), "Leaves", is_slow=True),
        ApiRoute(
            "/batches/{root}/{index}",
            "The proof that a record is in a batch, as `provenance proof` prints it.",
            kept.proof,
            (_ROOT, Parameter("index", INDEX_KIND, "The record's number in the batch, from 0.")),
            "Proof",
            is_slow=True,
        ),
    ]


def _other_routes(sources: ApiSources) -> Sequence[ApiRoute]:
    figures = FigureAnswers(sources.slow_index)
    badges, cards = Badges(sources.index), Cards(sources.slow_index)
    return [
        ApiRoute(
            "/statistics",
            "Counts by day, by oracle and by firmware.",
            figures.statistics,
            schema="Statistics",
            is_slow=True,
        ),
        ApiRoute("/status", "How far the index is.", figures.status, (), "Status", is_slow=True),
        ApiRoute(
            "/badge/{digest}.svg",
            "A badge that says how a release stands; one without a record has a badge too.",
            badges.badge,
            (_DIGEST,),
            media_type="image/svg+xml",
        ),
        ApiRoute(
            "/card/{record_id}.png",
            "The picture that others show beside a link to a record.",
            cards.card,
            (_RECORD_ID,),
            media_type="image/png",
            is_slow=True,
        ),
    ]

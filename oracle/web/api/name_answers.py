"""Answers about namespaces, publishers' identities and policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.oracle.index.rows import IndexedNamespace
from provenance_oracle.oracle.web.api.asking import number_of_cursor, reading_index
from provenance_oracle.oracle.web.api.documents import namespace_entry_json
from provenance_oracle.oracle.web.api.record_answers import records_body
from provenance_oracle.oracle.web.api.schemas import API_IDENTITY, API_NAMESPACE, API_NAMESPACE_HISTORY, API_POLICY
from provenance_oracle.oracle.web.api.table import Body, json_body
from provenance_oracle.verifier.documents.registry import namespace_json
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.codec import namespace_id
from provenance_oracle.verifier.strict.parse_yaml import parse_yaml
from provenance_oracle.verifier.text import printable

_LISTED = "an identity, policy or namespace that a record or the registry names"


class NameAnswers:
    """Answers from an index.

    Args:
        index: for point reads. slow_index: for what takes longer; see `RecordAnswers`.
        policies: those whose page is at hand.
    """

    def __init__(self, index: RecordIndex, slow_index: RecordIndex, policies: Iterable[Policy]) -> None:
        self._index = index
        self._slow_index = slow_index
        self._policies = {one.digest: one for one in policies}

    def namespace(self, name: str) -> Body:
        """Return the owner and the trusted publishers of a namespace. Raises RecordError if nobody claimed it."""
        return json_body({"schema": API_NAMESPACE, **namespace_json(self._claimed(name).namespace)})

    def namespace_history(self, name: str) -> Body:
        """Return every entry of a namespace's history, with the heads that prove that none is missing.

        Raises:
            RecordError: nobody claimed it.
        """
        found = self._claimed(name)
        return json_body(
            {
                "schema": API_NAMESPACE_HISTORY,
                "name": found.namespace.name,
                "namespace_id": namespace_id(found.namespace.name).hex(),
                "entries": [namespace_entry_json(one) for one in found.history],
                "head": f"{found.history[-1].head:064x}",
            }
        )

    def namespace_records(self, name: str, cursor: str | None, limit: int) -> Body:
        """Return the records under a namespace, newest first. Nobody need have claimed it."""
        question = f"namespace {name}"
        after = number_of_cursor(question, cursor)
        with reading_index():
            page = self._slow_index.by_namespace(name, after=after, limit=limit)
        return records_body(question, page, is_first=after is None)

    def identity(self, digest: bytes) -> Body:
        """Return how many records a publisher's identity has, and the namespaces that trust it.

        Raises:
            RecordError: nothing names it.
        """
        with reading_index():
            facts = self._index.identity(digest)
        if not facts.records and not facts.trusted_by:
            raise _unlisted("identity", digest.hex())
        namespaces = list(facts.trusted_by)
        return json_body(
            {"schema": API_IDENTITY, "digest": digest.hex(), "records": facts.records, "namespaces": namespaces}
        )

    def identity_records(self, digest: bytes, cursor: str | None, limit: int) -> Body:
        """Return the records of a publisher's identity, newest first."""
        question = f"identity {digest.hex()}"
        after = number_of_cursor(question, cursor)
        with reading_index():
            page = self._slow_index.by_identity(digest, after=after, limit=limit)
        return records_body(question, page, is_first=after is None)

    def policy(self, digest: bytes) -> Body:
        """Return what is known of a policy: its number on chain, and its page and rules if they are at hand.

        Raises:
            RecordError: nothing names it.
        """
        with reading_index():
            facts = self._index.policy(digest)
        known = self._policies.get(digest)
        if known is None and facts.number is None and not facts.records:
            raise _unlisted("policy", digest.hex())
        return json_body(
            {
                "schema": API_POLICY,
                "digest": digest.hex(),
                "number": facts.number,
                "records": facts.records,
                "name": known.name if known else None,
                "version": known.version if known else None,
                "date": known.date.isoformat() if known else None,
                "text": known.page.decode() if known else None,
                "rules": list(rules_of(known)) if known else None,
            }
        )

    def policy_records(self, digest: bytes, cursor: str | None, limit: int) -> Body:
        """Return the records that were judged by a policy, newest first."""
        question = f"policy {digest.hex()}"
        after = number_of_cursor(question, cursor)
        with reading_index():
            page = self._slow_index.by_policy(digest, after=after, limit=limit)
        return records_body(question, page, is_first=after is None)

    def _claimed(self, name: str) -> IndexedNamespace:
        with reading_index():
            found = self._slow_index.namespace(name)
        if found is None:
            raise _unlisted("claimed namespace", printable(name))
        return found


def rules_of(policy: Policy) -> Iterator[dict[str, object]]:
    """Yield the rules of a policy's page in its order: the way to each through the page, and its value."""
    page = parse_yaml(policy.page, policy.source)
    assert isinstance(page, Mapping)  # `parse_policy` made it
    yield from _flat("", page)


def _flat(prefix: str, value: Mapping[str, object]) -> Iterator[dict[str, object]]:
    for name, item in value.items():
        way = f"{prefix}{name}"
        if isinstance(item, Mapping):
            yield from _flat(f"{way}.", item)
        else:
            yield {"rule": way, "value": item}


def _unlisted(thing: str, name: str) -> RecordError:
    return RecordError(f"there is no such {thing}", where=name, got="nothing", wanted=_LISTED)

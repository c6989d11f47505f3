"""Nodes that lie about records: the reader believes nothing that the contract's state does not confirm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.errors import ProvenanceError, RecordError, TemporaryError
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.namespaces import NamespaceReader
from provenance_oracle.verifier.registry.reader import RegistryReader
from provenance_oracle.verifier.text import printable
from tests.support.chain_fixtures import DeployedRegistry, make_record
from tests.support.fake_nodes import lying, telling_calls, telling_logs, with_word

pytestmark = pytest.mark.chain

Read = Callable[[RegistryReader], object]

RECORD = make_record()
# Words of the event's data: standing, where the record begins, its length, the record.
STANDING_WORD, RECORD_START = 0, 2 + 64 * 3
READS: dict[str, Read] = {
    "entry": lambda reader: reader.entry(RECORD.manifest_digest),
    "entry_of": lambda reader: reader.entry_of(RECORD.model_digest, RECORD.manifest_digest),
    "match_record": lambda reader: reader.match_record(RECORD),
    "entries_of_model": lambda reader: reader.entries_of_model(RECORD.model_digest),
    "entries_of_name": lambda reader: reader.entries_of_name(RECORD.name),
}


def told(registry: DeployedRegistry, answer: Any, read: Read) -> object:
    with lying(registry, answer) as (url, _):
        return read(RegistryReader(url, registry.address))


def assert_temporary(registry: DeployedRegistry, answer: Any, *reads: str) -> None:
    for name in reads or READS:
        with pytest.raises(TemporaryError) as caught:
            told(registry, answer, READS[name])
        assert printable(str(caught.value), 5000) == str(caught.value)


def test_an_id_that_the_contract_keeps_and_the_node_does_not_tell_of_is_temporary(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    lies = (
        telling_logs("RecordPublished", lambda _logs: []),
        telling_logs("RecordPublished", lambda logs: [log | {"data": with_word(log["data"], 6, 1)} for log in logs]),
        telling_calls("contentOf", lambda data: with_word(data, 0, 1)),
    )
    for lie in lies:
        with pytest.raises(TemporaryError):
            told(registry, lie, lambda reader: reader.entries_of_id(record_id(RECORD)))


# Events


def changing_data(change: Callable[[str], str]) -> Any:
    return telling_logs("RecordPublished", lambda logs: [log | {"data": change(log["data"])} for log in logs])


@pytest.mark.parametrize("byte", [64, 96, 130, 170, 193, 197, 203, 210, 211, 214, 220, 224, 226, 234, 240, 247])
def test_a_record_with_another_byte_is_not_believed(registry: DeployedRegistry, byte: int) -> None:
    registry.publish(RECORD)

    def change(data: str) -> str:
        at = RECORD_START + 2 * byte
        return data[:at] + f"{int(data[at : at + 2], 16) ^ 1:02x}" + data[at + 2 :]

    # from byte 224 on the change is in the name, and a lookup by name then leaves the record out
    reads = [name for name in READS if name != "entries_of_name" or byte < 224]
    assert_temporary(registry, changing_data(change), *reads)


@pytest.mark.parametrize("lie", [b"example/modem", b"example/m\x1b[2m", b"\xff" * 13])
def test_a_record_of_another_name_is_not_believed(registry: DeployedRegistry, lie: bytes) -> None:
    registry.publish(RECORD)
    truth = RECORD.name.partition("/")[2].encode().hex()
    change = changing_data(lambda data: data.replace(truth, lie.hex()[-len(truth) :]))
    assert_temporary(registry, change, "entry", "match_record", "entries_of_model")


@pytest.mark.parametrize("bit", [0, 88, 104, 108, 111, 112, 152, 192, 240, 248])
def test_a_standing_with_another_bit_is_not_believed(registry: DeployedRegistry, bit: int) -> None:
    registry.publish(RECORD)
    change = changing_data(lambda data: with_word(data, STANDING_WORD, int(data[2:66], 16) ^ 1 << bit))
    assert_temporary(registry, change)


@pytest.mark.parametrize("word", [1, 2])
def test_an_event_that_the_abi_does_not_allow_is_not_believed(registry: DeployedRegistry, word: int) -> None:
    registry.publish(RECORD)
    assert_temporary(registry, changing_data(lambda data: with_word(data, word, 2**255)))


FOREIGN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another contract's": lambda log: {"address": "0x" + "77" * 20},
    "a later block's": lambda log: {"blockNumber": hex(10**6)},
    "another model's": lambda log: {"topics": [log["topics"][0], "0x" + "77" * 32, *log["topics"][2:]]},
    "another manifest's": lambda log: {"topics": [*log["topics"][:2], "0x" + "77" * 32, log["topics"][3]]},
    "another report's": lambda log: {"topics": [*log["topics"][:3], "0x" + "77" * 32]},
    "no block's": lambda log: {"blockNumber": None},
    "no place's": lambda log: {"logIndex": None},
    "no transaction's": lambda log: {"transactionHash": None},
    "a short transaction's": lambda log: {"transactionHash": "0x77"},
}


@pytest.mark.parametrize("whose", FOREIGN)
def test_an_event_that_nobody_asked_for_is_not_believed(registry: DeployedRegistry, whose: str) -> None:
    registry.publish(RECORD)
    change = FOREIGN[whose]
    assert_temporary(registry, telling_logs("RecordPublished", lambda logs: [log | change(log) for log in logs]))


def test_an_event_kept_back_is_missed_where_the_state_tells_of_it(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    silent = telling_logs("RecordPublished", lambda _logs: [])
    assert_temporary(registry, silent, "entry_of", "match_record")
    with pytest.raises(RecordError):  # a reader who knows only one digest cannot notice it
        told(registry, silent, READS["entry"])


def test_the_latest_judgement_kept_back_is_missed(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    registry.publish(replace(RECORD, revision=1, grade=0))
    assert_temporary(registry, telling_logs("RecordPublished", lambda logs: logs[:1]))
    assert_temporary(registry, telling_logs("RecordPublished", lambda logs: logs[::-1][1:]))


def test_the_order_in_which_events_are_told_does_not_matter(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    registry.publish(replace(RECORD, revision=1, grade=0))
    backwards = telling_logs("RecordPublished", lambda logs: logs[::-1])
    registry.publish(make_record(manifest_digest=b"\x22" * 32))  # with the same report
    others: tuple[Read, ...] = (lambda reader: reader.manifest_of_report(RECORD.snp_report_digest),)
    for read in (*READS.values(), *others):
        assert told(registry, backwards, read) == read(registry.reader())


def test_a_record_of_a_claimed_namespace_kept_back_is_missed(registry: DeployedRegistry) -> None:
    registry.claim("example", registry.stranger)
    registry.publish(RECORD)
    registry.publish(make_record(manifest_digest=b"\x22" * 32, version="2.0"))
    assert_temporary(registry, telling_logs("RecordPublished", lambda logs: logs[1:]), "entries_of_name")


# State


@pytest.mark.parametrize(
    "change",
    [
        lambda _data: "0x",
        lambda data: data[:-2],
        lambda data: with_word(data, 0, 2**40),
        lambda data: with_word(data, 1, 2**40 - 1),
        lambda data: with_word(data, 2, 2**40 - 1),
        lambda data: with_word(data, 3, 2),
        lambda data: with_word(data, 6, 2),
        lambda data: with_word(data, 7, 1),
        lambda data: with_word(data, 8, 3),
        lambda data: with_word(data, 8, 2),
        lambda data: with_word(data, 9, 2),
        lambda data: with_word(data, 10, 1),
        lambda data: with_word(data, 11, 2),
    ],
)
def test_an_impossible_standing_is_temporary(registry: DeployedRegistry, change: Callable[[str], str]) -> None:
    registry.publish(RECORD)
    assert_temporary(registry, telling_calls("standingOf", change), "entry", "entry_of", "match_record")


@pytest.mark.parametrize(
    ("function", "word", "value"),
    [("contentOf", 0, 0), ("contentOf", 0, 1), ("oracleAt", 0, 2**160), ("epochOf", 1, 256)],
)
def test_other_impossible_answers_are_temporary(
    registry: DeployedRegistry, function: str, word: int, value: int
) -> None:
    registry.publish(RECORD)
    assert_temporary(registry, telling_calls(function, lambda data: with_word(data, word, value)))


def test_a_call_that_reverts_without_reason_is_temporary(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    reverted = {"error": {"code": 3, "message": "execution reverted", "data": "0x"}}
    answer = telling_calls("standingOf", lambda _data: reverted)  # type: ignore[arg-type, return-value]
    assert_temporary(registry, answer, "entry", "entry_of", "match_record")


# Anything


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.one_of(
        st.binary(max_size=600).map(lambda data: "0x" + data.hex()),
        st.text(max_size=20),
        st.integers(),
        st.lists(st.integers(), max_size=3),
        st.fixed_dictionaries(
            {"error": st.dictionaries(st.sampled_from(["code", "message", "data"]), st.text(max_size=9))}
        ),
    )
)
def test_no_answer_escapes_the_failure_tree(told_by: ToldBy, told: Any) -> None:
    reader, names, entry, telling = told_by
    telling["answer"] = told
    reads: tuple[Callable[[], object], ...] = (
        *(lambda read=read: read(reader) for read in READS.values()),
        lambda: reader.manifest_of_report(RECORD.snp_report_digest),
        lambda: reader.policy_id(RECORD.policy_digest),
        lambda: reader.history(entry),
        lambda: reader.ancestors(entry),
        lambda: reader.namespace("example"),
        lambda: names.history("example", 1),
        lambda: reader.policy_id(RECORD.policy_digest, block=1),
        lambda: reader.seats(block=1, at=RECORD.judged_at),
        lambda: reader.records([entry.record_id]),
    )
    for read in reads:
        try:
            read()
        except ProvenanceError as error:
            assert isinstance(error, TemporaryError | RecordError)


ToldBy = tuple[RegistryReader, NamespaceReader, Entry, dict[str, Any]]


@pytest.fixture
def told_by(registry: DeployedRegistry) -> Iterator[ToldBy]:
    """Yield a reader of a node that is honest until the dictionary has an "answer", and then gives that answer."""
    registry.publish(RECORD)
    telling: dict[str, Any] = {}
    with lying(registry, lambda _method, _params, _truth: telling.get("answer")) as (url, _):
        reader = RegistryReader(url, registry.address)
        names = bytes.fromhex(registry.namespaces.address[2:])
        history = NamespaceReader(DeployedContract(reader.node, "Namespaces", names, "names"), 0)
        yield reader, history, reader.entry(RECORD.manifest_digest), telling

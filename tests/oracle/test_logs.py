"""Tests of the log: one id for each release, no control character, no secret, and a level that works."""

from __future__ import annotations

import io
import json
import logging
import threading
from contextvars import copy_context

import pytest

from provenance_oracle.oracle.logs import (
    JsonLines,
    TextLines,
    configure_logs,
    log_about,
    log_about_batch,
    log_id,
    set_level,
)
from provenance_oracle.verifier.errors import UsageError

LOG = logging.getLogger("provenance_oracle.oracle.some_room")
ID = log_id("folder", "acme/model", bytes(32))


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_an_id_is_the_same_at_every_start_and_begins_with_that_of_the_place() -> None:
    assert log_id("folder", "acme/model", bytes(32)) == ID
    assert ID.startswith(log_id("folder", "acme/model") + "-")
    assert log_id("folder", "acme/model") != log_id("folder/acme", "model")


def test_all_lines_about_a_release_have_its_id_and_the_others_have_none(stream: io.StringIO) -> None:
    configure_logs(stream, level="info", log_format="json")
    LOG.info("before")
    with log_about(ID):
        LOG.info("within")
        thread = threading.Thread(target=copy_context().run, args=(LOG.warning, "in a thread of the release"))
        thread.start()
        thread.join()
    LOG.info("after")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("release") for line in lines] == [None, ID, ID, None]
    assert [line["level"] for line in lines] == ["info", "info", "warning", "info"]
    assert lines[1]["logger"] == "oracle.some_room"
    assert lines[1]["time"].endswith("Z")


def test_lines_about_a_batch_have_its_number(stream: io.StringIO) -> None:
    configure_logs(stream, level="info", log_format="json")
    with log_about_batch(7):
        LOG.info("the batch")
        with log_about(ID):
            LOG.info("its release")
    LOG.info("after")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line.get("release"), line.get("batch")) for line in lines] == [(None, 7), (ID, 7), (None, None)]


def test_a_line_of_text_names_release_and_batch(stream: io.StringIO) -> None:
    configure_logs(stream, level="info", log_format="text")
    with log_about_batch(7):
        LOG.info("the batch")
        with log_about(ID):
            LOG.info("its release")
    ends = [line.partition("INFO    ")[2] for line in stream.getvalue().splitlines()]
    assert ends == ["[batch 7] the batch", f"[{ID}, batch 7] its release"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nothing_that_a_stranger_wrote_acts_on_the_terminal(stream: io.StringIO, log_format: str) -> None:
    configure_logs(stream, level="info", log_format=log_format)
    LOG.info("name \x1b[2J\nforged line\r\u202e %s", "\x9b31m")
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert not {"\x1b", "\r", "\u202e", "\x9b"} & set(text)
    assert "forged line" in text


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_is_shown_escaped_and_without_secrets(stream: io.StringIO, log_format: str) -> None:
    configure_logs(stream, level="debug", log_format=log_format)
    try:
        raise ValueError("at https://me:hunter2@node.example/v2/KEY?k=KEY \x1b[2J")
    except ValueError as error:
        LOG.debug("traceback", exc_info=error)
    text = stream.getvalue()
    assert "ValueError: at https://node.example" in text
    assert not any(word in text for word in ("KEY", "hunter2", "\x1b"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://node.example/v2/KEY", "https://node.example"),
        ("wss://me:KEY@node.example:8546/x", "wss://node.example:8546"),
        ("http://[::1]:8545/KEY", "http://[::1]:8545"),
        ("postgresql://me:KEY@db/journal", "postgresql://db"),
        ("s3://me:KEY@bucket/prefix", "s3://bucket/prefix"),
        ("hf://org/model", "hf://org/model"),
        ("https://node:port/KEY", "(an address that cannot be shown)"),
    ],
)
def test_an_address_is_shown_without_the_parts_that_may_hold_a_key(stream: io.StringIO, url: str, shown: str) -> None:
    configure_logs(stream, level="info", log_format="text")
    LOG.info("asked %s and waited", url)
    assert stream.getvalue().endswith(f"asked {shown} and waited\n")


def test_the_level_holds_at_once_and_libraries_stay_quiet(stream: io.StringIO) -> None:
    configure_logs(stream, level="warning", log_format="text")
    LOG.info("not shown")
    set_level("debug")
    LOG.debug("shown")
    logging.getLogger("urllib3").debug("GET /v2/KEY")
    assert stream.getvalue().splitlines()[0].endswith("shown")
    assert len(stream.getvalue().splitlines()) == 1


def test_a_second_call_replaces_the_first(stream: io.StringIO) -> None:
    configure_logs(io.StringIO(), level="info", log_format="text")
    configure_logs(stream, level="info", log_format="json")
    ours = [one for one in logging.getLogger().handlers if isinstance(one.formatter, TextLines | JsonLines)]
    assert len(ours) == 1


@pytest.mark.parametrize(("level", "log_format"), [("loud", "text"), ("info", "xml")])
def test_other_words_are_refused(level: str, log_format: str) -> None:
    with pytest.raises(UsageError, match="wanted"):
        configure_logs(io.StringIO(), level=level, log_format=log_format)

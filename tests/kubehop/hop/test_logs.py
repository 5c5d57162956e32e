"""Logs: the line of a hop, events, both forms, what must not get through."""

from __future__ import annotations

import io
import json
import logging
import re
import time

import pytest

from kubehop.hop import logs


@pytest.fixture(autouse=True)
def restore():
    """Leave the process's logging as it was."""
    level = logging.getLogger().level
    yield
    logs.structlog.reset_defaults()
    logs._state = None
    for handler in [handler for handler in logging.getLogger().handlers if isinstance(handler, logs._LibraryHandler)]:
        logging.getLogger().removeHandler(handler)
    logging.getLogger().setLevel(level)


def configured(**settings: str) -> io.StringIO:
    stream = io.StringIO()
    logs.configure("storage", logs.LogSettings(**settings), stream=stream)
    return stream


def hop(**fields: object) -> None:
    writer = logs.hops()
    assert writer is not None
    writer.write(
        audit_id="0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        method="Get",
        verdict="ok",
        seconds=0.00123,
        bytes_in=12,
        bytes_out=3456,
        fields=fields,
    )


def test_hop_line_as_text() -> None:
    """Time, stage, short audit id, method, verdict, duration, sizes, fields, in columns."""
    stream = configured()
    hop(user="jane", empty="", nothing=None)
    logs.flush()
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3}  storage         0f1e2d3c  Get             ok             1.23 ms"
        r"      12>3456     user=jane\n",
        stream.getvalue(),
    )


def test_hop_line_as_json() -> None:
    """The same with full audit id, machine-readable."""
    stream = configured(format="json")
    hop(user="jane", groups={"b", "a"})
    logs.flush()
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "stage": "storage",
        "event": "hop",
        "audit_id": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "method": "Get",
        "verdict": "ok",
        "duration_ms": 1.23,
        "bytes_in": 12,
        "bytes_out": 3456,
        "user": "jane",
        "groups": ["a", "b"],
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_masked(form: str) -> None:
    """A field that is named like a secret never shows its value."""
    stream = configured(format=form)
    hop(token="s3cret", user="jane")
    logs.get().info("login", password="s3cret")
    logs.flush()
    assert "s3cret" not in stream.getvalue()
    assert stream.getvalue().count("***") == 2


def test_values_cannot_forge_lines() -> None:
    """Line feeds, escape sequences, spaces and quotes of a client's value are quoted."""
    stream = configured()
    hop(user='x\n00:00:00.000  storage \x1b[31m "y"')
    logs.flush()
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()
    assert r"user=\"x\n" in stream.getvalue() or r'user="x\n' in stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_exceptions_are_logged_whole(form: str) -> None:
    """The traceback is in the log, in JSON within the one line."""
    stream = configured(format=form)
    try:
        raise KeyError("lost")
    except KeyError:
        logs.get(audit_id="abc").exception("failed")
    text = stream.getvalue()
    assert "Traceback (most recent call last)" in text
    assert "KeyError: 'lost'" in text
    if form == "json":
        assert text.count("\n") == 1
        assert json.loads(text)["level"] == "error"


def test_level() -> None:
    """Below the level nothing is formatted or written."""
    stream = configured(level="warning")
    writer = logs.hops()
    assert writer is not None
    assert not writer.enabled
    logs.get().info("quiet")
    logs.get().warning("loud")
    assert "quiet" not in stream.getvalue()
    assert "WARNING: loud" in stream.getvalue()


def test_libraries_log_into_the_same_stream() -> None:
    """Warnings that a library writes through logging arrive too, its information does not."""
    stream = configured()
    logging.getLogger("somelib").warning("careful %s", "now")
    logging.getLogger("somelib").info("chatter")
    assert "WARNING: careful now  logger=somelib" in stream.getvalue().replace('"', "")
    assert "chatter" not in stream.getvalue()


def test_reader_that_has_gone() -> None:
    """A closed stream does not stop the process."""
    stream = configured()
    stream.close()
    logs.get().warning("into the void")


async def test_lines_are_collected() -> None:
    """In a running loop lines wait for one another briefly; severe ones are written at once."""
    stream = configured()
    hop()
    assert stream.getvalue() == ""
    logs.get().error("now")
    assert stream.getvalue().count("\n") == 2


@pytest.mark.parametrize("form", ["text", "json"])
def test_line_is_cheap(form: str) -> None:
    """A hop's line costs far less than the hop: well below 15 µs, given ample room for a busy machine."""
    configured(format=form)
    hop(user="jane")
    best = min(timed(lambda: hop(user="jane", key="/registry/configmaps/default/a")) for _ in range(20))
    assert best < 60e-6


def timed(action) -> float:
    began = time.process_time()
    for _ in range(200):
        action()
    return (time.process_time() - began) / 200

"""Logs of a process: structlog for events, and one line per hop that costs microseconds.

`__main__` of each stage calls `configure` once; everybody else asks `get()` for a logger. `kubehop.hop.dispatch` writes
the line of each hop through `HopLog`, which formats it by hand because it is on the path of every call. Lines leave
through one buffered `Sink` on standard error. The text form is aligned, so that the logs of several stages, read
together, tell the story of a request; the JSON form holds the same fields in full.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
import time
import traceback
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TextIO, cast

import orjson

# structlog imports rich where it is installed, for coloured tracebacks that are not used here: 5 MB in every stage.
_HIDE_RICH = "rich" not in sys.modules
if _HIDE_RICH:
    sys.modules["rich"] = cast("Any", None)
import structlog  # noqa: E402 - see above

if _HIDE_RICH:
    del sys.modules["rich"]

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
FLUSH_SECONDS: Final = 0.05
"""How long a line of a running process may wait for others before it is written."""
_FLUSH_CHARACTERS = 32 * 1024
_SECRET_KEYS = frozenset({"authorization", "bearer", "password", "private_key", "secret", "token"})
_MASK = "***"
_BARE = {"": '""'}


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How a process logs."""

    format: Literal["text", "json"] = "text"
    """text is aligned for people, json holds one object a line for machines."""
    level: str = "info"
    """Least severe level that is written: debug, info, warning or error. The line of a hop is info."""


class Sink:
    """Collects lines and writes them together; used from the event loop, safe from other threads."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, line: str, *, now: bool = False) -> None:
        """Take one line, without its line feed; `now` writes it and all before it at once."""
        self._lines.append(line)
        self._size += len(line)
        if now or self._size > _FLUSH_CHARACTERS:
            self.flush()
        elif self._timer is None:
            try:
                self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
            except RuntimeError:  # no event loop here: nobody would flush later
                self.flush()

    def flush(self) -> None:
        """Write what has been collected."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._lines:
            return
        lines, self._lines, self._size = self._lines, [], 0
        lines.append("")
        stream = sys.stderr if self._stream is None else self._stream
        try:
            stream.write("\n".join(lines))
            stream.flush()
        except (OSError, ValueError):  # the reader of our log has gone: that must not stop the stage
            self._lines.clear()


class _Clock:
    """Formats times, remembering the part that changes once a second."""

    __slots__ = ("_local", "_second", "_utc")

    def __init__(self) -> None:
        self._second = -1
        self._local = self._utc = ""

    def _turn(self, second: int) -> None:
        self._second = second
        self._local = time.strftime("%H:%M:%S", time.localtime(second))
        self._utc = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))

    def text(self, now: float) -> str:
        second = int(now)
        if second != self._second:
            self._turn(second)
        return f"{self._local}.{int((now - second) * 1000):03d}"

    def iso(self, now: float) -> str:
        second = int(now)
        if second != self._second:
            self._turn(second)
        return f"{self._utc}.{int((now - second) * 1_000_000):06d}Z"


def _text_value(key: str, value: object) -> str:
    """A value as one printable word; what a client sent cannot break the line or colour the terminal."""
    if key in _SECRET_KEYS:
        return _MASK
    text = value if isinstance(value, str) else str(value)
    if text.isprintable() and " " not in text and '"' not in text and text:
        return text
    return _BARE.get(text) or orjson.dumps(text).decode(errors="replace").replace("\x7f", "\\u007f")


def _text_fields(fields: Mapping[str, object]) -> str:
    return "".join(
        [f"  {key}={_text_value(key, value)}" for key, value in fields.items() if value is not None and value != ""]
    )


def _json_default(value: object) -> object:
    return sorted(value, key=str) if isinstance(value, set | frozenset) else str(value)


def _json_line(fields: Mapping[str, object]) -> str:
    masked = {key: _MASK if key in _SECRET_KEYS else value for key, value in fields.items()}
    return orjson.dumps(masked, default=_json_default, option=orjson.OPT_NON_STR_KEYS).decode()


class HopLog:
    """Writes the line of each hop that this process served."""

    __slots__ = ("_clock", "_json", "_sink", "_stage", "enabled")

    def __init__(self, sink: Sink, stage: str, settings: LogSettings) -> None:
        self._sink = sink
        self._stage = stage
        self._json = settings.format == "json"
        self._clock = _Clock()
        self.enabled = LEVELS[settings.level] <= logging.INFO
        """False where info is below the level: callers then skip all that a line needs."""

    def write(
        self,
        *,
        audit_id: str,
        method: str,
        verdict: str,
        seconds: float,
        bytes_in: int,
        bytes_out: int,
        fields: Mapping[str, object],
    ) -> None:
        """One hop: `method` by its short name, `verdict` the servicer's or else the outcome's code; payload sizes."""
        now = time.time()
        if self._json:
            self._sink.write(
                _json_line(
                    {
                        "time": self._clock.iso(now),
                        "level": "info",
                        "stage": self._stage,
                        "event": "hop",
                        "audit_id": audit_id,
                        "method": method,
                        "verdict": verdict,
                        "duration_ms": round(seconds * 1000, 3),
                        "bytes_in": bytes_in,
                        "bytes_out": bytes_out,
                        **fields,
                    }
                )
            )
            return
        self._sink.write(
            f"{self._clock.text(now)}  {self._stage:<14}  {audit_id[:8]:<8}  {method:<14}  {verdict:<10}"
            f"{seconds * 1000:>9.2f} ms {bytes_in:>7}>{bytes_out:<7}{_text_fields(fields) if fields else ''}"
        )


class _Renderer:
    """Last structlog processor: hands the finished line to the sink and drops the event."""

    def __init__(self, sink: Sink, stage: str, settings: LogSettings) -> None:
        self._sink = sink
        self._stage = stage
        self._json = settings.format == "json"
        self._clock = _Clock()

    def __call__(self, _logger: Any, level: str, event: MutableMapping[str, Any]) -> str:
        now = time.time()
        text = str(event.pop("event", ""))
        trace = _traceback(event.pop("exc_info", None))
        severe = level not in ("debug", "info")
        if self._json:
            fields = {"time": self._clock.iso(now), "level": level, "stage": self._stage, "event": text, **event}
            if trace:
                fields["traceback"] = trace
            line = _json_line(fields)
        else:
            audit_id = str(event.pop("audit_id", ""))[:8]
            mark = f"{level.upper()}: " if severe else ""
            printable = text if text.isprintable() else _text_value("", text)
            line = f"{self._clock.text(now)}  {self._stage:<14}  {audit_id:<8}  {mark}{printable}{_text_fields(event)}"
            if trace:
                line += "\n" + "\n".join("    " + part for part in trace.splitlines())
        self._sink.write(line, now=severe)
        raise structlog.DropEvent


def _traceback(info: object) -> str:
    if not info:
        return ""
    if isinstance(info, BaseException):
        error: BaseException | None = info
    elif isinstance(info, tuple):
        error = info[1]
    else:
        error = sys.exc_info()[1]
    return "" if error is None else "".join(traceback.format_exception(error)).rstrip()


class _LibraryHandler(logging.Handler):
    """Brings what libraries log into the same stream."""

    def __init__(self, renderer: _Renderer) -> None:
        super().__init__()
        self._renderer = renderer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._renderer(
                None,
                record.levelname.lower(),
                {"event": record.getMessage(), "logger": record.name, "exc_info": record.exc_info},
            )
        except structlog.DropEvent:
            pass
        except Exception:
            self.handleError(record)


@dataclass(slots=True)
class _State:
    sink: Sink
    hops: HopLog


_state: _State | None = None


def configure(stage: str, settings: LogSettings | None = None, *, stream: TextIO | None = None) -> None:
    """Set up this process's logs under the name `stage`; a later call replaces the set-up of an earlier one.

    Lines go to `stream`, standard error unless given. What libraries log through `logging` arrives there too, from
    warning on.
    """
    global _state  # noqa: PLW0603 - a process has one log
    settings = settings or LogSettings()
    level = LEVELS[settings.level]
    if _state is not None:
        _state.sink.flush()
    sink = Sink(stream)
    renderer = _Renderer(sink, stage, settings)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _LibraryHandler)]:
        root.removeHandler(handler)
    root.addHandler(_LibraryHandler(renderer))
    root.setLevel(max(level, logging.WARNING))
    if _state is None:
        atexit.register(flush)
    _state = _State(sink, HopLog(sink, stage, settings))


def get(**bound: object) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines carry the fields `bound`."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(**bound))


def hops() -> HopLog | None:
    """The writer of hop lines, None in a process that never called `configure` (tests, tools)."""
    return None if _state is None else _state.hops


def flush() -> None:
    """Write what is still collected; a process does so at its end by itself."""
    if _state is not None:
        _state.sink.flush()

"""Continue tokens of kube-apiserver's form: where the next page begins, and at which revision.

Source: kubernetes/apiserver pkg/storage/continue.go; tokens of either server can be used with the other.
"""

from __future__ import annotations

import base64
import binascii
import json
import posixpath
from typing import NamedTuple

import orjson

from services.storage.errors import InvalidError

LATEST = -1
"""Revision of a token that goes on with the present, after the one of the first page has expired."""


class Continuation(NamedTuple):
    """The next page."""

    start: str
    """First key that may be in it."""
    revision: int
    """Revision of all pages; LATEST for whatever is current."""


def encode(start: str, prefix: str, revision: int) -> str:
    """Make a token; start is below prefix."""
    token = {"v": "meta.k8s.io/v1", "rv": revision, "start": start[len(prefix) :]}
    return base64.urlsafe_b64encode(orjson.dumps(token)).rstrip(b"=").decode()


def decode(token: str, prefix: str) -> Continuation:
    """Read a token.

    Raises:
        InvalidError: it is none, or leads out of the collection.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        at = next((i for i, c in enumerate(token) if not (c.isascii() and (c.isalnum() or c in "-_"))), len(token))
        raise _invalid(f"illegal base64 data at input byte {at}") from None
    try:
        # not orjson: the first wrong character is part of the message
        text = raw.decode("utf-8", "replace")
        content = json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text):
            raise _invalid("unexpected end of JSON input") from None
        wrong = f"invalid character {_quoted(text[error.pos])} looking for beginning of value"
        raise _invalid(wrong) from None
    if not isinstance(content, dict):
        raise _invalid("json: cannot unmarshal into Go value of type storage.continueToken")
    version, revision, start = content.get("v", ""), content.get("rv", 0), content.get("start", "")
    if version != "meta.k8s.io/v1":
        raise InvalidError(
            "invalid continue token: continue key is not valid: "
            f"server does not recognize this encoded version {version}"
        )
    if not isinstance(revision, int) or revision == 0:
        raise InvalidError(
            "invalid continue token: continue key is not valid: "
            "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"
        )
    if not isinstance(start, str) or not start:
        raise InvalidError(
            "invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)"
        )
    # a client must not reach beyond the collection it may read
    rooted = start if start.startswith("/") else "/" + start
    if posixpath.normpath(rooted) != rooted or rooted.startswith("//"):
        raise _invalid(start)
    return Continuation(prefix + rooted[1:], revision if revision > 0 else LATEST)


def _invalid(why: str) -> InvalidError:
    return InvalidError(f"invalid continue token: continue key is not valid: {why}")


def _quoted(character: str) -> str:
    return f"'{character}'" if character.isprintable() else repr(character)

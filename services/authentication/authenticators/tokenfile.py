"""Static bearer tokens from a file: token,user,uid,"group1,group2".

As kube-apiserver's token/tokenfile, with one difference that operators ask for: the file is read again when it
changes. The tokens themselves appear in no reason, log or error.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from services.authentication.files import BadFileError, WatchedFile
from services.authentication.go_csv import CSVError, records
from services.authentication.identity import Credentials, Finding, User, authenticated, no_opinion


@dataclass(frozen=True, slots=True)
class TokenTable:
    """What a token file says."""

    users: dict[str, User] = field(repr=False)
    """User of each token."""
    warnings: tuple[str, ...] = ()
    """What kube-apiserver warns about: empty and duplicate tokens, by record number."""


def parse(path: str, data: bytes) -> TokenTable:
    """Read a token file. Raises BadFileError with kube-apiserver's text."""
    users: dict[str, User] = {}
    warnings: list[str] = []
    try:
        for number, record in enumerate(records(data), start=1):
            if len(record) < 3:
                columns = "at least 3 columns (token, user name, user uid)"
                raise BadFileError(f"token file '{path}' must have {columns}, found {len(record)}")
            # bytes that are no UTF-8 cannot arrive in a request either: such a token is kept and never matches
            token = record[0].decode("utf-8", "surrogateescape")
            if not token:
                warnings.append(f"empty token has been found in token file '{path}', record number '{number}'")
                continue
            if token in users:
                warnings.append(f"duplicate token has been found in token file '{path}', record number '{number}'")
            username, uid, *rest = (column.decode("utf-8", "replace") for column in record[1:4])
            users[token] = User(username, uid, tuple(rest[0].split(",")) if rest else ())
    except CSVError as error:
        raise BadFileError(str(error)) from error
    return TokenTable(users, tuple(warnings))


class TokenFileAuthenticator:
    """Looks tokens up in the file; agnostic of audiences, so that it answers with those of the API server."""

    name = "tokenfile"

    def __init__(self, file: WatchedFile[TokenTable], api_audiences: tuple[str, ...]) -> None:
        """Answer from the file's current content, for these audiences of the API server."""
        self._file = file
        self._api_audiences = api_audiences

    def authenticate_token(self, token: str, credentials: Credentials) -> Finding:
        """Name the user of the token, unless the caller accepts none of the API server's audiences."""
        # as authenticator.WrapAudienceAgnosticToken: a token without audiences is good for the API server's own
        audiences = tuple(audience for audience in credentials.audiences if audience in self._api_audiences)
        if credentials.audiences and not audiences:
            return no_opinion("the token file serves none of the audiences asked for")
        user = self._file.value.users.get(token)
        return no_opinion("no such token") if user is None else authenticated(user, audiences)

"""Connect to a PostgreSQL server, and tell its failures apart: the operator's, those that pass, and bugs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError, naming_extras
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    import psycopg

_PORTS = re.compile(r"[0-9,]*")
# The first two characters of SQLSTATE (PostgreSQL 15 documentation, appendix A).
_PASSING = {
    "08": "the connection to the server failed",
    "25": "the server is read-only now",
    "40": "another process changed the same rows",
    "53": "the server lacks disk, memory or connections",
    "55": "another process holds the journal's lock",
    "57": "the server stopped the statement or is stopping",
    "58": "the server's disk fails",
}
_OURS = {
    "28": "the server refuses user or password; correct the URL, PGPASSWORD or ~/.pgpass",
    "3D": "there is no such database; make it with `createdb`",
    "3F": "there is no such schema; make it, or correct the search path",
    "42": "the tables cannot be used; give this user the rights to them, or restore a backup (`provenance restore`)",
    "XX": "the server says that its data is damaged; restore a backup (`provenance restore`)",
}
# Ours although of class 42: a statement that no server takes is a bug.
_BUGS = ("42601", "42703", "42804", "42883", "42P18")


def failure_of(error: psycopg.Error, where: str) -> ProvenanceError | None:
    """Return our error for one of the server; None for a bug of ours.

    Raises nothing. `where` names the server in the message. The server's own words follow; they hold no password.
    """
    import psycopg

    state = error.sqlstate or ""
    said = printable(" ".join(str(error).split()))
    if state in _BUGS:
        return None
    if state[:2] in _OURS:
        return UsageError(_OURS[state[:2]], where=where, got=said)
    if state[:2] in _PASSING:
        return TemporaryError(f"the journal cannot be used: {_PASSING[state[:2]]}", where=where, got=said)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not state:
        return TemporaryError("the connection to the journal's server failed", where=where, got=said)
    return None


class PostgresPlace:
    """The server and database that a URL names.

    Raises:
        UsageError: the URL is not one that libpq takes, or the extra `postgres` is missing.
    """

    def __init__(self, url: str) -> None:
        with naming_extras():
            import psycopg
        from psycopg.conninfo import conninfo_to_dict

        self.error = psycopg.Error
        self.lost = (psycopg.OperationalError, psycopg.InterfaceError)
        try:
            self._facts: Mapping[str, Any] = conninfo_to_dict(url)
            is_good = _is_plain(self._facts)
        except psycopg.Error:
            is_good = False
        if not is_good:
            raise UsageError(  # without the parser's words, which can hold the password
                "the journal's URL cannot be read",
                where="journal",
                got="a URL that libpq does not take",
                wanted="postgresql://USER@HOST:PORT/DATABASE; write % as %25 and @ as %40 in user and password",
            )

    @property
    def where(self) -> str:
        """User, host, port and database as a URL without the password."""
        user, host, port, base = (str(self._facts.get(name) or "") for name in ("user", "host", "port", "dbname"))
        place = f"{host}:{port}" if port else host
        return printable(f"postgresql://{user}@{place}/{base}" if user else f"postgresql://{place}/{base}")

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn the server's failures in the block into ours, and no bug of ours; see `failure_of`."""
        with naming_extras():
            try:
                yield
            except self.error as error:
                ours = failure_of(error, self.where)
                if ours is None:
                    raise
                raise ours from error

    def connect(self, options: str, defaults: Mapping[str, Any], *, first: bool = False) -> psycopg.Connection[Any]:
        """Open a connection whose rows have the names of their columns, and whose statements commit by themselves.

        Args:
            options: options of the server's session. Those in the URL come after them.
            defaults: parameters of libpq that apply unless the URL has them.
            first: whether the program starts. A refusal by a server that answers is then the operator's to mend.

        Raises:
            UsageError: with `first`, the server answers and refuses. TemporaryError: any other failure.
        """
        import psycopg
        from psycopg.rows import dict_row

        facts = {**defaults, **self._facts, "options": f"{options} {self._facts.get('options') or ''}".strip()}
        try:
            return psycopg.connect("", **facts, autocommit=True, row_factory=dict_row)
        except psycopg.OperationalError as error:
            said = printable(" ".join(str(error).split()))
            if first and self._answers():
                raise UsageError(
                    "the server refuses the connection; correct user, password and database in the journal's URL,"
                    " or make the database with `createdb`",
                    where=self.where,
                    got=said,
                    wanted="a database that this user may write",
                ) from error
            raise TemporaryError("the journal's server does not answer", where=self.where, got=said) from error

    def _answers(self) -> bool:
        """Return whether the server accepts connections, whoever asks (libpq's PQping)."""
        from psycopg.conninfo import make_conninfo
        from psycopg.pq import PGconn, Ping

        return PGconn.ping(make_conninfo("", **self._facts, connect_timeout=5).encode()) == Ping.OK

    @staticmethod
    def in_transaction(connection: psycopg.Connection[Any]) -> bool:
        """Return whether a connection has a transaction open that can still be used or taken back."""
        from psycopg.pq import TransactionStatus

        return connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def _is_plain(facts: Mapping[str, Any]) -> bool:
    """Return whether no part of a password that was not quoted can stand in the host, port or database."""
    places = [str(facts.get(name) or "") for name in ("host", "hostaddr", "user", "dbname")]
    return (
        not any("@" in place or ":" in place.strip("[]") for place in places[:1] + places[2:])
        and _PORTS.fullmatch(str(facts.get("port") or "")) is not None
    )

"""A private PostgreSQL server in a temporary folder, for tests. It stops with them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "p@ss/word%1"
_NUMBERS = count(1)
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server. The superuser `oracle` has a password."""

    bin: Path
    folder: Path
    port: int

    def url(self, database: str, *, user: str = "oracle", password: str = PASSWORD) -> str:
        from urllib.parse import quote

        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def new_place(self) -> str:
        """Make an empty schema and return the URL of a journal in it."""
        name = f"journal_{next(_NUMBERS)}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"{self.url('postgres')}?options=-csearch_path%3D{name}"

    def execute(self, sql: str, *values: object, place: str = "") -> list[Any]:
        """Run one statement as another program can, by default in the database `postgres`, and return its rows."""
        import psycopg

        with psycopg.connect(place or self.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def control(self, *words: str) -> None:
        """Run `pg_ctl` on the server: stop, start, restart."""
        command = [str(self.bin / "pg_ctl"), "-D", str(self.folder / "data"), "-w", "-m", "fast", *words]
        command = [word for word in command if words[0] != "start" or word not in ("-m", "fast")]
        log = ["-l", str(self.folder / "log")] if words[0] in ("start", "restart") else []
        _run_unprivileged([*command[:3], *log, *command[3:]])


def find_postgres() -> Path | None:
    """Return the folder of the newest server's programs; None if there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    named = shutil.which("initdb")
    found += [Path(named).parent] if named else []
    return max(found, default=None, key=lambda path: (len(path.parts), str(path)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Yield a server for the whole session, or skip."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL server; install the package postgresql")
    pytest.importorskip("psycopg", reason="no psycopg; install the extra postgres")
    with run_postgres(programs) as server:
        yield server


@contextmanager
def run_postgres(programs: Path) -> Iterator[PostgresServer]:
    """Start a server with a superuser `oracle`, and stop it at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="provenance-postgres-"))
    try:
        _give_away(folder)
        password = folder / "password"
        password.write_text(PASSWORD)
        _give_away(password)
        data = folder / "data"
        arguments = [
            "-U",
            "oracle",
            "--pwfile",
            str(password),
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale",
            "C.UTF-8",
        ]
        _run_unprivileged([str(programs / "initdb"), "-D", str(data), "--no-sync", *arguments])
        port = _free_port()
        lines = [f"{name} = '{value}'" for name, value in _SETTINGS.items()]
        with (data / "postgresql.conf").open("a") as file:
            file.write("\n".join([*lines, f"port = {port}", f"unix_socket_directories = '{folder}'", ""]))
        server = PostgresServer(programs, folder, port)
        server.control("start")
        try:
            yield server
        finally:
            server.control("stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unprivileged() -> pwd.struct_passwd | None:
    """Return the user for the server, which refuses to run as root; None for the present user."""
    if os.geteuid():
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _give_away(path: Path) -> None:
    user = _unprivileged()
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def _run_unprivileged(command: list[str]) -> None:
    user = _unprivileged()
    options: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

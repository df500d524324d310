#!/usr/bin/env python3
"""PostgreSQL on this machine, without Docker: a cluster of its own on a free loopback port.

`postgres.py start|stop|restart|kill|status [--state DIR] [--json]`. Needs PostgreSQL's programs; root lends itself
the user `postgres`, because PostgreSQL refuses root.
"""

import os
import pwd
import shutil
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from local_servers.cache import run, tool
from local_servers.command import main
from local_servers.processes import as_user
from local_servers.recipe import Address, Record, ServerError

ROLE = "clearframe"
ROOT_STATE = Path("/var/lib/postgresql/clearframe")
REMEDY = "install PostgreSQL 15 or newer (Debian: postgresql)"


class Postgres:
    """The recipe."""

    name = "postgres"
    ports = 1
    stop_signal = signal.SIGINT
    patience = 20.0

    def __init__(self) -> None:
        self.user = "postgres" if os.geteuid() == 0 else None

    def install(self) -> None:
        """Finds the programs."""
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
        self._bin = Path(tool("initdb", REMEDY, *folders)).resolve().parent
        if self.user and not any(entry.pw_name == self.user for entry in pwd.getpwall()):
            raise ServerError(f"PostgreSQL refuses root and there is no user postgres; {REMEDY}")

    def prepare(self, state: Path, record: Record) -> None:
        """Makes the cluster of a fresh state, owned by whom it runs as."""
        if self.user:
            _hand_over(state, self.user)
        if not (state / "data" / "PG_VERSION").exists():
            shutil.rmtree(state / "data", ignore_errors=True)
            self._make_cluster(state, record.secret)

    def command(self, state: Path, record: Record) -> list[str]:
        """The server in the foreground."""
        set_to = {
            "listen_addresses": "127.0.0.1",
            "port": str(record.port),
            "unix_socket_directories": "",
            "max_connections": "300",
        }
        options = [word for name, value in set_to.items() for word in ("-c", f"{name}={value}")]
        return [str(self._bin / "postgres"), "-D", str(state / "data"), *options]

    def is_ready(self, state: Path, record: Record, said: str) -> bool:
        """It says so itself; `ready` stands in the log once a start, recovery or not."""
        return "database system is ready to accept connections" in said

    def finish(self, state: Path, record: Record) -> None:
        """Makes the database of the address, the first time."""
        address = f"postgresql://{ROLE}:{record.secret}@127.0.0.1:{record.port}/postgres"
        psql = [str(self._bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", address, "-c"]
        if not run([*psql, f"SELECT 1 FROM pg_database WHERE datname = '{ROLE}'"]).strip():
            run([*psql, f"CREATE DATABASE {ROLE}"])

    def address(self, record: Record) -> Address:
        """`postgresql://clearframe:<password>@127.0.0.1:<port>/clearframe`"""
        url = f"postgresql://{ROLE}:{record.secret}@127.0.0.1:{record.port}/{ROLE}"
        return Address(url, {"CLEARFRAME_STORE": url})

    def _make_cluster(self, state: Path, password: str) -> None:
        kept = state / "password"
        kept.touch(mode=0o600)
        kept.write_text(password)
        if self.user:
            shutil.chown(kept, self.user)
        how = ["--auth=scram-sha-256", f"--pwfile={kept}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        run([str(self._bin / "initdb"), "-D", str(state / "data"), "-U", ROLE, *how], cwd=state, **as_user(self.user))
        kept.unlink()


def _hand_over(state: Path, user: str) -> None:
    shutil.chown(state, user)
    closed = [parent for parent in state.parents if not parent.stat().st_mode & 0o001]
    if closed:
        raise ServerError(f"the user {user} may not enter {closed[0]}; take a --state elsewhere")


if __name__ == "__main__":
    main(Postgres(), state=ROOT_STATE if os.geteuid() == 0 else None)

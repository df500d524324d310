#!/usr/bin/env python3
"""Runs a command with Kafka, PostgreSQL and S3 beside it, and stops them after it: `with_servers.py COMMAND...`.

A server that `CLEARFRAME_TEST_KAFKA`, `_POSTGRES` or `_S3` already names is taken as it is. The rest are started from
`deploy/*-local/` in a folder of their own (`CLEARFRAME_TEST_STATE`, or a temporary one) and named likewise.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = {name: HERE / f"{name}-local" / f"{name}.py" for name in ("kafka", "postgres", "s3")}


def main(command: list[str]) -> int:
    """The exit code of the command."""
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = [name for name in SCRIPTS if variable(name) not in os.environ]
    with state_folder() as folder:
        try:
            with ThreadPoolExecutor() as pool:
                found = list(pool.map(lambda name: start(name, folder / name), wanted))
            env = {name: value for one in found for name, value in one.items()}
            return run(command, {**os.environ, **env})
        finally:
            for name in wanted:
                subprocess.run([sys.executable, SCRIPTS[name], "stop", "--state", folder / name], check=False)


def run(command: list[str], env: dict[str, str]) -> int:
    """The exit code. Told to end, it interrupts the command, which can then clear up, and waits for it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs inherit it as ignored
    with subprocess.Popen(command, env=env) as process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the command as well
        signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
        code = process.wait()
    return code if code >= 0 else 128 - code


def variable(name: str) -> str:
    """Where tests look for the address of a server."""
    return f"CLEARFRAME_TEST_{name.upper()}"


def start(name: str, state: Path) -> dict[str, str]:
    """The environment that names the started server; empty where it cannot be had here (Docker may have it)."""
    asked = [sys.executable, str(SCRIPTS[name]), "start", "--json", "--state", str(state)]
    done = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"with_servers: goes on without {name}", file=sys.stderr)
        return {}
    address = json.loads(done.stdout)
    secrets = {key: value for key, value in address["env"].items() if key.startswith("AWS_")}
    return {variable(name): address["url"], **secrets}


@contextmanager
def state_folder() -> Iterator[Path]:
    """Given, and left; or made, and removed. PostgreSQL's user must be able to enter it."""
    given = os.environ.get("CLEARFRAME_TEST_STATE")
    if given:
        yield Path(given).absolute()
        return
    folder = Path(tempfile.mkdtemp(prefix="clearframe-servers-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

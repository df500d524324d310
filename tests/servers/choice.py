"""Where a server comes from: an address in the environment, Docker, or the script of `deploy/`."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tests.servers import containers
from tests.servers.local import Address, LocalServer

NAMES = ("kafka", "postgres", "s3")


def variable(name: str) -> str:
    """`CLEARFRAME_TEST_KAFKA`, `CLEARFRAME_TEST_POSTGRES`, `CLEARFRAME_TEST_S3`."""
    return f"CLEARFRAME_TEST_{name.upper()}"


def named(name: str, environ: Mapping[str, str]) -> Address | None:
    """The server that the environment names, if it does. For S3 the `AWS_*` variables belong to it."""
    url = environ.get(variable(name))
    if url is None:
        return None
    return Address(url, {key: value for key, value in environ.items() if name == "s3" and key.startswith("AWS_")})


def address(name: str, run: Path) -> Address:
    """One server for all workers of this test run, started by the first that asks. Raises `NotToBeHadError`."""
    found = named(name, os.environ)
    if found:
        return found
    with (run / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        noted = run / f"{name}.json"
        if not noted.exists():
            made = containers.run(name, run) if containers.docker_answers() else LocalServer(name, run / name).start()
            noted.write_text(json.dumps(asdict(made)))
        return Address(**json.loads(noted.read_text()))


def stop_all(run: Path) -> None:
    """What `address` started in this folder."""
    containers.remove_all(run)
    for name in NAMES:
        if (run / name).exists():
            LocalServer(name, run / name).stop()

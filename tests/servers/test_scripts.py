"""What the scripts of `deploy/` do without starting a server."""

import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

from tests.servers.choice import NAMES, named, variable

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ALL_NAMED = {variable(name): f"{name}://elsewhere" for name in NAMES}


def with_servers(*command: str) -> "subprocess.Popen[str]":
    words = [sys.executable, str(DEPLOY / "with_servers.py"), *command]
    return subprocess.Popen(words, env={**os.environ, **ALL_NAMED}, stdout=subprocess.PIPE, text=True)


def test_servers_that_are_named_are_left_alone_and_the_exit_code_passes_through() -> None:
    code = "import os; print(os.environ['CLEARFRAME_TEST_KAFKA']); raise SystemExit(7)"
    with with_servers(sys.executable, "-c", code) as process:
        assert process.communicate(timeout=30)[0] == "kafka://elsewhere\n"
    assert process.returncode == 7


def test_told_to_end_it_lets_the_command_clear_up() -> None:
    code = """
import time
try:
    print("up", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("cleared up")
"""
    with with_servers(sys.executable, "-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0] == "cleared up\n"
    assert process.returncode == 0


def test_a_cluster_id_is_never_taken_for_an_option() -> None:
    cluster_id = runpy.run_path(str(DEPLOY / "kafka-local" / "kafka.py"))["cluster_id"]
    made = {cluster_id() for _ in range(500)}
    assert len(made) == 500
    assert all(len(each) == 22 and not each.startswith("-") for each in made)


def test_the_environment_names_a_server_and_for_s3_its_keys() -> None:
    environ = ALL_NAMED | {"AWS_ENDPOINT": "http://elsewhere"}
    kafka, s3 = named("kafka", environ), named("s3", environ)
    assert kafka is not None and (kafka.url, kafka.env) == ("kafka://elsewhere", {})
    assert s3 is not None and s3.env == {"AWS_ENDPOINT": "http://elsewhere"}
    assert named("postgres", {}) is None

#!/usr/bin/env python3
"""An S3 server on this machine, without Docker: versitygw over a folder, on a free loopback port.

`s3.py start|stop|restart|kill|freeze|thaw|status [--state DIR] [--json]`. Takes `versitygw` from PATH, or builds it
once with Go (a few minutes). Prints the environment in which Clearframe finds it.
"""

import hashlib
import os
import shutil
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from local_servers.cache import fetched, run, tool
from local_servers.command import main
from local_servers.ports import answers
from local_servers.recipe import Address, Record

HERE = Path(__file__).resolve().parent
BUCKET = "clearframe"
ACCESS_KEY = "clearframe"


class S3:
    """The recipe."""

    name = "s3"
    ports = 1
    user: str | None = None
    stop_signal = signal.SIGTERM
    patience = 10.0

    def install(self) -> None:
        """The program."""
        found = shutil.which("versitygw")
        version = hashlib.sha256((HERE / "go.sum").read_bytes()).hexdigest()[:12]
        self._program = Path(found) if found else fetched(f"versitygw-{version}", _build) / "versitygw"

    def prepare(self, state: Path, record: Record) -> None:
        """A bucket is a folder."""
        (state / "data" / BUCKET).mkdir(parents=True, exist_ok=True)
        if not _keeps_attributes(state):
            (state / "attributes").mkdir(exist_ok=True)

    def command(self, state: Path, record: Record) -> list[str]:
        """Keys go by the environment, where other users do not see them."""
        beside = state / "attributes"
        where = ["--sidecar", str(beside)] if beside.exists() else []
        keys = [f"ROOT_ACCESS_KEY={ACCESS_KEY}", f"ROOT_SECRET_KEY={record.secret}"]
        serve = [str(self._program), "--port", f"127.0.0.1:{record.port}", "posix", *where, str(state / "data")]
        return ["/usr/bin/env", *keys, *serve]

    def is_ready(self, state: Path, record: Record, said: str) -> bool:
        """It says so itself, and then it does."""
        return "service listening on" in said and answers(record.port)

    def finish(self, state: Path, record: Record) -> None:
        """Nothing: the bucket is there."""

    def address(self, record: Record) -> Address:
        """`s3://clearframe`, with the variables that every S3 client reads."""
        url = f"s3://{BUCKET}"
        env = {
            "CLEARFRAME_BLOBS": url,
            "AWS_ENDPOINT": f"http://127.0.0.1:{record.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": record.secret,
        }
        return Address(url, env)


def _build(folder: Path) -> None:
    go = tool("go", "install Go 1.25, which builds versitygw, or put versitygw on PATH", Path("/usr/local/go/bin"))
    # In the module here, not `go install program@version`: its sums are pinned, and no path is guessed at slowly.
    run([go, "build", "-o", f"{folder}/", "github.com/versity/versitygw/cmd/versitygw"], cwd=HERE)


def _keeps_attributes(folder: Path) -> bool:
    """Whether the file system has user attributes, where versitygw keeps what belongs to an object."""
    if not hasattr(os, "setxattr"):
        return False
    try:
        os.setxattr(folder, "user.clearframe", b"1")
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(S3(), more=("freeze", "thaw"))

"""The folder of downloads and of states that nobody named: below the user's cache folder."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from local_servers.recipe import ServerError


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/clearframe`, or `~/.cache/clearframe`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clearframe"


def fetched(name: str, fetch: Callable[[Path], None]) -> Path:
    """A folder of that name in the cache. `fetch` fills it the first time; half a download is never seen."""
    place = cache_folder() / name
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            draft = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=place.parent))
            try:
                fetch(draft)
                draft.rename(place)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    return place


def run(command: Sequence[str], **options: Any) -> str:
    """The output of a command that must succeed. Raises `ServerError` with what it said."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-3000:]
        raise ServerError(f"{' '.join(command[:3])} ... failed with exit code {done.returncode}\n{said}")
    return str(done.stdout)


def tool(name: str, remedy: str, *folders: Path) -> str:
    """The path of a program, looked for in `folders` after PATH. Raises `ServerError` with the remedy."""
    found = shutil.which(name) or next((p for f in folders if (p := shutil.which(name, path=str(f)))), None)
    if not found:
        raise ServerError(f"{name} is not on this machine; {remedy}")
    return found

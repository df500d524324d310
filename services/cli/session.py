"""What every command shares: where the service is, with which key, and how to print."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

DEFAULT_URL = "http://127.0.0.1:8484"
DEFAULT_DATA = "clearframe-data"
KEY_FILE = "admin.key"

FINE, ESCALATED, USAGE, FAILED = 0, 1, 2, 3
"""Exit codes: fine; something escalated or failed its check; wrong usage or input; service unreachable or failed."""


@dataclass(frozen=True)
class Session:
    """The global options, read once."""

    url: str
    key: str | None
    data: Path
    json: bool
    quiet: bool

    @property
    def out(self) -> Console:
        """Results for people; on `--json` nothing but JSON goes to standard output."""
        return Console(quiet=self.quiet or self.json, highlight=False, soft_wrap=not sys.stdout.isatty())

    @property
    def shows_progress(self) -> bool:
        """Progress bars belong on terminals only."""
        return sys.stderr.isatty() and not (self.quiet or self.json)


def session_from(url: str | None, key: str | None, data: Path | None, *, json: bool, quiet: bool) -> Session:
    """Options win over the environment, the environment over the key file of a service on this machine."""
    folder = data or Path(os.environ.get("CLEARFRAME_DATA", DEFAULT_DATA))
    return Session(
        url=(url or os.environ.get("CLEARFRAME_URL") or DEFAULT_URL).rstrip("/"),
        key=key or os.environ.get("CLEARFRAME_KEY") or _key_in(folder),
        data=folder,
        json=json,
        quiet=quiet,
    )


def _key_in(folder: Path) -> str | None:
    try:
        return (folder / KEY_FILE).read_text().strip() or None
    except OSError:
        return None

"""The `clearframe` command. Heavy imports wait until a command needs them, so that `--help` is quick."""

from services.cli import (
    admin,
    check,
    declare,
    generate,
    references,
    rescan,
    rulebook,
    rulebook_live,
    submit,
    up,
    verdicts,
)
from services.cli.app import main
from services.cli.demo import command

__all__ = [
    "admin",
    "check",
    "command",
    "declare",
    "generate",
    "main",
    "references",
    "rescan",
    "rulebook",
    "rulebook_live",
    "submit",
    "up",
    "verdicts",
]

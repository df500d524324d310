"""The `clearframe` command. Heavy imports wait until a command needs them, so that `--help` is quick."""

from services.cli.app import main

__all__ = ["main"]

"""How a command ends badly: one message, one exit code."""

from services.cli.session import FAILED, USAGE


class CommandFailed(Exception):  # noqa: N818 - it is what happened to the command
    """Printed to standard error; `code` becomes the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def usage(message: str) -> CommandFailed:
    """Wrong usage or invalid input: the person can mend it."""
    return CommandFailed(message, USAGE)

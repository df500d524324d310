"""What an error means to a consumer. Three meanings, no more.

ClearframeError
|- Retry     the cause will pass (database locked, broker away): same offset, back-off
|- Reject    this message will never work: to `<topic>.dead`, the next one goes on
`- (any other exception stops the process with the offset uncommitted)
"""


class ClearframeError(Exception):
    """The root of our own errors."""


class Retry(ClearframeError):  # noqa: N818 - reads as the instruction it is
    """Try the same message again after a pause."""


class Reject(ClearframeError):  # noqa: N818
    """Give this message up. `code` is short and stable, `detail` is for a person."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class ConfigurationError(ClearframeError):
    """A setting is wrong. The message names it and the remedy."""


class Unavailable(ClearframeError):  # noqa: N818
    """A part we depend on does not answer: the request gets a 503."""


class OutOfSpace(ClearframeError):  # noqa: N818
    """The disk is full: the request gets a 507, and nothing half-written is visible."""


class BlobMissing(ClearframeError):  # noqa: N818
    """No blob has this digest."""


class BlobDamaged(ClearframeError):  # noqa: N818
    """The bytes do not have the digest they are kept under."""

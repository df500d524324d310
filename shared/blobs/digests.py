"""The names of blobs: SHA-256 in lower-case hex, nothing else."""

import re

from shared.errors import BlobMissing

_DIGEST = re.compile(r"[0-9a-f]{64}")


def place(sha256: str) -> str:
    """`ab/cd/abcd…`: folders of at most 65,536. Raises `BlobMissing` for what is no digest, `..` among it."""
    if not _DIGEST.fullmatch(sha256):
        raise BlobMissing(f"{sha256[:80]!r} is no SHA-256 in lower-case hex")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"

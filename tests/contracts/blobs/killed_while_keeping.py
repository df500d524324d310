"""An upload whose process is killed at a file operation. Arguments: the folder, the name in `os`, the payload."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from shared.blobs.files import FileBlobs


def kill(*_arguments: object, **_options: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: str, operation: str, payload: str) -> None:
    blobs = FileBlobs(Path(folder))
    async with blobs.stage() as staged:
        await staged.write(payload.encode())
        setattr(os, operation, kill)
        await staged.keep()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

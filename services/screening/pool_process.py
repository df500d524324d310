"""One decode process seen from its parent: start it, hand it a file, read its answer, notice its death."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from services.screening.decoded import Decoded, from_wire
from shared.errors import Retry

_FRAME = struct.Struct("!II")
_LARGEST_ANSWER = 256 << 20
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "MALLOC_ARENA_MAX")
# The child gets no secrets: nothing of the environment but what finding libraries needs.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "NUMBA_CACHE_DIR", "HOME")


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How decode processes run. Durations in seconds; `wants` is loaded before the sandbox closes."""

    workers: int = 1
    memory_bytes: int = 512 << 20
    cpu_seconds: float = 5.0
    wall_seconds: float = 20.0
    start_seconds: float = 60.0
    idle_seconds: float = 30.0
    files_per_process: int = 1_000
    job: str = "services.screening.child:screen_file"
    wants: frozenset[str] = frozenset()


class PoolError(Retry):
    """The decode process could not be started: the installation is at fault, not the file. Worth a retry later."""


class ProcessDied(Exception):  # noqa: N818
    """The decode process ended within a file; `cpu` tells that it used up its CPU time."""

    def __init__(self, detail: str, *, cpu: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.cpu = cpu


class DecodeProcess:
    """A started process. One file at a time; after `ProcessDied` it is of no more use."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, reader: asyncio.StreamReader) -> None:
        self._process = process
        self._control = control
        self._reader = reader
        self._writer: asyncio.StreamWriter | None = None
        self.files = 0
        self.landlock = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @classmethod
    async def start(cls, settings: PoolSettings) -> DecodeProcess:
        """Start and await readiness. Raises `PoolError` if it does not come up."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: ASYNC220, S603  returns within milliseconds; fixed arguments
                [sys.executable, "-P", "-m", "services.screening.pool_child", str(theirs.fileno()), _message(settings)],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C at the terminal is the service's affair
                env=_environment(),
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        started = cls(process, ours, reader)
        started._writer = writer
        try:
            head, _ = await asyncio.wait_for(started._answer(), settings.start_seconds)
            started.landlock = int(json.loads(head)["landlock"])
        except (ProcessDied, TimeoutError, ValueError, KeyError) as error:
            await started.stop()
            raise PoolError(f"the decode process did not start ({error}); see its messages on stderr") from error
        except asyncio.CancelledError:
            await started.stop()
            raise
        return started

    async def screen(self, file: BinaryIO, wants: frozenset[str], wall_seconds: float) -> Decoded:
        """Have one open file screened. Raises `ProcessDied`; on cancellation the process must be stopped."""
        self.files += 1
        file.seek(0)  # a passed descriptor shares its position, which an earlier process may have moved
        request = json.dumps(sorted(wants)).encode() + b"\n"
        try:
            socket.send_fds(self._control, [request], [file.fileno()])
            head, body = await asyncio.wait_for(self._answer(), wall_seconds)
        except TimeoutError:
            raise ProcessDied(f"no answer within {wall_seconds:g} s") from None
        except OSError as error:
            raise await self._death() from error
        try:
            return from_wire(head, body)
        except ValueError as error:
            raise ProcessDied("the decode process answered out of form") from error

    async def stop(self) -> None:
        """End it now and wait until it is gone."""
        if self._writer is not None:
            self._writer.close()
        self._process.kill()
        await asyncio.shield(asyncio.to_thread(self._process.wait))

    async def _answer(self) -> tuple[bytes, bytes]:
        try:
            head, body = _FRAME.unpack(await self._reader.readexactly(_FRAME.size))
            if head + body > _LARGEST_ANSWER:
                raise ProcessDied("the decode process answered beyond all measure")
            return await self._reader.readexactly(head), await self._reader.readexactly(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._death() from None

    async def _death(self) -> ProcessDied:
        code = await asyncio.to_thread(self._process.wait)
        if code in (-signal.SIGPROF, -signal.SIGXCPU):
            return ProcessDied("the CPU time of a file was used up", cpu=True)
        return ProcessDied(f"the decode process ended with {code}")


def _message(settings: PoolSettings) -> str:
    return json.dumps(
        {
            "parent": os.getpid(),
            "job": settings.job,
            "wants": sorted(settings.wants),
            "memory_bytes": settings.memory_bytes,
            "cpu_seconds": settings.cpu_seconds,
        }
    )


def _environment() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | dict.fromkeys(_ONE_THREAD, "1") | {"PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}

"""The walls of a decode process: memory, CPU time a file, no files, no network, no life beyond its parent."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import resource
import signal
import sys
import sysconfig
import time
from pathlib import Path

from services.screening import landlock

_PARENT_DEATH_SIGNAL = 1
# Library pages that are mapped but not yet touched when the limit is set.
_UNTOUCHED_BYTES = 24 << 20


def die_with_parent(parent: int) -> None:
    """Linux: be killed when the thread that started this process ends; leave at once if the parent is gone already."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def silence_libraries() -> None:
    """Decoders print what a file told them: only Python's own errors reach the log from here on."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    logging.getLogger("PIL").setLevel(logging.CRITICAL)


def confine(memory_bytes: int) -> int:
    """Close the walls, all imports done; `memory_bytes` limits what is resident. Returns Landlock's version or 0."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit but refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (_address_space(memory_bytes),) * 2)
    return landlock.restrict(_library_folders())


def allow_cpu(seconds: float) -> None:
    """Let this process use `seconds` more CPU time at most before the kernel ends it (SIGPROF, or else SIGXCPU).

    The timer is exact; the resource limit counts whole seconds and stands behind it.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, hard))


def _address_space(memory_bytes: int) -> int:
    """Addresses are mapped far beyond what is resident: what may still grow is the difference to the allowed memory."""
    try:
        mapped, resident = (int(field) for field in Path("/proc/self/statm").read_text().split()[:2])
    except OSError:
        return memory_bytes
    page = resource.getpagesize()
    return mapped * page + max(memory_bytes - resident * page - _UNTOUCHED_BYTES, 0)


def _library_folders() -> list[Path]:
    """Python and its packages, for imports that libraries put off; not the working folder, not the data."""
    installed = [Path(folder) for name, folder in sysconfig.get_paths().items() if name not in ("data", "scripts")]
    ours = Path(__file__).resolve().parents[1]
    return [*installed, ours, ours.parent / "shared", Path("/usr/lib"), Path("/lib"), Path("/lib64")]

"""Landlock through ctypes: from here on this process reads below given folders only, writes and runs nothing.

Kernel interface: Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_NO_NEW_PRIVILEGES = 38
_READ = 1 << 2 | 1 << 3  # files, folders
_ALL_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}  # from version 5 on: 16 rights
_ALL_TCP = 1 << 0 | 1 << 1  # bind, connect; from version 4
_ALL_SCOPES = 1 << 0 | 1 << 1  # abstract sockets, signals; from version 6


def restrict(readable: Iterable[Path]) -> int:
    """Confine this process and its children for good. Returns the kernel's version, 0 where Landlock is missing."""
    if not sys.platform.startswith("linux"):
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return 0
    files, tcp, scopes = _handled(version)
    attributes = struct.pack("QQQ", files, tcp, scopes)[: 8 * (1 + (version >= 4) + (version >= 6))]
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return 0
    try:
        for folder in readable:
            _allow_reading(libc, ruleset, folder)
        refused = libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return 0 if refused else int(version)


def _handled(version: int) -> tuple[int, int, int]:
    files = _ALL_FILES.get(version, (1 << 16) - 1)
    return files, _ALL_TCP if version >= 4 else 0, _ALL_SCOPES if version >= 6 else 0


def _allow_reading(libc: ctypes.CDLL, ruleset: int, folder: Path) -> None:
    try:
        beneath = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", _READ, beneath), 0)
    finally:
        os.close(beneath)

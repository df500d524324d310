"""The decode process: `python -m services.screening.pool_child CONTROL_FD SETTINGS_JSON`, started by the pool alone."""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from services.screening import sandbox
from services.screening.decoded import Decoded, to_wire

FRAME = struct.Struct("!II")


def main() -> None:
    """Serve one file after another until the pool closes its end."""
    control = socket.socket(fileno=int(sys.argv[1]))
    settings: dict[str, Any] = json.loads(sys.argv[2])
    sandbox.die_with_parent(settings["parent"])
    job = _load(settings["job"], frozenset(settings["wants"]))
    sandbox.silence_libraries()
    landlock = sandbox.confine(settings["memory_bytes"])
    _answer(control, json.dumps({"landlock": landlock}).encode(), b"")
    while (request := _receive(control)) is not None:
        descriptor, wants = request
        sandbox.allow_cpu(settings["cpu_seconds"])
        _answer(control, *to_wire(job(descriptor, wants)))


def _load(name: str, wants: frozenset[str]) -> Callable[[int, frozenset[str]], Decoded]:
    module_name, function = name.split(":")
    module = import_module(module_name)
    if hasattr(module, "warm"):
        module.warm(wants)
    found: Callable[[int, frozenset[str]], Decoded] = getattr(module, function)
    return found


def _receive(control: socket.socket) -> tuple[int, frozenset[str]] | None:
    """The next file's descriptor and what is wanted of it; None at the end."""
    line, descriptors = b"", []
    while not line.endswith(b"\n"):
        part, received, _, _ = socket.recv_fds(control, 4096, 1)
        if not part:
            return None
        line += part
        descriptors += received
    if len(descriptors) != 1:
        os._exit(1)
    return descriptors[0], frozenset(json.loads(line))


def _answer(control: socket.socket, head: bytes, body: bytes) -> None:
    control.sendall(FRAME.pack(len(head), len(body)) + head + body)


if __name__ == "__main__":
    main()

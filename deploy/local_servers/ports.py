"""Free ports on the loopback address."""

import random
import socket
from pathlib import Path

HOST = "127.0.0.1"
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 15_000


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below those the system lends to clients.

    A client that reconnects to a stopped server could otherwise be lent the server's own port, and keep it.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(_LOWEST, max(_LOWEST + 1000, _first_lent()))
        if port not in found and is_free(port):
            found.append(port)
    return found


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _first_lent() -> int:
    return int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768

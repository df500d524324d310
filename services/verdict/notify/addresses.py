"""Where a webhook may go: https to a public address, looked up once; the checked address is the one connected to."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import ClearframeError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_TUNNELS = [ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32")]  # 6to4 and Teredo wrap IPv4
_RELAY = ipaddress.ip_network("192.88.99.0/24")
_LONGEST_URL = 2000


class RefusedAddress(ClearframeError):  # noqa: N818
    """This URL is no place to send to."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL: `address` is connected to, `host` is asked for and must be in the certificate."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address

    @property
    def url(self) -> str:
        """The URL with the address in place of the name."""
        shown = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{self.scheme}://{shown}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        """What the server is told it is called."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(self.scheme) else f"{host}:{self.port}"


async def check_url(url: str, *, allow_loopback: bool) -> Target:
    """Parses, resolves once and judges every address. Raises RefusedAddress with the remedy."""
    scheme, host, port, path = _parse(url, allow_loopback)
    addresses = await _resolve(host, port)
    for address in addresses:
        if not is_public(address) and not (allow_loopback and address.is_loopback):
            raise RefusedAddress(f"{host} leads to {address}, which is no public address; use one that is")
    if scheme == "http" and not addresses[0].is_loopback:
        raise RefusedAddress("plain http is for this very machine; use https")
    return Target(scheme, host, port, path, addresses[0])


def is_public(address: Address) -> bool:
    """Whether the address is an ordinary one of the public Internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address not in _GLOBAL_UNICAST or any(address in tunnel for tunnel in _TUNNELS):
            return False
    elif address in _RELAY:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _parse(url: str, allow_loopback: bool) -> tuple[str, str, int, str]:
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or any(c in url for c in ' \\"<>'):
        raise RefusedAddress("no URL of up to 2,000 plain ASCII characters; write names in punycode")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedAddress(f"no URL: {error}") from error
    if parts.scheme != "https" and not (allow_loopback and parts.scheme == "http"):
        raise RefusedAddress("use https")
    if not parts.hostname or "%" in parts.netloc:
        raise RefusedAddress("the URL names no host")
    if "@" in parts.netloc:
        raise RefusedAddress("leave user and password out of the URL; messages are signed")
    if port == 0:
        raise RefusedAddress("port 0 is no port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port or _default_port(parts.scheme), path


async def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(info[4][0]) for info in found]
    except (OSError, UnicodeError, ValueError) as error:
        raise RefusedAddress(f"{host} cannot be resolved") from error
    if not addresses:
        raise RefusedAddress(f"{host} has no address")
    return addresses


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80

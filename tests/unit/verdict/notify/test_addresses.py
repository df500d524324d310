"""Which URLs a webhook may go to. A canary on this machine must never be reached."""

import socket
from ipaddress import ip_address

import pytest

from services.verdict.notify.addresses import RefusedAddress, check_url, is_public

REFUSED = [
    "http://93.184.215.14/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0.0.0.0/",
    "https://localhost/",
    "https://localhost./",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[::127.0.0.1]/",
    "https://[fe80::1%25lo]/",
    "https://[fc00::1]/",
    "https://[ff02::1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://user:pass@example.com/",
    "https://93.184.215.14@127.0.0.1/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https:///path",
    "https://①②⑦.0.0.1/",
    "https://example.com/\r\nX-Evil: 1",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_INFO",
    "//example.com/",
    "",
    "https://" + "a" * 3000 + ".example/",
]


@pytest.mark.parametrize("url", REFUSED)
async def test_it_is_refused(url: str) -> None:
    with pytest.raises(RefusedAddress):
        await check_url(url, allow_loopback=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/hook", "http://[::1]:8080/", "https://127.0.0.1/"])
async def test_loopback_is_allowed_for_development_alone(url: str) -> None:
    assert (await check_url(url, allow_loopback=True)).address.is_loopback
    with pytest.raises(RefusedAddress):
        await check_url(url, allow_loopback=False)


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://93.184.215.14/", "https://0.0.0.0/"])
async def test_the_development_flag_opens_nothing_else(url: str) -> None:
    with pytest.raises(RefusedAddress):
        await check_url(url, allow_loopback=True)


async def test_a_public_address_passes_with_host_and_path_kept() -> None:
    target = await check_url("https://93.184.215.14:8443/hooks/a?b=c#d", allow_loopback=False)
    assert target.url == "https://93.184.215.14:8443/hooks/a?b=c"
    assert target.host_header == "93.184.215.14:8443"
    assert (
        await check_url("https://[2606:2800:21f::1]/", allow_loopback=False)
    ).url == "https://[2606:2800:21f::1]:443/"


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111"])
def test_ordinary_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


async def test_one_private_address_among_several_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 443)) for a in ("93.184.215.14", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answers)
    with pytest.raises(RefusedAddress, match=r"127\.0\.0\.1"):
        await check_url("https://rebinding.example/", allow_loopback=False)


async def test_the_name_is_looked_up_once_and_the_checked_address_is_the_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lookups = []

    def resolve(host: str, *_args: object, **_kwargs: object) -> list[object]:
        lookups.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    target = await check_url("https://hooks.example/x", allow_loopback=False)
    assert (target.url, target.host_header) == ("https://93.184.215.14:443/x", "hooks.example")
    assert lookups == ["hooks.example"]

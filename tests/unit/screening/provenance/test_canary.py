"""A canary on loopback hears nothing, whatever a file names it for."""

import socket
from collections.abc import Callable, Iterator

import pytest

from services.screening.provenance.credentials import credential_marks
from services.screening.provenance.marks import GAVE_UP
from services.screening.provenance.reader import read_provenance
from tests.unit.screening.provenance.signing import Encode, Signer, new_signer

GENERATED = "trainedAlgorithmicMedia"
Made = tuple[bytes, tuple[str, str]]
"""A file, and the claim and trust of the mark that is expected."""


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        yield listening


def _remote(address: str, encode: Encode, signer: Signer) -> Made:
    signed = signer.sign(encode(), "image/jpeg", GENERATED, remote=f"{address}/manifest.c2pa")
    return signed, ("content credential", "unresolved")


def _linked(address: str, encode: Encode, _signer: Signer) -> Made:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:t="http://purl.org/dc/terms/" t:provenance="{address}/m.c2pa"/></rdf:RDF></x:xmpmeta>'
    )
    return encode(xmp=packet.encode()), ("content credential", "unresolved")


def _document_type(address: str, encode: Encode, _signer: Signer) -> Made:
    return encode(xmp=f'<!DOCTYPE x SYSTEM "{address}/x.dtd"><x/>'.encode()), (GAVE_UP, "unresolved")


def _entity(address: str, encode: Encode, _signer: Signer) -> Made:
    packet = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{address}/e">]><x>&e;</x>'
    return encode(xmp=packet.encode()), (GAVE_UP, "unresolved")


def _revocation(address: str, encode: Encode, _signer: Signer) -> Made:
    signed = new_signer(f"{address}/revoked").sign(encode(), "image/jpeg", GENERATED)
    return signed, (GENERATED, "untrusted")


@pytest.mark.parametrize("make", [_remote, _linked, _document_type, _entity, _revocation])
def test_nobody_is_asked(
    make: Callable[[str, Encode, Signer], Made], canary: socket.socket, encode: Encode, signer: Signer
) -> None:
    address = f"http://127.0.0.1:{canary.getsockname()[1]}"
    data, expected = make(address, encode, signer)
    assert address.encode() in data
    found = read_provenance(data, "jpeg")
    assert [(mark.claim, mark.trust) for mark in found] == [expected]
    with pytest.raises(TimeoutError):
        canary.accept()


def test_nobody_is_asked_of_a_certificate_that_is_trusted(canary: socket.socket, encode: Encode) -> None:
    signer = new_signer(f"http://127.0.0.1:{canary.getsockname()[1]}/revoked")
    signed = signer.sign(encode(), "image/jpeg", GENERATED)
    assert [mark.trust for mark in credential_marks(signed, "jpeg", 1, signer.root)] == ["trusted"]
    with pytest.raises(TimeoutError):
        canary.accept()

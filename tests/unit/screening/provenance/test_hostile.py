"""Hostile metadata: no call, no delay, bounded memory, and never a generative claim where the reader gave up."""

import random
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.screening.pool import DecodePool, PoolSettings
from services.screening.provenance.marks import GAVE_UP, MOST_MARKS, Mark, distinct
from services.screening.provenance.reader import read_provenance
from tests.unit.screening.provenance.signing import TYPES, Encode, Signer

MEGA = 1 << 20
TERM = TYPES + "trainedAlgorithmicMedia"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(png: bytes, *chunks: bytes) -> bytes:
    return png[:33] + b"".join(chunks) + png[33:]


def _xmp(packet: str) -> bytes:
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet.encode())


def _packed(key: bytes, data: bytes) -> bytes:
    return chunk(b"zTXt", key + b"\0\0" + zlib.compress(data, 9))


def _deep(depth: int) -> str:
    return "<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + "<a>" * depth + TERM + "</a>" * depth + "</x:xmpmeta>"


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
GIVEN_UP: dict[str, Callable[[], list[bytes]]] = {
    "entities": lambda: [_xmp(f"{ENTITIES}]><x>&i;</x>")],
    "external entity": lambda: [_xmp(f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;{TERM}</x>')],
    "depth": lambda: [_xmp(_deep(100_000))],
    "width": lambda: [_xmp("<x>" + "<a/>" * 100_000 + "</x>")],
    "no xml": lambda: [_xmp("<x:xmpmeta> & </x:xmpmeta>")],
    "unknown coding": lambda: [_xmp('<?xml version="1.0" encoding="x-none"?><x/>')],
    "10 MB of xmp": lambda: [_xmp("<x>" + "z" * 10 * MEGA + "</x>")],
    "10 MB of text": lambda: [chunk(b"tEXt", b"parameters\0" + b"z" * 10 * MEGA)],
    "10 MB of json": lambda: [chunk(b"iTXt", b"prompt\0\0\0\0\0" + b"[" * 10 * MEGA)],
    "zip bomb": lambda: [_packed(b"parameters", bytes(200 * MEGA))],
    "zip bomb of xmp": lambda: [chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b" " * 200 * MEGA))],
    "broken zip": lambda: [chunk(b"zTXt", b"parameters\0\0" + b"\x78\x9c no zip")],
    "many texts": lambda: [_packed(b"k%d" % number, bytes(MEGA)) for number in range(500)],
}


@pytest.mark.parametrize("name", GIVEN_UP)
def test_the_reader_gives_up_in_time_and_says_so(name: str, encode: Encode) -> None:
    data = png_with(encode("PNG"), *GIVEN_UP[name]())
    tracemalloc.start()
    begun = time.process_time()
    found = read_provenance(data, "png")
    spent, (_, peak) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {(mark.claim, mark.generative, mark.trust) for mark in found} == {(GAVE_UP, False, "unresolved")}
    assert all(mark.detail for mark in found)
    assert spent < 1
    assert peak < 32 * MEGA


def test_a_mark_at_the_start_of_a_long_text_is_found(encode: Encode) -> None:
    text = b"a pier\nSteps: 20, Sampler: Euler a, Seed: 1, " + b"z" * 10 * MEGA
    (mark,) = read_provenance(png_with(encode("PNG"), _packed(b"parameters", text)), "png")
    assert (mark.claim, mark.generative) == ("Stable Diffusion web UI", True)


def test_directories_in_a_ring_end(encode: Encode) -> None:
    entries = struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x0131, 2, 0xFFFFFFFF, 0xFFFFFF00)
    ring = b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + struct.pack("<I", 8)
    assert read_provenance(png_with(encode("PNG"), chunk(b"eXIf", ring)), "png") == ()


def test_marks_are_few_whatever_the_file_says() -> None:
    many = distinct(Mark("c2pa", f"claim {number}", generative=number == 999) for number in range(1000))
    assert len(many) == MOST_MARKS
    assert many[0].claim == "claim 999"


def _damaged(data: bytes, seed: int) -> bytes:
    chance, out = random.Random(seed), bytearray(data)
    start = max(out.find(b"jumb"), 0)
    for _ in range(chance.randint(1, 30)):
        out[chance.randrange(start, min(len(out), start + 9000))] = chance.choice(
            (0, 1, 0x7F, 0xFF, chance.randrange(256))
        )
    return bytes(out)


def test_damaged_credentials_are_never_trusted(encode: Encode, signer: Signer) -> None:
    signed = signer.sign(encode(), "image/jpeg", "trainedAlgorithmicMedia")
    for seed in range(150):
        found = read_provenance(_damaged(signed, seed), "jpeg")
        assert {mark.trust for mark in found} <= {"tampered", "unresolved", "untrusted"}, seed


def _hostile_files(encode: Encode, signer: Signer) -> Iterator[tuple[str, bytes]]:
    filler = b"Q" * 40_000
    text = [{"label": "org.test.deep", "data": {"x": filler.decode()}}]
    signed = signer.sign(encode("WEBP"), "image/webp", "trainedAlgorithmicMedia", extra=text)
    deep = signed.replace(b"\x79\x9c\x40" + filler, b"\x81" * 40_002 + b"\1")
    assert deep != signed
    yield "deep cbor", deep
    many = [{"label": f"org.test.n{number}", "data": {"x": "y" * 200}} for number in range(1500)]
    yield "many", signer.sign(encode("PNG"), "image/png", "trainedAlgorithmicMedia", extra=many)
    box = b"".join(struct.pack(">I4s", 8 * (20_000 - level), b"jumb") for level in range(20_000))
    yield "boxes", png_with(encode("PNG"), chunk(b"caBX", box))
    yield "zeros", png_with(encode("PNG"), chunk(b"caBX", bytes(7 * MEGA)))
    for name, chunks in GIVEN_UP.items():
        yield name, png_with(encode("PNG"), *chunks())


async def test_hostile_metadata_passes_the_sandbox_within_a_second(
    encode: Encode, signer: Signer, tmp_path: Path
) -> None:
    async with DecodePool(PoolSettings()) as pool:
        path = tmp_path / "file"
        path.write_bytes(encode())
        assert (await pool.run(path)).marks == ()
        (process,) = pool.idle_pids
        for name, data in _hostile_files(encode, signer):
            path.write_bytes(data)
            begun = time.monotonic()
            found = await pool.run(path)
            assert time.monotonic() - begun < 1, name
            assert found.marks, name
            assert name == "many" or not any(mark.trust == "untrusted" for mark in found.marks), name
            assert found.unscreenable is None or "zip" in name or "texts" in name, name  # which Pillow refuses to open
        assert pool.idle_pids == [process]

"""Real bombs in the real decode process: an answer each, memory within its limit, no process lost."""

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.screening.pool import DecodePool

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads peaks from /proc"),
]


def webp_bomb() -> bytes:
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + b"\xff\x3f\0" * 2 + b"ANIM"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png(width: int, height: int, colour_type: int, channels: int, rows: int | None = None) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    packer = zlib.compressobj(1)
    row = bytes(1 + width * channels)
    data = b"".join(packer.compress(row * 50) for _ in range((rows or height) // 50)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


async def test_bombs_stay_within_the_memory_limit(tmp_path: Path) -> None:
    bombs: dict[str, bytes] = {
        "webp": webp_bomb(),
        "png_large": png(20_000, 20_000, 0, 1, rows=50),
        "png_rgba_at_the_limit": png(7_000, 7_000, 6, 4),
    }
    flat = Image.fromarray(np.zeros((7_000, 7_000), np.uint8))
    flat.save(tmp_path / "avif", "AVIF", speed=10)
    bombs["avif_at_the_limit"] = (tmp_path / "avif").read_bytes()
    peaks, reasons = {}, {}
    async with DecodePool() as pool:
        for name, content in bombs.items():
            path = tmp_path / name
            path.write_bytes(content)
            decoded = await pool.run(path)
            reasons[name] = decoded.unscreenable.reason if decoded.unscreenable else "screened"
            peaks[name] = peak_megabytes(*pool.idle_pids)
        assert len(pool.idle_pids) == 1
    assert reasons["webp"] == reasons["png_large"] == "too_many_pixels"
    assert {reasons["png_rgba_at_the_limit"], reasons["avif_at_the_limit"]} <= {"screened", "resource_limit"}
    assert max(peaks.values()) <= 512, peaks


def peak_megabytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024

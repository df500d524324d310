"""What crosses from the decode process is validated: the child may be in the hands of the file it decoded."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from services.screening.child import screen_file
from services.screening.decode.model import Unscreenable
from services.screening.decoded import Decoded, from_wire, to_wire
from services.screening.trailing import Trailing
from tests import drawings


@pytest.fixture
def screened(tmp_path: Path) -> Decoded:
    path = tmp_path / "upload"
    drawings.photo(1, (320, 240)).save(path, "JPEG")
    path.write_bytes(path.read_bytes() + b"PK\x03\x04")
    return screen_file(path, frozenset())


def test_everything_survives_the_way(screened: Decoded) -> None:
    assert screened.fingerprints is not None
    assert screened.trailing == Trailing(4, "zip")
    assert len(screened.fingerprints.first.variants) == 16
    assert from_wire(*to_wire(screened)) == screened
    refused = Decoded(format="png", unscreenable=Unscreenable("truncated", "it ends early"))
    assert from_wire(*to_wire(refused)) == refused


def test_features_survive_the_way() -> None:
    features = (
        {"codes": np.arange(12, dtype=np.uint64).reshape(6, 2), "places": np.ones((6, 4), np.float32)},
        {"codes": np.empty((0, 2), np.uint64)},
    )
    found = from_wire(*to_wire(Decoded(features=features))).features
    assert [sorted(view) for view in found] == [["codes", "places"], ["codes"]]
    for sent, received in zip(features, found, strict=True):
        for name, array in sent.items():
            assert received[name].dtype == array.dtype
            np.testing.assert_array_equal(received[name], array)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dtype", "object"),
        ("shape", [-1, 4]),
        ("shape", [1 << 40]),
        ("shape", "all"),
        ("view", 7),
        ("view", -1),
    ],
)
def test_an_answer_out_of_form_is_refused(field: str, value: object) -> None:
    head, body = to_wire(Decoded(features=({"codes": np.zeros((3, 2), np.uint64)},)))
    forged = json.loads(head)
    forged["arrays"][0][field] = value
    with pytest.raises(ValueError):
        from_wire(json.dumps(forged).encode(), body)


def test_an_undocumented_reason_is_refused() -> None:
    head, body = to_wire(Decoded(unscreenable=Unscreenable("truncated", "")))
    with pytest.raises(ValueError, match="not documented"):
        from_wire(head.replace(b"truncated", b"invented!"), body)


def test_the_pool_loads_no_picture_library_into_its_own_process() -> None:
    code = "import sys, services.screening.pool; print(sorted({'numpy', 'cv2', 'PIL'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_decode_processes_end_with_their_parent(tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    drawings.logo(1).save(picture, "PNG")
    code = textwrap.dedent(
        f"""
        import asyncio, pathlib
        from services.screening.pool import DecodePool
        async def main():
            pool = DecodePool()
            await pool.run(pathlib.Path({str(picture)!r}))
            print(*pool.idle_pids, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
        """
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while running(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not running(child)


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"

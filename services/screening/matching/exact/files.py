"""Raw arrays in a folder with a manifest that says what belongs there: mapped into memory, never pickled."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MANIFEST = "manifest.json"
_VERSION = 1


class DamagedSegment(Exception):  # noqa: N818
    """A folder is not what its manifest says: restore it, or let the index be rebuilt from the log."""


@dataclass(frozen=True, slots=True)
class _File:
    dtype: str
    shape: tuple[int, ...]
    sha256: str


def write(folder: Path, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays and then their manifest, synced; the folder appears under its name at once or not at all."""
    staging = folder.with_name(folder.name + ".partial")
    shutil.rmtree(staging, ignore_errors=True)  # of a merge that failed
    staging.mkdir(parents=True)
    files = {name: _write_array(staging / name, array) for name, array in arrays.items()}
    document = {
        "version": _VERSION,
        "about": dict(about),
        "files": {name: asdict(file) for name, file in files.items()},
    }
    text = json.dumps(document, sort_keys=True)
    sealed = json.dumps({"manifest": document, "sha256": hashlib.sha256(text.encode()).hexdigest()}, sort_keys=True)
    _write_synced(staging / MANIFEST, sealed.encode())
    _sync(staging)
    staging.rename(folder)
    _sync(folder.parent)


def read(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The manifest's `about` and the arrays, mapped read only. Raises DamagedSegment where seal or sizes are wrong."""
    about, files = _manifest(folder)
    return about, {name: _map(folder / name, file) for name, file in files.items()}


def verify(folder: Path) -> None:
    """Reads every byte. Raises DamagedSegment where a file is not the one that was written."""
    for name, file in _manifest(folder)[1].items():
        with (folder / name).open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256:
                raise DamagedSegment(f"{folder / name}: its SHA-256 is not the manifest's")


def _manifest(folder: Path) -> tuple[dict[str, Any], dict[str, _File]]:
    try:
        sealed = json.loads((folder / MANIFEST).read_bytes())
        document = sealed["manifest"]
        seal = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        files = {
            name: _File(entry["dtype"], tuple(entry["shape"]), entry["sha256"])
            for name, entry in document["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedSegment(f"{folder / MANIFEST}: missing or unreadable ({error})") from error
    if seal != sealed["sha256"] or document["version"] != _VERSION:
        raise DamagedSegment(f"{folder / MANIFEST}: altered, or of another version")
    return document["about"], files


def _map(path: Path, file: _File) -> NDArray[Any]:
    kind = np.dtype(file.dtype)
    size = int(np.prod(file.shape)) * kind.itemsize
    try:
        with path.open("rb") as opened:
            if os.fstat(opened.fileno()).st_size != size:
                raise DamagedSegment(f"{path}: not the size that the manifest says")
            if size == 0:
                return np.zeros(file.shape, kind)
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise DamagedSegment(f"{path}: missing or unreadable ({error})") from error
    return np.frombuffer(mapped, kind).reshape(file.shape)


def _write_array(path: Path, array: NDArray[Any]) -> _File:
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    _write_synced(path, data)
    return _File(array.dtype.str, array.shape, hashlib.sha256(data).hexdigest())


def _write_synced(path: Path, data: bytes | memoryview) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

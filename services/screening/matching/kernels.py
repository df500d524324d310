"""Compiled functions: one way to declare them, one folder to keep them in, one call that has them all ready."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
Scalar = Any
"""A machine number: the signature that stands above a kernel says of which width."""

_FOLDER = Path(__file__).parent
_MODULES = (
    "exact.searching",
    "local.detecting",
    "local.describing",
    "local.listing",
    "local.voting",
    "local.verifying",
)
_SOURCES = ("kernels", "llvm", "bits", "local.lanes", "local.scales", *_MODULES)


def compile_kernels(tell: Callable[[str], None] = lambda text: None) -> Path:
    """Loads all kernels from the cache, compiling what it lacks (about half a minute, once a version and machine).

    Call it at installation or at start, never in a request; `tell` hears of it before a compilation begins.
    Returns the cache's folder. Raises OSError when that cannot be made: set NUMBA_CACHE_DIR to a writable folder.
    """
    folder = cache_folder()
    if not compiled():
        tell(f"Compiling the matching kernels into {folder} (once, about half a minute) ...")
    for name in _MODULES:
        load(name)
    (folder / "complete").touch()
    return folder


def compiled() -> bool:
    """Whether everything lies in the cache, so that nothing has to be compiled."""
    return (cache_folder() / "complete").exists()


@cache
def load(name: str) -> Any:
    """A kernel module below this package; its functions are compiled, or taken from the cache, on import."""
    import numba

    numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]  # set dynamically
    return import_module(f"{__package__}.{name}")


@lru_cache(maxsize=1)
def cache_folder() -> Path:
    """The folder for this version's machine code, made if needed: below NUMBA_CACHE_DIR or the user's cache."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = (Path(given) if given else home / "clearframe" / "kernels") / _version()
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):  # numba writes there even when it only reads
        raise PermissionError(f"kernel cache: {folder} is not writable; set NUMBA_CACHE_DIR to a folder that is")
    return folder


def _version() -> str:
    # numba looks at a function's own file only, not at what it calls: a change anywhere must miss the cache.
    sources = ((_FOLDER / f"{name.replace('.', '/')}.py").read_bytes() for name in _SOURCES)
    return hashlib.sha256(b"".join(sources)).hexdigest()[:16]


def kernel(signature: Any) -> Callable[[F], F]:
    """Compiles a function for one signature on import. It releases the GIL and checks no bounds."""
    from numba import njit

    decorate = njit(signature, nogil=True, cache=True, fastmath=True, boundscheck=False, error_model="numpy")
    return cast("Callable[[F], F]", decorate)


def vector_operation(build: Callable[..., Any]) -> Callable[..., Any]:
    """A typed `numba.extending.intrinsic`: the function returns a signature and writes the LLVM instructions."""
    from numba.extending import intrinsic

    return cast("Callable[..., Any]", intrinsic(build))

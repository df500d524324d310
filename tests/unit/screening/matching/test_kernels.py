from __future__ import annotations

import subprocess
import sys

from services.screening.matching import kernels


def test_compiled_kernels_are_taken_from_the_cache_without_a_message() -> None:
    told: list[str] = []
    assert kernels.compile_kernels(told.append) == kernels.cache_folder()
    assert told == []


def test_importing_the_package_loads_neither_compiler_nor_opencv() -> None:
    code = (
        "import sys, services.screening.matching.local, services.screening.matching.exact;"
        "print({'numba', 'llvmlite', 'cv2'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"

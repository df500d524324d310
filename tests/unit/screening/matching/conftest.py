from __future__ import annotations

import pytest

from services.screening.matching.kernels import compile_kernels


@pytest.fixture(scope="session", autouse=True)
def _kernels() -> None:
    compile_kernels(print)

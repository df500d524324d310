"""Settings tests see no variable of the machine they run on."""

import os

import pytest


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CLEARFRAME_"):
            monkeypatch.delenv(name)

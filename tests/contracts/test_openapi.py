"""Schemathesis against the whole application: nothing breaks, and nothing answers what the document does not say."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests import Session
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.installations import Opening
from tests.peopled import people

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.slow,
    # The server runs in this process, and its Kafka client draws random numbers while Hypothesis watches for that.
    pytest.mark.filterwarnings("ignore:Do not use the `random` module"),
]
DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
_NO_END = "/v1/verdicts/stream"  # nothing to check at the end of it; test_verdict_stream.py reads it
_PATHS = {path: methods for path, methods in DOCUMENT["paths"].items() if path != _NO_END}
_OPERATIONS = [(path, method) for path, methods in _PATHS.items() for method in methods]
OPERATIONS = sorted(_OPERATIONS, key=lambda operation: operation[1] == "delete")
"""What takes away comes last."""

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Api:
    """The document as served, a session with an admin's key, and a thing behind every path parameter."""

    schema: BaseSchema
    session: Session
    there: dict[str, str]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(opening: Opening) -> AsyncIterator[Api]:
    async with opening(screening={"workers": 1, "partial_copies": False}) as line:
        there = await people(line, "atlas")
        schema = await asyncio.to_thread(schemathesis.openapi.from_url, f"{line.url}/openapi.json")
        with Session() as session:
            session.headers["Authorization"] = f"Bearer {line.admin_key}"
            yield Api(schema, session, there)


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda value: str(value))
async def test_every_answer_is_one_that_the_document_states(api: Api, path: str, method: str) -> None:
    operation = api.schema[path][method.upper()]
    there = {name: value for name, value in api.there.items() if f"{{{name}}}" in path}
    targets: list[Any] = [{"path_parameters": there}, {}] if there else [{}]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = st.one_of([operation.as_strategy(mode, **target) for target in targets for mode in modes])

    @given(case=cases)
    @settings(
        max_examples=15,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def conforms(case: Any) -> None:
        case.call_and_validate(session=api.session, checks=CHECKS, timeout=30)

    await asyncio.to_thread(conforms)

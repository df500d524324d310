"""A misspelt query parameter is an error, not a filter that silently does nothing."""

from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant

from shared.declaration.faults import did_you_mean, shown
from shared.web.faults import FieldFault
from shared.web.problems import Problem


async def known_query(request: Request) -> None:
    """Raises a 422 `Problem` for every parameter that the route does not take."""
    if not request.scope["query_string"]:
        return
    allowed = sorted(_names(request.scope["route"].dependant))
    unknown = sorted(set(request.query_params) - set(allowed))
    if unknown:
        raise Problem(422, "unknown_parameter", errors=[_fault(name, allowed) for name in unknown[:20]])


def _fault(name: str, allowed: list[str]) -> FieldFault:
    remedy = did_you_mean(name, allowed) if allowed else "leave it out"
    return FieldFault(field=shown(name).strip("`"), message="there is no such parameter", remedy=remedy)


def _names(dependant: Dependant) -> set[str]:
    own = {_alias(parameter) for parameter in dependant.query_params}
    return own.union(*(_names(nested) for nested in dependant.dependencies))


def _alias(parameter: Any) -> str:
    return str(parameter.alias)

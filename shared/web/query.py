"""A misspelt or repeated query parameter is an error, not a filter that silently does nothing."""

from collections import Counter
from typing import Any, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant

from shared.declaration.faults import did_you_mean, shown
from shared.web.faults import FieldFault
from shared.web.problems import Problem


async def known_query(request: Request) -> None:
    """Raises a 422 `Problem` for every parameter that the route does not take, or takes once and got more often."""
    if not request.scope["query_string"]:
        return
    taken = _parameters(request.scope["route"].dependant)
    unknown = sorted(set(request.query_params) - set(taken))
    if unknown:
        raise Problem(422, "unknown_parameter", errors=[_fault(name, sorted(taken)) for name in unknown[:20]])
    given = Counter(name for name, _ in request.query_params.multi_items())
    repeated = [name for name, count in given.items() if count > 1 and not _takes_many(taken[name])]
    if repeated:
        raise Problem(422, "repeated_parameter", errors=[_repeated(name, given[name]) for name in repeated[:20]])


def _fault(name: str, allowed: list[str]) -> FieldFault:
    remedy = did_you_mean(name, allowed) if allowed else "leave it out"
    return FieldFault(field=shown(name).strip("`"), message="there is no such parameter", remedy=remedy)


def _repeated(name: str, count: int) -> FieldFault:
    return FieldFault(field=name, message=f"is given {count} times", remedy="give it once")


def _parameters(dependant: Dependant) -> dict[str, Any]:
    """The types of all that a route takes, by name."""
    own = {str(parameter.alias): parameter.field_info.annotation for parameter in dependant.query_params}
    for nested in dependant.dependencies:
        own |= _parameters(nested)
    return own


def _takes_many(annotation: Any) -> bool:
    """Whether it is a list, or may be one."""
    return get_origin(annotation) is list or any(map(_takes_many, get_args(annotation)))

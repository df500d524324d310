"""Who is asking: API keys as bearer tokens, with scopes. Unknown and forbidden productions read alike: 404."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.principal import Principal, Scope
from shared.store.directory import Directory
from shared.web.limits import RateLimit
from shared.web.problems import Problem, not_found

_bearer = HTTPBearer(auto_error=False, scheme_name="key", description="An API key: `Authorization: Bearer <key>`")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
LONGEST_KEY = 200


class Gate:
    """Lets a request in, or not. `build_app` puts one into the application's state."""

    def __init__(self, directory: Directory, rate_limit: RateLimit) -> None:
        self._directory = directory
        self._rate_limit = rate_limit

    async def admit(self, secret: str | None) -> Principal:
        """The key's holder. Raises a 401 or 429 `Problem`."""
        if secret is None:
            raise _unauthorized("no_key", "send the header Authorization: Bearer <key>")
        principal = await self._directory.principal(secret) if len(secret) <= LONGEST_KEY else None
        if principal is None:
            raise _unauthorized("unknown_key", "the key is unknown, expired or revoked")
        await self._rate_limit.check(principal)
        return principal


def require(*scopes: Scope) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the holder of a key with any of `scopes` (none named: any valid key). 401, 403, 429."""

    async def admitted(request: Request, credentials: Credentials) -> Principal:
        gate: Gate = request.app.state.gate
        principal = await gate.admit(credentials.credentials if credentials else None)
        check_scope(principal, *scopes)
        return principal

    return admitted


def check_scope(principal: Principal, *scopes: Scope) -> None:
    """Raises a 403 `Problem` unless the key carries one of the scopes."""
    if scopes and not any(principal.may(scope) for scope in scopes):
        wanted = " or ".join(f"`{scope}`" for scope in scopes)
        raise Problem(403, "missing_scope", f"this needs a key with the scope {wanted}")


def check_sees(principal: Principal, production: str, what: str) -> None:
    """Raises the 404 of an unknown thing when the key does not reach its production."""
    if not principal.sees(production):
        raise not_found(what)


def _unauthorized(code: str, detail: str) -> Problem:
    challenge = 'Bearer realm="clearframe"' + (', error="invalid_token"' if code == "unknown_key" else "")
    return Problem(401, code, detail, headers={"WWW-Authenticate": challenge})

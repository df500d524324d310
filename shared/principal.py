"""Who is asking, and what they may do. Pure."""

from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal["upload", "read", "review", "approve", "operate", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
EVERY_PRODUCTION = "*"


@dataclass(frozen=True, slots=True)
class Principal:
    """An API key's holder. `admin` implies every scope; the production "*" is all of them."""

    key_id: str
    name: str
    person: str
    scopes: frozenset[Scope]
    productions: frozenset[str]

    def may(self, scope: Scope) -> bool:
        """Whether the key carries the scope."""
        return scope in self.scopes or "admin" in self.scopes

    def sees(self, production: str) -> bool:
        """Whether the key reaches this production. Forbidden reads like unknown: answer 404."""
        return EVERY_PRODUCTION in self.productions or production in self.productions

    def visible(self) -> frozenset[str] | None:
        """The productions to filter a list by; None for no filter."""
        return None if EVERY_PRODUCTION in self.productions else self.productions

"""What the golden cases share over HTTP: documents with a second person, and what a verdict says."""

from typing import Any

from tests.installation import Installation, Person, team, until

PERFORMER = "A. Performer"
APPROVERS = ("read", "review", "approve")


async def record(who: Person, second: Person, kind: str, *rules: str, **scope: Any) -> str:
    """A document of the production, confirmed by a second person; its id."""
    body = {"kind": kind, "rules": rules, "given_by": "The studio", "title": f"{kind} of the production"}
    made = await who.post("/documents", body | {"scope": {"production": who.production} | scope}, status=201)
    await second.post(f"/documents/{made['id']}/confirm")
    return str(made["id"])


async def trio(line: Installation, production: str) -> tuple[Person, Person, Person]:
    """Who uploads, who reviews, and the second person who confirms."""
    uma, rita = await team(line, production)
    return uma, rita, await line.person(f"sam of {production}", *APPROVERS, production=production)


async def resting_on(who: Person, asset_id: str, *rules: str) -> Any:
    """The verdict once these rules, and no others, weigh on it."""

    async def weighed() -> Any:
        verdict = await who.decided(asset_id)
        return verdict if counting(verdict) == set(rules) else None

    return await until(weighed, f"a verdict that rests on {rules or 'nothing'}")


def counting(verdict: Any) -> set[str]:
    """The rules that weigh on the outcome."""
    return {r["rule"] for r in verdict["reasons"] if not r["discharged_by"] and r["outcome"] != "clear"}


def fired(verdict: Any) -> set[str]:
    """The rows of the rules that fired and were not discharged, noted ones too."""
    return {r["rule"].partition("/")[0] for r in verdict["reasons"] if not r["discharged_by"]}


def lifted(verdict: Any) -> set[str]:
    """The rules that documents discharge."""
    return {r["rule"] for r in verdict["reasons"] if r["discharged_by"]}

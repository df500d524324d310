"""What a key sees of a verdict."""

from typing import Any

from shared.coarse import coarse, full
from shared.principal import Principal
from shared.verdicts import Verdict


def shown_to(who: Principal, verdict: Verdict) -> dict[str, Any]:
    """All of it for reviewers; no scores to probe with for others."""
    return full(verdict) if who.may("review") else coarse(verdict)

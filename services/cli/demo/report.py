"""The demo's report page: every upload beside the work it matched, with the rules that fired."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.cli.show import needs

OUTCOMES = (
    ("clear", ("clear", "the contact is informed", "Clear")),
    ("caution", ("caution", "flagged early, work goes on", "Caution: flagged early")),
    ("escalate", ("escalated", "a case is open, work waits", "Escalated: somebody must decide")),
)


@dataclass(frozen=True)
class Shown:
    """One upload of the demo with its verdict; `picture` is a path relative to the page, if there is one."""

    file: str
    shows: str
    picture: str | None
    verdict: Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """Everything that the page tells."""

    production: str
    shown: Sequence[Shown]
    works: Mapping[str, Mapping[str, str]]
    late_work: Mapping[str, str]
    ledger: Mapping[str, Any]
    replayed: int
    rescanned: int = 0
    changes: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def write_report(folder: Path, story: Story) -> Path:
    """Writes `index.html` into the folder. `story.works` maps a reference's id to its title and picture."""
    loader = PackageLoader("services.cli.demo", "")
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("report.html.j2")
    cards = [_card(shown, story.works) for shown in story.shown]
    path = folder / "index.html"
    path.write_text(
        page.render(
            production=story.production,
            rulebook=_rulebook(story.shown[0].verdict),
            outcomes=OUTCOMES,
            counts=Counter(card["outcome"] for card in cards),
            cards=cards,
            works=list(story.works.values()),
            late_work=story.late_work,
            ledger=story.ledger,
            replayed=story.replayed,
            rescanned=story.rescanned,
            changes=story.changes,
        )
    )
    return path


def _rulebook(verdict: Mapping[str, Any]) -> str:
    rulebook = verdict["versions"]["rulebook"]
    return f"{rulebook['id']} {rulebook['version']}"


def _card(shown: Shown, works: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    verdict = shown.verdict
    matches = [finding for finding in verdict["findings"] if finding["kind"] == "reference_match"]
    return {
        "file": shown.file,
        "shows": shown.shows,
        "picture": shown.picture,
        "title": verdict.get("title") or shown.file,
        "outcome": verdict["outcome"],
        "summary": verdict["summary"],
        "reasons": [dict(reason) | {"needs": needs(reason.get("needs") or ())} for reason in verdict["reasons"]],
        "regions": [_points(match["upload_region"]) for match in matches],
        "works": [_work(match, works) for match in matches],
    }


def _work(match: Mapping[str, Any], works: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    work = works[match["reference"]["id"]]
    turned = match["transform"].replace("_", " ") if match["transform"] != "identity" else "the same way up"
    if match["detector"] == "local":
        near = f"{match['coverage_of_reference']:.0%} of the work, on {match['share_of_upload']:.0%} of the upload"
    else:
        near = f"{match['distance']} of 256 bits apart" if match["detector"] == "pdq" else "the very same file"
    region = _points(match["reference_region"])
    return {"title": work["title"], "picture": work["picture"], "region": region, "how": f"{turned}; {near}"}


def _points(region: Sequence[Sequence[float]]) -> str:
    return " ".join(f"{x:.4f},{y:.4f}" for x, y in region)

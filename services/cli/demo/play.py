"""The demo's course: registers works, uploads, waits for verdicts, rescans, proves the record, writes the report."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console
from rich.progress import Progress

from services.cli import show
from services.cli.api import Api
from services.cli.demo.edits import jpeg
from services.cli.demo.report import Shown, Story, write_report
from services.cli.demo.scenario import LATE_WORK, PRODUCTION, UPLOADS, Upload
from services.cli.demo.works import WORKS
from services.cli.failure import CommandFailed
from services.cli.references import answered

_THUMBNAIL = (480, 480)


class Play:
    """The demo's course. `run` returns what did not come out as stated."""

    def __init__(self, api: Api, folder: Path, out: Console) -> None:
        self._api = api
        self._report = folder / "report"
        self._out = out
        self._works: dict[str, dict[str, str]] = {}

    def run(self) -> list[str]:
        self._api.call("PUT", f"/v1/productions/{PRODUCTION}", json={"title": "Atlas", "contact": "studio@example.com"})
        for name, (title, label, draw) in self._steps("registering works", list(WORKS.items())):
            self._register(name, title, label, jpeg(draw, quality=92)())
        shown = [self._upload(upload) for upload in self._steps("screening uploads", UPLOADS)]
        self._print_table(shown)
        wrong = [fault for upload, seen in zip(UPLOADS, shown, strict=True) for fault in _faults(upload, seen.verdict)]
        job = self._rescan()
        wrong += self._rescan_faults(job, shown)
        ledger = self._api.post("/v1/ledger/verify")
        replayed = [self._api.post(f"/v1/verdicts/{seen.verdict['id']}/replay")["same"] for seen in shown]
        wrong += [] if ledger["intact"] else ["the ledger is broken"]
        wrong += [] if all(replayed) else ["a replay differs"]
        self._print_end(job, ledger, len(replayed))
        late = {"title": LATE_WORK[1]}
        story = Story(PRODUCTION, shown, self._works, late, ledger, len(replayed), job["total"], job["changed"])
        write_report(self._report, story)
        return wrong

    def _steps(self, what: str, items: Sequence[Any]) -> Iterator[Any]:
        with Progress(console=self._out, transient=True, disable=not self._out.is_terminal) as progress:
            task = progress.add_task(what, total=len(items))
            for item in items:
                yield item
                progress.advance(task)

    def _register(self, name: str, title: str, label: str, picture: bytes) -> None:
        details = {"title": title, "bank": "protected", "owner": "the demo's estate", "label": label}
        parts = {
            "reference": (None, json.dumps(details), "application/json"),
            "file": (f"{name}.jpg", picture, "image/jpeg"),
        }
        reference = answered(self._api, self._api.call("POST", "/v1/references", files=parts))
        self._works[reference["id"]] = {"title": title, "picture": self._thumbnail(f"work-{name}.jpg", picture) or ""}

    def _upload(self, upload: Upload) -> Shown:
        parts = {
            "declaration": (None, json.dumps(upload.declared), "application/json"),
            "file": (upload.name, upload.make()),
        }
        asset = self._api.call("POST", "/v1/assets", files=parts)
        verdict = self._api.get(f"/v1/assets/{asset['id']}", wait=60)["verdict"]
        if verdict is None:
            raise CommandFailed(f"{upload.name} was not decided within a minute")
        return Shown(upload.name, upload.shows, self._thumbnail(f"upload-{upload.name}.jpg", upload.make()), verdict)

    def _thumbnail(self, name: str, content: bytes) -> str | None:
        """None for what is no whole picture; these bytes are the demo's own, so that decoding them here is safe."""
        try:
            image = Image.open(io.BytesIO(content)).convert("RGB")
        except OSError:
            return None
        image.thumbnail(_THUMBNAIL)
        image.save(self._report / name, quality=85)
        return name

    def _rescan(self) -> Any:
        name, title, label, draw = LATE_WORK
        self._register(name, title, label, jpeg(draw, quality=92)())
        job = self._api.post("/v1/rescans", {"scope": {"production": PRODUCTION}, "with": ["references"]})
        with Progress(console=self._out, transient=True, disable=not self._out.is_terminal) as progress:
            task = progress.add_task("rescanning", total=job["total"])
            while job["status"] not in ("done", "cancelled", "failed"):
                job = self._api.get(f"/v1/rescans/{job['id']}", wait=10)
                progress.update(task, completed=job["done"], total=job["total"])
        return job

    def _rescan_faults(self, job: dict[str, Any], shown: list[Shown]) -> list[str]:
        stated = {
            seen.verdict["asset_id"]: upload.after_rescan
            for upload, seen in zip(UPLOADS, shown, strict=True)
            if upload.after_rescan
        }
        changed = {change["asset_id"]: change["after"] for change in job["changed"]}
        return [] if changed == stated else [f"the rescan changed {changed} instead of {stated}"]

    def _print_table(self, shown: list[Shown]) -> None:
        rows = [
            (show.outcome(seen.verdict["outcome"]), seen.file, f"[dim]{show.rules(seen.verdict)}[/]", seen.shows)
            for seen in shown
        ]
        self._out.print(show.table("", ("verdict", "upload", "rules that fired", "what it is"), rows))

    def _print_end(self, job: dict[str, Any], ledger: dict[str, Any], replayed: int) -> None:
        late, total = LATE_WORK[1], job["total"]
        self._out.print(f"\n[bold]{late}[/] is registered late. A rescan takes all {total} uploads again:")
        for change in job["changed"]:
            self._out.print(f"  {change['title']}: {show.outcome(change['before'])} -> {show.outcome(change['after'])}")
        entries = ledger["entries"]
        self._out.print(f"\nLedger: {entries} verdicts, intact. Replay: {replayed} decided again, the same.")


def _faults(upload: Upload, verdict: Mapping[str, Any]) -> Iterator[str]:
    fired = {reason["rule"].partition("/")[0] for reason in verdict["reasons"]}
    if verdict["outcome"] != upload.outcome:
        yield f"{upload.name}: {verdict['outcome']} instead of {upload.outcome}"
    for rule in upload.rules:
        if rule not in fired:
            yield f"{upload.name}: {rule} did not fire"

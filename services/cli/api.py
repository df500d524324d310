"""A small client of the HTTP API: problems become `CommandFailed`, lists are walked page by page."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2

from services.cli.failure import CommandFailed
from services.cli.session import FAILED, USAGE, Session

_ANSWER_SECONDS = 90.0  # longer than the longest `wait`


class Api:
    """One connection to the service. Use as a context manager."""

    def __init__(self, session: Session) -> None:
        headers = {"Authorization": f"Bearer {session.key}"} if session.key else {}
        timeout = httpx2.Timeout(_ANSWER_SECONDS, connect=5.0)
        self._url = session.url
        self._client = httpx2.Client(base_url=session.url, headers=headers, timeout=timeout)

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of the answer; None for an empty one. Raises `CommandFailed`."""
        try:
            answer = self._client.request(method, path, **options)
        except httpx2.TransportError as error:
            raise CommandFailed(_unreachable(self._url, error)) from error
        if answer.is_error:
            raise _failure(answer)
        return answer.json() if answer.content else None

    def content(self, path: str) -> bytes:
        """The bytes of an answer that is a file. Raises `CommandFailed`."""
        try:
            answer = self._client.get(path)
        except httpx2.TransportError as error:
            raise CommandFailed(_unreachable(self._url, error)) from error
        if answer.is_error:
            raise _failure(answer)
        return answer.content

    def get(self, path: str, **params: Any) -> Any:
        """`GET`, leaving out parameters that are None."""
        return self.call("GET", path, params={name: value for name, value in params.items() if value is not None})

    def post(self, path: str, body: Any = None) -> Any:
        """`POST` with a JSON body."""
        return self.call("POST", path, json={} if body is None else body)

    def items(self, path: str, *, most: int | None = None, **params: Any) -> Iterator[Any]:
        """Every item of a list, page after page."""
        after, count = None, 0
        while True:
            page = self.get(path, after=after, limit=min(most or 200, 200), **params)
            for item in page["items"]:
                yield item
                count += 1
                if most is not None and count >= most:
                    return
            after = page["next"]
            if after is None:
                return

    def stream(self, path: str, last_id: str | None = None, **params: Any) -> Iterator[tuple[str, Any]]:
        """(id, data) of each server-sent event, for ever. Raises `CommandFailed` when the connection ends."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        wanted = {name: value for name, value in params.items() if value is not None}
        try:
            with self._client.stream("GET", path, params=wanted, headers=headers, timeout=None) as answer:
                if answer.is_error:
                    answer.read()
                    raise _failure(answer)
                yield from _events(answer.iter_lines())
        except httpx2.TransportError as error:
            raise CommandFailed(_unreachable(self._url, error)) from error


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name, data = "", []
    for line in lines:
        if line.startswith("id:"):
            name = line[3:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].strip())
        elif not line and data:
            yield name, json.loads("\n".join(data))
            data = []


def _unreachable(url: str, error: Exception) -> str:
    return f"no answer from {url} ({error}). Is it running? Start it with: clearframe up"


def _failure(answer: httpx2.Response) -> CommandFailed:
    try:
        problem = answer.json()
    except ValueError:
        return CommandFailed(f"{answer.status_code}: {answer.text[:300]}")
    lines = [problem.get("detail") or problem.get("title") or str(answer.status_code)]
    lines += [
        f"  {fault.get('field')}: {fault.get('message')}. {fault.get('remedy') or ''}"
        for fault in problem.get("errors") or []
    ]
    return CommandFailed("\n".join(lines), FAILED if answer.is_server_error else USAGE)

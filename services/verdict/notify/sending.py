"""Posts one webhook: no redirects, a deadline over all, and an answer that is read only so far."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from services.verdict.notify.addresses import RefusedAddress, check_url

_MOST_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `error` is None exactly when the endpoint took the message."""

    status: int | None = None
    error: str | None = None
    retry_after: float | None = None


class Sender:
    """Sends to checked addresses. Close it when done."""

    def __init__(self, *, timeout_seconds: float, allow_loopback: bool) -> None:
        self._deadline = timeout_seconds
        self._allow_loopback = allow_loopback
        # A kept connection to one name could be reused for another name at the same address: keep none.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._client = httpx2.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=timeout_seconds, limits=limits, http2=False
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One attempt; whatever goes wrong with the endpoint is in the answer."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._post(url, body, headers)
        except TimeoutError:
            return Answer(error=f"no answer within {self._deadline:g} s")
        except RefusedAddress as error:
            return Answer(error=str(error))
        except httpx2.HTTPError as error:
            return Answer(error=f"{type(error).__name__}: {error}"[:500])

    async def close(self) -> None:
        """Lets the connections go."""
        await self._client.aclose()

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        target = await check_url(url, allow_loopback=self._allow_loopback)
        request = self._client.build_request(
            "POST",
            target.url,
            content=body,
            headers={**headers, "Host": target.host_header},
            extensions={"sni_hostname": target.host},
        )
        response = await self._client.send(request, stream=True)
        try:
            await _read_some(response)
        finally:
            await response.aclose()
        return _answer(response)


async def _read_some(response: httpx2.Response) -> None:
    """Enough for a polite close; a body without end is cut off."""
    seen = 0
    async for chunk in response.aiter_raw():
        seen += len(chunk)
        if seen > _MOST_ANSWER_BYTES:
            return


def _answer(response: httpx2.Response) -> Answer:
    if response.is_success:
        return Answer(response.status_code)
    asked = response.headers.get("retry-after", "")
    what = "redirects are not followed" if response.is_redirect else "not accepted"
    wait = float(asked) if _digits(asked) else None
    return Answer(response.status_code, f"status {response.status_code}: {what}", wait)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 8

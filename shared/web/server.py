"""Runs the HTTP server and every worker in one process, and stops them in the right order."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import structlog
import uvicorn

from shared.errors import ConfigurationError
from shared.service import Service, Worker
from shared.web.app import Application

_REQUESTS_SECONDS = 10
_WORKERS_SECONDS = 12.0
_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """Tells open streams to end before it waits for them, and leaves the way out to `serve`."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self._closing = closing

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops on SIGTERM and SIGINT without raising them again afterwards: the workers have still to drain."""
        loop, signals = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
        try:
            for number in signals:
                loop.add_signal_handler(number, self.handle_exit, number, None)
        except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            yield
            return
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: open streams end, then the server drains."""
        self._closing.set()
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """The same without a signal."""
        self._closing.set()
        self.should_exit = True


async def serve(
    app: Application,
    services: Sequence[Service],
    host: str = "127.0.0.1",
    port: int = 8484,
    *,
    started: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Until SIGTERM, SIGINT or `stop`; drains within 25 s. `started` gets the address. Raises what broke a worker.

    Raises `ConfigurationError` when the address cannot be taken.
    """
    listener = listen(host, port)
    config = uvicorn.Config(
        app,
        lifespan="off",
        http="h11",  # limits the size of headers, which httptools does not
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_REQUESTS_SECONDS,
        timeout_keep_alive=30,
    )
    server, stopping = _Server(config, app.state.closing), asyncio.Event()
    workers = [_start(worker, stopping, server) for service in services for worker in service.workers]
    watch = [asyncio.create_task(_stop_when(stop, server))] if stop else []
    if started is not None:
        started(_address(listener))
    try:
        await server.serve(sockets=[listener])
    finally:
        listener.close()
        # Workers stop after the server, so that the outbox still sends what the last requests left there.
        stopping.set()
        for task in watch:
            task.cancel()
        await _finish(workers)


def _start(worker: Worker, stopping: asyncio.Event, server: _Server) -> "asyncio.Task[None]":
    async def run() -> None:
        await worker.run(stopping)

    def ended(task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            _log.error("worker_failed", worker=worker.name, exc_info=task.exception())
            server.stop()

    task = asyncio.create_task(run(), name=worker.name)
    task.add_done_callback(ended)
    return task


async def _finish(workers: Sequence["asyncio.Task[None]"]) -> None:
    if not workers:
        return
    _, late = await asyncio.wait(workers, timeout=_WORKERS_SECONDS)
    for task in late:
        _log.warning("worker_cut_off", worker=task.get_name(), seconds=_WORKERS_SECONDS)
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    broken = [error for task in workers if not task.cancelled() and (error := task.exception()) is not None]
    if broken:
        raise BaseExceptionGroup("workers failed", broken) if len(broken) > 1 else broken[0]


async def _stop_when(stop: asyncio.Event, server: _Server) -> None:
    await stop.wait()
    server.stop()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket whose connections answer at once. Raises `ConfigurationError` when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio turn Nagle's algorithm off, which holds each answer for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"{host}:{port} cannot be taken ({error.strerror}); use another --port") from error
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

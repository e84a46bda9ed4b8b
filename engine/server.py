"""One engine in the foreground: its socket, its connection file, its signals."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path

from engine import __version__, services
from engine.connection import Connection
from engine.context import Engine
from engine.settings import Settings

_log = logging.getLogger("engine")
_LOCK_SECONDS = 0.5


class Busy(Exception):
    """Another engine owns the data directory."""


class PortTaken(Exception):
    """Another program listens on the port that was asked for."""


@contextlib.contextmanager
def owned(lock: Path) -> Iterator[TextIOWrapper]:
    """Hold the data directory's lock; it goes with the process, however that ends.

    Raises:
        Busy: Another process holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with lock.open("a+") as file:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                # Somebody who only looks whether the lock is free holds it for a moment, too.
                if time.monotonic() > deadline:
                    file.seek(0)
                    pid = file.read().strip() or "unknown"
                    raise Busy(f"an engine (process {pid}) already runs on {lock.parent}") from error
                time.sleep(0.02)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file


def bind_stable(host: str, port: int, memory: Path) -> socket.socket:
    """A listening socket on ``port``; for 0 on the port that ``memory`` remembers, when it is free, else on any.

    Shells and notebooks keep the address of an engine: it answers there again after a restart.

    Raises:
        PortTaken: The port that was asked for is not free.
        OSError: The host is not this machine's.
    """
    try:
        listener = bind(host, port or _remembered(memory))
    except OSError as error:
        if port:
            raise PortTaken(
                f"port {port} cannot be used ({error.strerror}); choose another with --port, or none"
            ) from error
        listener = bind(host, 0)
    memory.write_text(f"{listener.getsockname()[1]}\n")
    return listener


def _remembered(memory: Path) -> int:
    try:
        text = memory.read_text().strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() and int(text) < 65536 else 0


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: The port is taken, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
        listener.set_inheritable(False)
    except BaseException:
        listener.close()
        raise
    return listener


def serve(settings: Settings, listener: socket.socket, announce: Callable[[str], None]) -> None:
    """Run an engine on ``listener`` until SIGTERM or SIGINT; the caller owns the data directory."""
    runner = asyncio.run
    if sys.platform != "win32":
        with contextlib.suppress(ImportError):
            import uvloop

            runner = uvloop.run
    runner(_serve(settings, listener, announce))


async def _serve(settings: Settings, listener: socket.socket, announce: Callable[[str], None]) -> None:
    import uvicorn

    class _Server(uvicorn.Server):
        """Leaves signals to the engine: uvicorn would raise them again after its end, and the stores would not be closed."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    logging.getLogger("uvicorn").setLevel(logging.WARNING)

    from engine.app import Application
    from engine.control import Control

    services.load()
    settings.port = listener.getsockname()[1]  # jobs and models reach the engine by it
    engine = Engine(settings)
    await engine.start()
    nonce = secrets.token_hex(16)
    connection = _connection(settings, listener, nonce)
    server = _Server(
        uvicorn.Config(
            Application(engine, Control(engine, nonce)),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
            ws="none",
        )
    )
    loop = asyncio.get_running_loop()

    def leave() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    file = engine.layout.connection
    try:
        connection.write(file)
        _log.info(
            "engine %s of account %s answers on %s (pid %d)",
            __version__,
            settings.account_id,
            connection.url,
            os.getpid(),
        )
        announce(connection.url)
        await server.serve([listener])
    finally:
        file.unlink(missing_ok=True)
        await engine.stop()
        _log.info("engine stopped")


def _connection(settings: Settings, listener: socket.socket, nonce: str) -> Connection:
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return Connection(
        url=f"http://{host}:{port}",
        host=settings.host,
        port=port,
        pid=os.getpid(),
        nonce=nonce,
        started=time.time(),
        version=__version__,
        region=settings.region,
        account_id=settings.account_id,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        role_arn=settings.role_arn,
        default_bucket=settings.default_bucket,
        data_dir=str(settings.data_dir),
        time_scale=settings.time_scale,
        test_mode=settings.test_mode,
    )

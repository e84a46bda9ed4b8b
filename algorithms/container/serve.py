"""The serving contract: ``python -m algorithms.container.serve`` loads the model and answers ``/ping`` and ``/invocations``."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from algorithms.container.serving import Servant
from algorithms.container.serving_environment import Environment, ServingError, install_requirements

log = logging.getLogger("serving")

GRACE_SECONDS = 5.0
"""How long running predictions may take to end after SIGTERM."""


PARENT = "MLCONSOLE_PARENT_PID"
"""Names the process without which this one has nothing to do."""


def follow(parent: str) -> None:
    """End when the process with this id ends, however it ends; without an id nothing happens."""
    if not parent.isdigit():
        return
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(1)
        os._exit(1)

    # It may have ended before the kernel was told, and other systems cannot be told.
    if os.getppid() != int(parent):
        os._exit(1)
    if not sys.platform.startswith("linux"):
        threading.Thread(target=watch, name="follow", daemon=True).start()


def script_model(environment: Environment) -> Servant:
    """The model of a framework container: the user's module over the framework's defaults.

    Raises:
        ServingError: The user's script or its requirements cannot be had.
    """
    # What there is to say of the framework, for example that it is of another version than the image's.
    for said in sys.argv[1:]:
        log.info("%s", said)
    directories = environment.code_directories()
    for directory in directories:
        requirements = directory / "requirements.txt"
        if requirements.is_file():
            install_requirements(requirements, environment.base_dir / "packages")
            break
    module = environment.module(directories)
    # numpy and the framework come after the requirements, which may bring versions of their own.
    from algorithms.container.serving_frameworks import framework
    from algorithms.container.serving_model import Model

    defaults = framework(environment.framework, environment.model_dir, environment.default_accept)
    return Model.of(defaults, module, str(environment.model_dir), environment.default_accept)


def main(load: Callable[[Environment], Servant] = script_model) -> int:
    """Load and serve until SIGTERM; the exit status is 1 when the model cannot be served."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    follow(os.environ.pop(PARENT, ""))
    try:
        environment = Environment.read(os.environ)
    except ServingError as error:
        print(f"ERROR: {error}", file=sys.stderr, flush=True)
        return 1
    logging.basicConfig(
        level=environment.log_level,
        stream=sys.stdout,
        format="%(asctime)s %(levelname)s - %(name)s - %(message)s",
    )
    began = time.monotonic()
    try:
        model = load(environment)
    except ServingError as error:
        log.error("%s", error)
        return 1
    except Exception:
        log.exception("The model could not be loaded.")
        return 1
    log.info("Model loaded in %.2f s", time.monotonic() - began)
    gc.collect()
    gc.freeze()
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    asyncio.run(_serve(environment, model))
    return 0


async def _serve(environment: Environment, model: Servant) -> None:
    from algorithms.container.serving_http import Connection, Predictor

    loop = asyncio.get_running_loop()
    predictor = Predictor(model, environment.workers)

    def connect() -> Connection:
        return Connection(model, predictor, environment.workers)

    if environment.socket:
        Path(environment.socket).unlink(missing_ok=True)
        server = await loop.create_unix_server(connect, environment.socket, backlog=1024)
    else:
        server = await loop.create_server(connect, "127.0.0.1", environment.port, backlog=1024)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    log.info("Serving on %s", environment.socket or f"127.0.0.1:{environment.port}")
    await ended.wait()
    server.close()
    deadline = loop.time() + GRACE_SECONDS
    while predictor.waiting and loop.time() < deadline:
        await asyncio.sleep(0.02)
    if environment.socket:
        Path(environment.socket).unlink(missing_ok=True)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking a framework's interpreter apart takes half a second and can crash; there is nothing left to save.
    os._exit(status)

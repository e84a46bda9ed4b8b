"""What the engine answers about itself, below ``/_engine/``: no secrets to anybody, and a reset to those who may."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from typing import Any
from urllib.parse import parse_qsl

from engine import __version__
from engine.context import Engine
from engine.errors import ServiceError
from engine.freshness import Code
from engine.hosts import is_loopback
from engine.http import Request, Response
from engine.protocol import signature
from engine.protocol.models import CONTROL

_log = logging.getLogger("engine")


class Control:
    """Health, counts and, in test mode, the reset."""

    def __init__(self, engine: Engine, nonce: str) -> None:
        self.engine = engine
        self.nonce = nonce
        self.code = Code()

    async def answer(self, request: Request) -> Response:
        """The response to a request below ``/_engine/``."""
        what = request.path.removeprefix("/_engine/")
        if what == "health" and request.method in ("GET", "HEAD"):
            return _json(200, self.health())
        if what == "reset" and request.method == "POST":
            return await self._reset(request)
        if what.startswith("packages/") and request.method in ("GET", "HEAD"):
            return await self._package(request, what.removeprefix("packages/").removesuffix(".zip"))
        return _json(404, {"message": f"There is no {request.method} {request.path}."})

    def health(self) -> dict[str, Any]:
        """What anybody on this machine may know of the engine."""
        return {
            "status": "ok",
            "version": __version__,
            "pid": os.getpid(),
            "nonce": self.nonce,
            "outdated": self.code.changed,
        }

    async def _package(self, request: Request, digest: str) -> Response:
        """A function's or layer's zip, for who has the URL that Lambda's answers hold."""
        packages = self.engine.functions.packages
        told = dict(parse_qsl(request.query))
        admitted = packages.admits(
            digest, told.get("Expires", ""), told.get("Signature", ""), self.engine.clock.time()
        )
        if not admitted:
            return _json(403, {"message": "This URL has expired, or it was not made by this engine."})
        try:
            body = await asyncio.to_thread(packages.zip(digest).read_bytes)
        except FileNotFoundError:
            return _json(404, {"message": "This package was deleted."})
        return Response(200, {"content-type": "application/zip"}, body)

    async def _reset(self, request: Request) -> Response:
        body = await request.body(4096)
        try:
            claim = signature.claim(request.headers, request.query)
            if claim is not None:
                signature.check(
                    claim,
                    self.engine.keys.find(claim.access_key),
                    CONTROL,
                    CONTROL.wire,
                    method=request.method,
                    path=request.path,
                    query=request.query,
                    headers=request.headers,
                    payload=hashlib.sha256(body).hexdigest(),
                    now=self.engine.clock.time(),
                )
            elif not self.engine.settings.test_mode:
                return _json(
                    403, {"message": "Only an engine in test mode can be reset by an unsigned request."}
                )
            # A page in a browser can send a POST to loopback, under its own or under a rebound host name.
            elif "origin" in request.headers or not is_loopback(request.headers.get("host", "")):
                return _json(
                    403, {"message": "An unsigned reset must come from this machine, not from a web page."}
                )
        except ValueError as error:
            return _json(400, {"message": str(error)})
        except ServiceError as error:
            return _json(error.status, {"code": error.code, "message": error.message})
        await self.engine.reset()
        _log.info("reset: everything was wiped")
        return _json(200, {"status": "reset"})


def _json(status: int, document: dict[str, Any]) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(document).encode())

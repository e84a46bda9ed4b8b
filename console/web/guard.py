"""Who may come in: the person who was given the address, through a browser that shows our own page.

Other users of the machine lack the token. A page of another origin lacks the cookie (SameSite) and has another ``Origin``
(cross-site WebSocket hijacking); one that rebound its own name to 127.0.0.1 has that name in ``Host`` (DNS rebinding).
"""

from __future__ import annotations

import html
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Names under which a browser reaches this machine, or through ``ssh -L`` the one where the console runs."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def loopback(host: str) -> bool:
    """Whether the ``Host`` header of a request, with or without a port, names this machine."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


class Guard:
    """Middleware that lets pass who has the token: in the address at first, in a cookie afterwards."""

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        self._cookie = f"mlconsole-{port}"  # cookies are shared by all ports of a host

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer 403 with what to do, or hand the request on."""
        response = await self._answer(request, handler)
        if not response.prepared:
            response.headers.setdefault("Content-Security-Policy", _policy(request.host))
            response.headers.setdefault("Cache-Control", "no-store")
            for name, value in (
                ("X-Content-Type-Options", "nosniff"),
                ("Referrer-Policy", "no-referrer"),
                ("Cross-Origin-Resource-Policy", "same-origin"),
                ("Cross-Origin-Opener-Policy", "same-origin"),
            ):
                response.headers[name] = value
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not loopback(request.host):
            return refusal(
                f"This console answers to 127.0.0.1 and localhost, not to {request.host}.",
                "Open the address that mlconsole serve has printed. From another machine, go through SSH: "
                "ssh -L PORT:127.0.0.1:PORT HOST, then open the address with localhost.",
            )
        origin = request.headers.get("Origin")
        upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
        if (origin is not None or upgrade) and origin != f"http://{request.host}":
            return refusal(
                f"A page of {origin or 'unknown origin'} may not open this console.",
                "Open the address that mlconsole serve has printed.",
            )
        given = request.query.get("token")
        if given is not None and request.path == "/":
            if not self._fits(given):
                return refusal(*_WRONG)
            entered = web.Response(
                status=303, headers={"Location": "/"}
            )  # keeps the token out of the address bar
            entered.set_cookie(self._cookie, self.token, path="/", httponly=True, samesite="Lax")
            return entered
        if not self._fits(request.cookies.get(self._cookie, "")):
            return refusal(*_WRONG)
        try:
            return await handler(request)
        except web.HTTPException as answer:
            return answer

    def _fits(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


_WRONG = (
    "The address lacks the token of this console, or has an old one.",
    "Open the whole address that mlconsole serve has printed on its terminal, with ?token=…; each start of it makes a new one.",
)


def refusal(sentence: str, remedy: str, status: int = 403) -> web.Response:
    """A page that says why it is not the console, and what to do."""
    return web.Response(
        status=status,
        content_type="text/html",
        charset="utf-8",
        text=(
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>mlconsole</title><style>'
            "body{background:#0c181f;color:#f2f2f2;font:16px/1.5 monospace;max-width:42em;margin:4em auto;padding:0 1em}"
            f"</style></head><body><p><strong>{html.escape(sentence)}</strong></p><p>{html.escape(remedy)}</p></body></html>\n"
        ),
    )


def _policy(host: str) -> str:
    """The content security policy; older browsers do not count WebSockets of the same host as 'self'."""
    return _POLICY.format(sockets=f"ws://{host}" if loopback(host) else "").replace(" ;", ";")

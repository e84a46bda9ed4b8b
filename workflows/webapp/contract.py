"""Tests a web app end to end, on its live path: what the page relies on, and what happens to requests that are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from algorithms.reviews import bag
from algorithms.reviews.bag import Vocabulary
from workflows.observe.gateway import Gateway
from workflows.problem import Problem
from workflows.webapp import visit
from workflows.webapp.function import handler
from workflows.webapp.parts import Parts
from workflows.webapp.visit import Reply

REVIEW = "This film was a wonderful surprise: great acting, a good story, and not one dull minute."
CLOSE = 1e-6
"""How far the page's probability may be from the endpoint's own: nothing is computed between them."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was tested, whether it held, what was seen; ``reply`` is the answer it looked at."""

    name: str
    held: bool
    seen: str
    reply: Reply | None = None


def test(
    gateway: Gateway, found: Parts, vocabulary: Vocabulary | None, review: str = REVIEW, missing: str = ""
) -> list[Check]:
    """All checks, in order; nothing is changed.

    Args:
        found: The web app.
        vocabulary: Its vocabulary, to ask the endpoint directly; None where the model takes the review itself.
        missing: Why the endpoint cannot be asked directly.

    Raises:
        Problem: It is incomplete: there is no stage to be asked.
    """
    if not found.url:
        raise Problem(
            f"Web app {found.name} is {found.state}: it has no stage.",
            "Create it again, which makes what is missing.",
            "incomplete",
        )
    url = found.url
    version = found.environment.get("VOCABULARY", "")
    large = b"x" * (handler.MOST + 1)
    return [
        _check("the page", lambda: visit.send("GET", url), _page),
        _check("CORS preflight", lambda: visit.send("OPTIONS", f"{url}verdict", headers={"Origin": "null", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}), _preflight),
        _check("a review gets a verdict", lambda: visit.ask(url, review), lambda reply: _verdict(reply, version)),
        _check("it is the endpoint's own answer", lambda: visit.ask(url, review), lambda reply: (False, missing) if missing else _same(gateway, found, vocabulary, review, reply)),
        _check("plain text is a review as well", lambda: visit.send("POST", f"{url}verdict", review.encode(), {"Content-Type": "text/plain"}), lambda reply: _verdict(reply, version)),
        _check("no text is refused", lambda: visit.ask(url, "  "), lambda reply: _refused(reply, 400, "empty")),
        _check("broken JSON is refused", lambda: visit.send("POST", f"{url}verdict", b'{"review": ', {"Content-Type": "application/json"}), lambda reply: _refused(reply, 400, "bad-body")),
        _check("a large body is refused", lambda: visit.send("POST", f"{url}verdict", large, {"Content-Type": "text/plain"}), lambda reply: _refused(reply, 413, "too-large")),
    ]  # fmt: skip


def _check(name: str, ask: Callable[[], Reply], judge: Callable[[Reply], tuple[bool, str]]) -> Check:
    try:
        reply = ask()
    except OSError as error:
        return Check(name, False, f"The API cannot be reached: {error}.")
    held, seen = judge(reply)
    return Check(name, held, seen, reply)


def _page(reply: Reply) -> tuple[bool, str]:
    kind = reply.headers.get("content-type", "")
    held = reply.status == 200 and kind.startswith("text/html") and b"<textarea" in reply.body
    return held, f"{reply.status}, {kind}, {len(reply.body):,} bytes"


def _preflight(reply: Reply) -> tuple[bool, str]:
    allowed = {
        name: reply.headers.get(f"access-control-allow-{name}", "")
        for name in ("origin", "methods", "headers")
    }
    held = (
        reply.status in (200, 204)
        and allowed["origin"] == "*"
        and "POST" in allowed["methods"]
        and "content-type" in allowed["headers"].lower()
    )
    return held, f"{reply.status}, " + ", ".join(
        f"{name} {value or 'nothing'}" for name, value in allowed.items()
    )


def _verdict(reply: Reply, version: str) -> tuple[bool, str]:
    told = reply.document
    probability = told.get("probability")
    held = (
        reply.status == 200
        and reply.headers.get("access-control-allow-origin") == "*"
        and isinstance(probability, float | int)
        and told.get("verdict") == ("positive" if probability >= 0.5 else "negative")
        and bool(told.get("model"))
        and told.get("vocabulary") == (version or None)
    )
    return held, _words(reply)


def _same(
    gateway: Gateway, found: Parts, vocabulary: Vocabulary | None, review: str, reply: Reply
) -> tuple[bool, str]:
    asked: dict[str, Any] = {
        "EndpointName": found.environment["ENDPOINT"],
        "ContentType": found.environment["CONTENT_TYPE"],
    }
    if vocabulary is None:
        asked["Body"] = review.encode()
    else:
        counts = vocabulary.count(review)
        text = (
            bag.libsvm(counts) if asked["ContentType"] == "text/libsvm" else bag.csv(counts, len(vocabulary))
        )
        asked |= {"Body": text.encode(), "Accept": "text/csv"}
    try:
        answer = gateway.client("sagemaker-runtime").invoke_endpoint(**asked)
        direct = handler.number(answer["Body"].read())
    except handler.Refusal as refusal:
        return False, str(refusal)
    except Exception as error:
        from workflows.explain import explain

        return False, f"The endpoint, asked directly: {explain(error, gateway.target).sentence}"
    told = reply.document.get("probability")
    held = isinstance(told, float | int) and abs(told - direct) <= CLOSE
    return held, f"{told} through the page's API, {direct} from the endpoint"


def _refused(reply: Reply, status: int, code: str) -> tuple[bool, str]:
    told = reply.document
    held = (
        reply.status == status
        and told.get("code") == code
        and bool(told.get("error"))
        and reply.headers.get("access-control-allow-origin") == "*"
    )
    return held, _words(reply)


def _words(reply: Reply) -> str:
    told = reply.document
    if "verdict" in told:
        return f"{reply.status}, {told['verdict']}, {told.get('probability')}"
    words = told.get("error") or (json.dumps(told) if told else reply.body[:80].decode("utf-8", "replace"))
    return f"{reply.status}, {words}"

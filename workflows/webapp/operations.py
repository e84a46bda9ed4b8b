"""What commands and lessons do with web apps: drafting one for an endpoint, listing them, telling all of one, testing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from algorithms.reviews.bag import Vocabulary
from workflows.observe.gateway import Gateway
from workflows.problem import Problem
from workflows.safety.changes import change
from workflows.webapp import contract, parts, record, serving
from workflows.webapp.contract import REVIEW, Check
from workflows.webapp.definition import RATE, WebApp

PER_MILLION = 4.1
"""US dollars for a million questions on AWS, us-east-1 in 2026: API Gateway REST 3.50, Lambda 0.20 and 0.1 s of 256 MB each 0.42."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A web app for people. ``state`` is ready, incomplete or gone; ``endpoint_state`` what its endpoint is; ``page`` a file."""

    name: str
    state: str
    endpoint: str = ""
    endpoint_state: str = ""
    content_type: str = ""
    vocabulary: str = ""
    url: str = ""
    page: str = ""
    parts: tuple[tuple[str, str], ...] = field(default=())


def draft(
    gateway: Gateway,
    endpoint: str,
    *,
    name: str = "",
    vocabulary: str = "",
    content_type: str = "",
    adopt: bool = False,
    rate: float = RATE,
) -> tuple[WebApp, Vocabulary | None]:
    """The web app of an endpoint and the vocabulary to pack; reads, changes nothing.

    Args:
        vocabulary: A file or an S3 URI; empty: where the models' tags lead to.
        content_type: Empty: what the models' image takes; a script whose model says its vocabulary takes counts as LIBSVM.
        adopt: Models that do not say their vocabulary are taken to have this one.

    Raises:
        Problem: The endpoint is not there, or the vocabulary is not that of its models.
    """
    models = serving.served(gateway, endpoint)
    counting = bool(vocabulary) or any(one.vocabulary for one in models)
    kind = content_type or serving.content_type(models)
    if not content_type and kind == "text/plain" and counting:
        kind = "text/libsvm"
    if kind not in serving.COUNTING:
        if vocabulary:
            raise Problem(
                f"Endpoint {endpoint} gets {kind}: its model has its own words.",
                "Leave --vocabulary out.",
                "vocabulary",
            )
        return WebApp(name=name or endpoint, endpoint=endpoint, content_type=kind, rate=rate), None
    words = serving.vocabulary(gateway, endpoint, models, vocabulary, adopt=adopt)
    app = WebApp(
        name=name or endpoint, endpoint=endpoint, content_type=kind, vocabulary=words.version, rate=rate
    )
    return app, words


def summary(gateway: Gateway, name: str) -> Summary:
    """A web app as it is.

    Raises:
        Problem: There is nothing of it, neither at its target nor noted on this machine.
    """
    return _summary(gateway, name, parts.look(gateway, name))


def _summary(gateway: Gateway, name: str, found: parts.Parts) -> Summary:
    asked = record.definition(gateway, name)
    if not found.present and asked is None:
        raise Problem(f"There is no web app {name}.", "`mlconsole webapp ls` lists them.", "not-found")
    endpoint = found.environment.get("ENDPOINT") or (asked.endpoint if asked else "")
    try:
        serving.served(gateway, endpoint)
        state = "in service"
    except Problem as problem:
        state = "gone" if problem.code == "not-found" else "not in service"
    page = record.page(gateway, name)
    return Summary(
        name=name,
        state=found.state,
        endpoint=endpoint,
        endpoint_state=state,
        content_type=found.environment.get("CONTENT_TYPE") or (asked.content_type if asked else ""),
        vocabulary=found.environment.get("VOCABULARY") or (asked.vocabulary if asked else ""),
        url=found.url,
        page=str(page) if page.exists() else "",
        parts=tuple(found.present),
    )


def summaries(gateway: Gateway) -> list[Summary]:
    """All web apps of the account and region, and those that were begun from this machine."""
    found = []
    looked = parts.look_at_all(gateway, record.known(gateway))
    for name in sorted(looked):
        try:
            found.append(_summary(gateway, name, looked[name]))
        except Problem as problem:
            if problem.code != "not-found":
                raise
    return found


def test(gateway: Gateway, name: str, review: str = REVIEW) -> list[Check]:
    """All checks of `contract`, with the vocabulary that the endpoint's models say.

    Raises:
        Problem: There is no such web app, or it is incomplete.
    """
    found = parts.look(gateway, name)
    if not found.present:
        raise Problem(f"There is no web app {name}.", "`mlconsole webapp ls` lists them.", "not-found")
    words, missing = None, ""
    if found.environment.get("CONTENT_TYPE") in serving.COUNTING:
        endpoint = found.environment.get("ENDPOINT", "")
        try:
            words = serving.vocabulary(gateway, endpoint, serving.served(gateway, endpoint))
        except Problem as problem:
            missing = problem.sentence
    with change("TestWebApp", name, target=gateway.target):  # its requests go over HTTP, past the AWS session
        return contract.test(gateway, found, words, review, missing)


def tunnel(url: str) -> str:
    """How a browser on another machine gets to the page; empty where it gets there by itself."""
    parted = urlsplit(url)
    if parted.hostname not in ("127.0.0.1", "localhost", "::1") or not parted.port:
        return ""
    return f"ssh -L {parted.port}:{parted.hostname}:{parted.port} <this machine>"

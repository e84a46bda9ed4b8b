"""The web app part, for reviews: made, tested on its live path, broken on purpose; the clean-up takes it away."""

from __future__ import annotations

import json
from typing import Any

from algorithms.reviews.bag import Vocabulary
from workflows.failures import WorkflowError
from workflows.lessons.deploying import endpoint
from workflows.problem import Problem
from workflows.studies import cleanup, gates
from workflows.studies.context import Context
from workflows.studies.study import Result
from workflows.webapp import contract, creation, package, parts, serving, visit
from workflows.webapp.definition import WebApp, log_group
from workflows.webapp.function import handler

CHECK = 3.0
"""Seconds for which the function believes which models it has: short, so that a mishap shows soon."""
SOON = 120.0
NO_PAGE = "Only reviews have a web page: --set subject=reviews."
TOO_LARGE = ((250_000, "the function's own limit"), (10 * 2**20 + 1, "API Gateway's limit of 10 MB"))


def app(context: Context, vocabulary: Vocabulary | None) -> WebApp:
    """The lesson's web app: with the vocabulary that counts for its model, or for a model that takes the review itself."""
    name = context.run.id
    kind, version = ("text/libsvm", vocabulary.version) if vocabulary else ("text/plain", "")
    return WebApp(name=name, endpoint=name, content_type=kind, vocabulary=version, check=CHECK)


def _has_page(context: Context) -> bool:
    return str(context.value("subject")) == "reviews"


def create_inputs(context: Context) -> dict[str, Any]:
    """What the web app depends on."""
    return endpoint.deploy_inputs(context)


def standing(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether the web app is still there."""
    return "url" not in outputs or parts.look(context.platform, context.run.id).url == outputs["url"]


def create(context: Context) -> Result:
    """Role, function, REST API, stage and page.

    Raises:
        WorkflowError: A part was refused.
    """
    if not _has_page(context):
        return Result(summary=NO_PAGE)
    words = endpoint.files(context).vocabulary
    wanted = app(context, words)
    context.ledger.made("web app", wanted.name)
    try:
        made = creation.create(context.platform, wanted, words, context.log)
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem
    context.artifact("web app", wanted.name, made.url)
    files = package.contents(words)
    context.note(
        "What was made",
        f"The function is a zip with four small programs, the page{' and the vocabulary' if words else ''}, and nothing else: Lambda's Python brings boto3. Its role may call "
        "one endpoint. The API lets everybody in, at most 50 requests a second, and the function lets only this API in.",
        (
            "the package",
            "text",
            "\n".join(f"{len(text.encode()):>8}  {name}" for name, text in sorted(files.items())),
        ),
        ("the role's policy", "json", json.dumps(creation.policy(context.platform, wanted), indent=2)),
        (
            "the function's variables",
            "sh",
            "\n".join(f"{key}={value}" for key, value in wanted.environment.items()),
        ),
        ("handler.py", "python", files["handler.py"]),
    )
    return Result(
        outputs={"url": made.url, "api": made.apis[0], "vocabulary": words.version if words else ""},
        summary=f"The page is at {made.url}",
    )


def test_inputs(context: Context) -> dict[str, Any]:
    """What the checks depend on."""
    return create_inputs(context) | {
        "url": context.of("webapp").get("url", ""),
        "review": context.value("review"),
    }


def test(context: Context) -> Result:
    """Every check of the contract, as gates; two exchanges in the raw.

    Raises:
        WorkflowError: A check failed.
    """
    if not _has_page(context):
        return Result(summary=NO_PAGE)
    words = endpoint.files(context).vocabulary
    found = parts.look(context.platform, context.run.id)
    checks = contract.test(context.platform, found, words, str(context.value("review")))
    for one in checks:
        context.send(gates.judgement(context.step, one.name, "pass" if one.held else "fail", one.seen))
    replies = {one.name: one.reply for one in checks}
    shown = []
    for title, name in (
        ("the browser asks first", "CORS preflight"),
        ("a review", "a review gets a verdict"),
        ("no review", "no text is refused"),
    ):
        if reply := replies[name]:
            shown += [(title, "http", reply.asked), ("answered", "http", reply.answered)]
    context.note("As the page does it", "No key, no signature: plain HTTP and JSON.", *shown)
    if failed := [one for one in checks if not one.held]:
        raise WorkflowError(
            f"The web app does not hold its contract: {failed[0].name}: {failed[0].seen}. Its log is {log_group(context.run.id)}."
        )
    reply = replies["a review gets a verdict"]
    answer = reply.document if reply else {}
    return Result(
        outputs={"probability": answer["probability"], "verdict": answer["verdict"], "checks": len(checks)},
        summary=f"{len(checks)} checks held. The review is {answer['verdict']}, with probability {answer['probability']:.3f} of positive.",
    )


def mishap_inputs(context: Context) -> dict[str, Any]:
    """What the mishap depends on."""
    return test_inputs(context) | {"mishap": context.value("mishap")}


def mishap(context: Context) -> Result:
    """What was asked for goes wrong, and what a visitor sees then.

    Raises:
        WorkflowError: It was not answered as it should be.
    """
    if not _has_page(context):
        return Result(summary=NO_PAGE)
    words, kind = endpoint.files(context).vocabulary, str(context.value("mishap"))
    if kind == "none":
        return Result(summary="Nothing was broken; --try 1 to 3 do.")
    url = context.of("webapp")["url"]
    if kind == "large-body":
        return _large(context, url)
    if kind == "endpoint-gone":
        return _no_endpoint(context, url)
    if words is None:
        raise WorkflowError("The model has no vocabulary that could be another one. Choose another mishap.")
    return _wrong_words(context, url, words)


def _wrong_words(context: Context, url: str, words: Vocabulary) -> Result:
    other = Vocabulary(words.words[:-1])
    try:
        creation.plan(context.platform, app(context, other), other)
        raise WorkflowError(f"Vocabulary {other.version} was not refused before deploying. Start a new run.")
    except Problem as problem:
        refused = str(problem)
    models = serving.served(context.platform, context.run.id)
    uri = models[0].uri
    try:
        _tag(context, models[0].arn, serving.tags(other, uri))
        reply = _until(context, url, 409)
    finally:
        _tag(context, models[0].arn, serving.tags(words, uri))
    _until(context, url, 200)
    context.note(
        "Refused twice",
        "Deploying another vocabulary is refused before a part is made. And as if the endpoint had been updated to a model that counts other words, its "
        "model was given another version for a moment: the function saw it by itself.",
        ("mlconsole webapp create", "text", refused),
        ("a visitor asks", "http", reply.asked),
        ("answered", "http", reply.answered),
    )
    return _seen(
        context,
        reply,
        "vocabulary-mismatch",
        f"Vocabulary {other.version} was refused before deploying, and with 409 by the function.",
    )


def _tag(context: Context, arn: str, tags: dict[str, str]) -> None:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    context.platform.client("sagemaker").add_tags(ResourceArn=arn, Tags=listed)


def _no_endpoint(context: Context, url: str) -> Result:
    cleanup.delete_endpoint(context, context.run.id)
    context.ledger.deleted("endpoint", context.run.id)
    reply = _until(context, url, 503)
    page = visit.send("GET", url)
    context.note(
        "The endpoint is gone, the page is not",
        f"The page itself still answers {page.status}: the function serves it. A visitor reads why there is no verdict.",
        ("a visitor asks", "http", reply.asked),
        ("answered", "http", reply.answered),
    )
    return _seen(
        context,
        reply,
        "endpoint-gone",
        "The page stays up, and says with 503 that the model's endpoint is not there.",
    )


def _large(context: Context, url: str) -> Result:
    shown, replies = [], []
    for size, whose in TOO_LARGE:
        reply = visit.ask(url, "x" * size)
        replies.append(reply)
        shown += [(f"{size:,} bytes, over {whose}", "http", reply.answered)]
    context.note(
        "Too large, twice",
        f"The function reads {handler.MOST:,} bytes; what is over 10 MB never reaches it. Both answers carry CORS headers, so that the page can show them.",
        *shown,
    )
    sentence = "Both bodies were refused with 413."
    return [_seen(context, reply, "too-large", sentence) for reply in replies][-1]


def _until(context: Context, url: str, status: int) -> visit.Reply:
    """Asks until the answer has a status: what a function believes is a few seconds old."""
    last: list[visit.Reply] = []

    def poll() -> tuple[bool, object]:
        try:
            last[:] = [visit.ask(url, str(context.value("review")))]
        except OSError:
            return False, None
        return last[0].status == status, last[0].status

    context.waiter.until(poll, f"The web app's answer {status}", SOON)
    return last[0]


def _seen(context: Context, reply: visit.Reply, code: str, sentence: str) -> Result:
    told = reply.document
    held = told.get("code") == code and reply.headers.get("access-control-allow-origin") == "*"
    words = f"HTTP {reply.status}: {told.get('error') or reply.body[:80].decode('utf-8', 'replace')}"
    context.send(
        gates.judgement(
            context.step, f"a clear answer ({code})", "pass" if held else "fail", words, float(reply.status)
        )
    )
    if not held:
        raise WorkflowError(f"A visitor would not understand that: {words}. Start a new run.")
    return Result(outputs={"status": reply.status}, summary=sentence)

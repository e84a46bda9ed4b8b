"""The function behind the web page: a review in, a verdict out. It is packed as it is, with the page and the model's vocabulary.

Environment: ENDPOINT (the endpoint's name), CONTENT_TYPE (text/libsvm, text/csv or text/plain: what its model takes), VOCABULARY (the
version that the package holds; empty with text/plain), CHECK_SECONDS (for how long it is believed which models the endpoint serves).
"""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

from algorithms.reviews import bag

HERE = Path(__file__).parent
MOST = 200_000
"""Bytes of a request; the longest of 50,000 film reviews has 14,000."""
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET,POST,OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
}
TAG = "mlconsole:vocabulary"
"""The tag in which a model says the version of the vocabulary that it was trained with."""
GONE = ("not found", "could not find", "does not exist")
BUSY = ("ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded")
RETRIES = 2

_kept: dict[str, Any] = {}


class Refusal(Exception):
    """The request ends in an error: HTTP status, a short code, and a sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of API Gateway (payload format 1.0): GET with the page, POST with a verdict on the review in its body."""
    if event.get("httpMethod") == "GET":
        page = (HERE / "page.html").read_text(encoding="utf-8")
        return _reply(200, page, "text/html; charset=utf-8", **{"Cache-Control": "no-cache"})
    try:
        return _reply(200, json.dumps(verdict(review(event))))
    except Refusal as refusal:
        print(f"{refusal.status} {refusal.code}: {refusal}")
        more = {"Retry-After": "1"} if refusal.status in (429, 503) else {}
        return _reply(refusal.status, json.dumps({"error": str(refusal), "code": refusal.code}), **more)


def review(event: dict[str, Any]) -> str:
    """The text in a request's body: plain, or the member ``review`` of JSON.

    Raises:
        Refusal: It is too large (413), no text, no JSON of that form, or empty (400).
    """
    given = event.get("body") or ""
    try:
        raw = base64.b64decode(given) if event.get("isBase64Encoded") else str(given).encode()
        if len(raw) > MOST:
            raise Refusal(
                413,
                "too-large",
                f"The review has {len(raw)} bytes; at most {MOST} are read. Send a shorter one.",
            )
        text = raw.decode("utf-8")
    except ValueError as error:
        raise Refusal(400, "bad-body", "The body is no UTF-8 text.") from error
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if (headers.get("content-type") or "").lower().startswith("application/json"):
        try:
            text = json.loads(text)["review"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refusal(400, "bad-body", 'The body is no JSON of the form {"review": "…"}.') from error
        if not isinstance(text, str):
            raise Refusal(400, "bad-body", "The review is no text.")
    if not text.strip():
        raise Refusal(400, "empty", "There is no review in the body: write something.")
    return text


def verdict(text: str) -> dict[str, Any]:
    """What the model says of a review: ``verdict`` (positive, negative), ``probability`` of positive, and who said it.

    Raises:
        Refusal: The vocabulary is not the model's, or the endpoint does not answer.
    """
    kind, version = os.environ["CONTENT_TYPE"], os.environ.get("VOCABULARY", "")
    models = serving(version)
    body = encoded(text, kind, version)
    asked = {"EndpointName": os.environ["ENDPOINT"], "ContentType": kind, "Body": body}
    if kind != "text/plain":
        asked["Accept"] = "text/csv"
    answer = _call("sagemaker-runtime", "invoke_endpoint", **asked)
    probability = number(answer["Body"].read())
    return {
        "verdict": "positive" if probability >= 0.5 else "negative",
        "probability": probability,
        "model": models.get(
            answer.get("InvokedProductionVariant", ""), ", ".join(sorted(set(models.values())))
        ),
        "vocabulary": version or None,
    }


def encoded(text: str, kind: str, version: str) -> bytes:
    """A review as the model takes it.

    Raises:
        Refusal: The packed vocabulary is not of ``version``.
    """
    if kind == "text/plain":
        return text.encode()
    found = _vocabulary()
    if found is None or found.version != version:
        raise Refusal(
            500,
            "vocabulary-mismatch",
            f"The function was deployed for vocabulary {version or '(none)'}, but {found.version if found else 'none that can be read'} is "
            "packed with it. It answers nothing until it is deployed again.",
        )
    counts = found.count(text)
    return (bag.libsvm(counts) if kind == "text/libsvm" else bag.csv(counts, len(found))).encode()


def serving(version: str) -> dict[str, str]:
    """The endpoint's models by variant, looked up every CHECK_SECONDS.

    Raises:
        Refusal: One of them was trained with another vocabulary than ``version`` (409), or there is no endpoint (503).
    """
    now = time.monotonic()
    known = _kept.get("serving")
    if known is None or now - known[0] > float(os.environ.get("CHECK_SECONDS", "15")):
        try:
            known = (now, *_look(bool(version)))
        except Refusal as refusal:
            # Who is asked too often says nothing new: what was known a moment ago is still the best there is.
            if known is None or refusal.status != 429:
                _kept.pop("serving", None)
                raise
        _kept["serving"] = known
    _, models, versions = known
    for model, theirs in versions.items():
        if theirs != version:
            raise Refusal(
                409,
                "vocabulary-mismatch",
                f"The endpoint now serves {model}, which {f'was trained with vocabulary {theirs}' if theirs else 'does not say its vocabulary'}; "
                f"this function has {version}. It answers nothing until it is deployed again.",
            )
    found: dict[str, str] = models
    return found


def _look(tags: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Models by variant, and the vocabularies' versions by model (none where ``tags`` are not asked for)."""
    config = _call("sagemaker", "describe_endpoint", EndpointName=os.environ["ENDPOINT"])[
        "EndpointConfigName"
    ]
    variants = _call("sagemaker", "describe_endpoint_config", EndpointConfigName=config)["ProductionVariants"]
    models = {one["VariantName"]: one["ModelName"] for one in variants}
    versions = {}
    for model in set(models.values()) if tags else ():
        arn = _call("sagemaker", "describe_model", ModelName=model)["ModelArn"]
        found = _call("sagemaker", "list_tags", ResourceArn=arn)["Tags"]
        versions[model] = {one["Key"]: one["Value"] for one in found}.get(TAG, "")
    return models, versions


def number(body: bytes) -> float:
    """The probability in an answer: a number, alone or first in a list, or the first prediction's ``score``.

    Raises:
        Refusal: There is none.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = text.partition(",")[0].partition("\n")[0]
    while isinstance(found, list | dict) and found:
        found = found[0] if isinstance(found, list) else found.get("predictions", found.get("score", ""))
    try:
        value = float(found)
    except (TypeError, ValueError):
        value = -1.0
    if not 0 <= value <= 1:
        raise Refusal(502, "bad-answer", f"The model's answer is no probability: {text[:80]!r}.")
    return value


def _vocabulary() -> bag.Vocabulary | None:
    """The packed vocabulary; None where it cannot be read or was changed."""
    if "vocabulary" not in _kept:
        try:
            _kept["vocabulary"] = bag.load(HERE / "vocabulary.json")
        except (OSError, ValueError) as error:
            print(error)
            _kept["vocabulary"] = None
    found: bag.Vocabulary | None = _kept["vocabulary"]
    return found


def _call(service: str, method: str, **asked: Any) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return getattr(_client(service), method)(**asked)
    except ClientError as error:
        told = error.response.get("Error", {})
        code, text = str(told.get("Code", "")), str(told.get("Message", ""))
        if code in BUSY:
            raise Refusal(429, "throttled", "The model is asked too often. Try again in a moment.") from error
        if code.startswith("Validation") and any(part in text.lower() for part in GONE):
            raise Refusal(503, "endpoint-gone", "The model's endpoint is not there.") from error
        if code == "ModelError":
            raise Refusal(502, "model-error", f"The model could not answer: {text[:200]}") from error
        if code in ("AccessDeniedException", "AccessDenied"):
            raise Refusal(500, "not-allowed", f"The function may not call {method}.") from error
        raise Refusal(502, code or "error", f"{method} failed: {text[:200]}") from error
    except BotoCoreError as error:
        raise Refusal(503, "unreachable", f"The model cannot be reached: {error}") from error


def _client(service: str) -> Any:
    if service not in _kept:
        import boto3
        from botocore.config import Config

        # API Gateway gives up after 29 s: connect, answer and one more try must be over before.
        config = Config(
            connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": RETRIES}
        )
        client: Any = boto3.client
        _kept[service] = client(service, config=config)
    return _kept[service]


def _reply(status: int, body: str, kind: str = "application/json", **headers: str) -> dict[str, Any]:
    return {"statusCode": status, "headers": {**CORS, "Content-Type": kind, **headers}, "body": body}

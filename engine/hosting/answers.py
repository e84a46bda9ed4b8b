"""What goes to a container and comes back from it: the headers that pass, and a failed model in SageMaker's words."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import ServiceError
from engine.settings import Settings

MESSAGE_LIMIT = 4096
"""Characters of the container's answer that an error quotes."""

ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
INFERENCE_ID = "x-amzn-sagemaker-inference-id"
SESSION = "x-amzn-sagemaker-session-id"
NEW_SESSION = "x-amzn-sagemaker-new-session-id"
CLOSED_SESSION = "x-amzn-sagemaker-closed-session-id"
INVOKED = "x-Amzn-Invoked-Production-Variant"

FORWARDED = (
    "content-type",
    "accept",
    ATTRIBUTES,
    INFERENCE_ID,
    SESSION,
    "x-amzn-sagemaker-enable-explanations",
)
RETURNED = {
    ATTRIBUTES: "X-Amzn-SageMaker-Custom-Attributes",
    NEW_SESSION: "X-Amzn-SageMaker-New-Session-Id",
    CLOSED_SESSION: "X-Amzn-SageMaker-Closed-Session-Id",
}

TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency "
    "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


def returned(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a container's answer that the caller gets, besides its content type."""
    return {title: headers[name] for name, title in RETURNED.items() if name in headers}


def text(body: bytes) -> str:
    """A container's answer as an error quotes it."""
    return body[: 4 * MESSAGE_LIMIT].decode("utf-8", "replace")[:MESSAGE_LIMIT]


def refusal(status: int, quoted: str) -> str:
    """The sentence for a container that answered with an error; status 0: it gave no answer."""
    blame = "client" if 400 <= status < 500 else "server"
    return f'Received {blame} error ({status}) from primary with message "{quoted}".'


def model_error(settings: Settings, endpoint: str, status: int, quoted: str) -> ServiceError:
    """``ModelError``, which says where the endpoint's log is."""
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    message = (
        f"{refusal(status, quoted)} "
        f"See https://{settings.region}.console.aws.amazon.com/cloudwatch/home?region={settings.region}"
        f"#logEventViewer:group={group} in account {settings.account_id} for more information."
    )
    return ServiceError(
        "ModelError",
        message,
        424,
        fields={
            "OriginalStatusCode": status,
            "OriginalMessage": quoted,
            "LogStreamArn": settings.arn("logs", f"log-group:{group}"),
        },
    )

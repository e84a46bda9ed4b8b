"""A web app as data: what it is made of, under which names, and for which model."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workflows.observe.gateway import Gateway
from workflows.problem import Problem

TAG = "mlconsole:webapp"
"""The tag of all parts; its value is the web app's name."""
PREFIX = "webapp-"
STAGE = "prod"
RESOURCE = "verdict"
RUNTIME = "python3.12"
HANDLER = "handler.handle"
TIMEOUT, MEMORY = 25, 256
"""Seconds and MB of the function; API Gateway waits 29 s."""
RETENTION = 14
"""Days that the function's log is kept."""
RATE, BURST = 50.0, 200
"""Requests a second that the stage lets through, and at once: what a stranger can make somebody pay is bounded."""
CHECK = 15.0
"""Seconds for which the function believes which models its endpoint serves."""
_NAME = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9])*")
_LONGEST = 64 - len(PREFIX)
"""Characters: Lambda's and IAM's names have 64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApp:
    """A web app. ``content_type`` is what the endpoint takes (text/libsvm, text/csv: counts of a vocabulary's words; text/plain: the
    review itself), ``vocabulary`` the version that its models were trained with (empty with text/plain)."""

    name: str
    endpoint: str
    content_type: str
    vocabulary: str = ""
    rate: float = RATE
    burst: int = BURST
    check: float = CHECK

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > _LONGEST:
            raise Problem(
                f"{self.name!r} cannot be a web app's name.",
                f"Give --name with at most {_LONGEST} letters, digits and single hyphens.",
                "name",
            )

    @property
    def title(self) -> str:
        """The name of the function, the role and the API."""
        return title(self.name)

    @property
    def environment(self) -> dict[str, str]:
        """The function's variables."""
        return {
            "ENDPOINT": self.endpoint,
            "CONTENT_TYPE": self.content_type,
            "VOCABULARY": self.vocabulary,
            "CHECK_SECONDS": f"{self.check:g}",
        }


def title(name: str) -> str:
    """What the parts of a web app are called."""
    return f"{PREFIX}{name}"


def log_group(name: str) -> str:
    """The log group of a web app's function."""
    return f"/aws/lambda/{title(name)}"


def partition(region: str) -> str:
    """The AWS partition of a region."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def arn(gateway: Gateway, service: str, resource: str) -> str:
    """An ARN of the gateway's account and region."""
    return f"arn:{partition(gateway.region)}:{service}:{gateway.region}:{gateway.account}:{resource}"


def address(gateway: Gateway, api: str, stage: str = STAGE) -> str:
    """Where a stage is called, with a slash at its end."""
    root = str(getattr(gateway, "endpoint_url", "") or "")
    if root:
        return f"{root}/restapis/{api}/{stage}/_user_request_/"
    suffix = "amazonaws.com.cn" if gateway.region.startswith("cn-") else "amazonaws.com"
    return f"https://{api}.execute-api.{gateway.region}.{suffix}/{stage}/"

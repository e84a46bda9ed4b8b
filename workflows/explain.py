"""Turns what boto3 raises into a sentence and a next step. Knows the exceptions by name, so that it imports nothing."""

from __future__ import annotations

import errno
import re
from typing import Any

from workflows.problem import Problem

THROTTLES = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "TooManyRequestsException",
        "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown",
        "PriorRequestNotComplete", "TransactionInProgressException", "ProvisionedThroughputExceededException",
    }
)  # fmt: skip
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
REFUSED_KEYS = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure",
     "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken",
     "MissingAuthenticationTokenException"}
)  # fmt: skip
DISABLED = frozenset({"RegionDisabledException", "OptInRequired"})
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "403"})
"""403 is what S3's HEAD requests say, whose answers have no body."""
CONNECTION = frozenset({"unreachable", "timeout", "engine"})
"""Codes of problems that concern the whole backend, not one request."""

_S3_ACTIONS = {
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListBuckets": "s3:ListAllMyBuckets",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
    "DeleteObject": "s3:DeleteObject",
}
"""The IAM actions of S3 operations, which have other names; S3 itself tells neither."""
_NO_CREDENTIALS = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "ProfileNotFound",
}
_EXPIRED_SSO = {
    "UnauthorizedSSOTokenError",
    "SSOTokenLoadError",
    "TokenRetrievalError",
    "RefreshWithMFAUnsupportedError",
}
_WRONG_FILES = {"ConfigParseError", "InvalidConfigError", "ConfigNotFound", "InfiniteLoopConfigError"}
_UNREACHABLE = {
    "EndpointConnectionError", "ConnectionClosedError", "ConnectionError", "HTTPClientError", "ProxyConnectionError",
    "SSLError", "NameResolutionError",
}  # fmt: skip
_TIMEOUTS = {"ConnectTimeoutError", "ReadTimeoutError", "TimeoutError"}
_ENGINE = {"EngineError"}


def explain(error: BaseException, target: str = "aws") -> Problem:
    """The problem behind an exception.

    Args:
        error: What was raised: a botocore exception, an exception of this package, or anything else.
        target: ``embedded`` or ``aws``; the remedies differ.
    """
    if isinstance(error, Problem):
        return error
    behind = getattr(error, "problem", None)
    if isinstance(behind, Problem):
        return behind
    response = getattr(error, "response", None)
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        return _answered(response, str(getattr(error, "operation_name", "") or "The call"), target)
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & _NO_CREDENTIALS:
        return Problem(
            f"There are no usable AWS credentials: {_sentence(error)}",
            "Run `aws configure` or `aws sso login`, name a profile with --profile, or use --target embedded.",
            "credentials",
        )
    if names & _EXPIRED_SSO:
        return Problem(
            "The AWS single sign-on session has expired.",
            "Run `aws sso login`, for another than the default profile with --profile.",
            "expired",
        )
    if names & _WRONG_FILES:
        return Problem(_sentence(error), "Correct ~/.aws/config or ~/.aws/credentials.", "credentials")
    if "NoRegionError" in names:
        return Problem("No AWS region is set.", "Give one with --region, or set AWS_REGION.", "region")
    if names & {"ParamValidationError"}:
        return Problem(_sentence(error), "Correct the value that is named.", "ValidationException")
    if names & _ENGINE:
        return Problem(
            _sentence(error), "`mlconsole engine start` starts it and shows why it does not.", "engine"
        )
    if names & _TIMEOUTS:
        return Problem(_no_answer(target), _reach_remedy(target), "timeout")
    if names & (_UNREACHABLE | {"ConnectionRefusedError", "ConnectionResetError"}):
        return Problem(_not_reached(error, target), _reach_remedy(target), "unreachable")
    if names & {"ResponseParserError", "JSONDecodeError", "KeyError", "UnicodeDecodeError"}:
        return Problem(
            "The answer could not be understood.",
            "Is the endpoint URL that of an AWS service? `mlconsole doctor` tells what is used.",
            "garbage",
        )
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "Make room; `mlconsole doctor` tells how much is left where." if full else ""
        return Problem(f"{where}{_ended(error.strerror)}", remedy, type(error).__name__)
    remedy = getattr(error, "remedy", "")
    return Problem(_sentence(error), remedy if isinstance(remedy, str) else "", type(error).__name__)


def throttled(problem: Problem) -> bool:
    """Whether the service said that it is asked too often."""
    return problem.code in THROTTLES


def backend_lost(problem: Problem) -> bool:
    """Whether nothing else can be expected to work either until something changes."""
    return problem.code in CONNECTION | EXPIRED | REFUSED_KEYS | DISABLED | {
        "credentials",
        "expired",
        "region",
    }


def _answered(response: dict[str, Any], operation: str, target: str) -> Problem:
    error = response["Error"]
    code, text = str(error.get("Code") or ""), str(error.get("Message") or "").strip()
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    if code in THROTTLES:
        return Problem(
            f"AWS throttles {operation}: the account is asked too often.", "It is retried more slowly.", code
        )
    if code in EXPIRED:
        return Problem(
            "The AWS credentials have expired.", "Run `aws sso login`, or get new keys, and try again.", code
        )
    if code in REFUSED_KEYS:
        if target == "embedded":
            remedy = "Another engine may answer on that port: run `mlconsole engine status`."
        else:
            remedy = (
                "Check the profile and its keys: `aws sts get-caller-identity --region us-east-1`. "
                "A region that the account has not enabled accepts none: if that works, give another one with --region."
            )
        return Problem(f"The credentials were not accepted: {_ended(text or code)}", remedy, code)
    if code in DISABLED:
        return Problem(
            f"The account has not enabled this region: {_ended(text or code)}",
            "Enable it in the account's settings, or give another one with --region.",
            code,
        )
    if code in DENIED:
        return _denied(operation, text, code)
    if code == "ModelError":
        said = str(response.get("OriginalMessage") or text).strip().splitlines() or ["no message"]
        answered = response.get("OriginalStatusCode") or 500
        return Problem(
            f"The model answered with status {answered}: {_ended(said[-1].strip())}",
            "The endpoint's log tells more: `mlconsole endpoints logs NAME`.",
            code,
        )
    if status >= 500 or code in {"InternalFailure", "ServiceUnavailable", "InternalServerError"}:
        return Problem(
            f"{operation} failed inside the service (HTTP {status or 500}).",
            "It is usually worth a retry.",
            code,
        )
    return Problem(_ended(text or f"{operation} was refused ({code or status})"), "", code or str(status))


def _denied(operation: str, text: str, code: str) -> Problem:
    """What IAM refused: the action that AWS names, or the one behind an operation of S3, and which kind of policy it lacks."""
    action = re.search(r"perform:? ([\w-]+:\w+)", text)
    named = action.group(1) if action else _S3_ACTIONS.get(operation, operation)
    resource = re.search(r"on resource:? (arn:[^\s,]+)", text)
    on = f" on {resource.group(1)}" if resource else ""
    denial = re.search(r"explicit deny in (an? [\w -]+?(?:policy|boundary))", text)
    if denial:
        return Problem(
            f"You are not allowed to call {named}{on}: {denial.group(1)} denies it.",
            "No other policy can allow it: ask who administers the account.",
            code,
        )
    return Problem(
        f"You are not allowed to call {named}{on}.",
        f"Ask for a policy that allows {named} for your role or user.",
        code,
    )


def _not_reached(error: BaseException, target: str) -> str:
    if target == "embedded":
        return "The embedded SageMaker does not answer."
    url = re.search(r'"(https?://[^"]+)"', str(error))
    return f"AWS cannot be reached{f' at {url.group(1)}' if url else ''}."


def _no_answer(target: str) -> str:
    return (
        "The embedded SageMaker gave no answer in time."
        if target == "embedded"
        else "AWS gave no answer in time."
    )


def _reach_remedy(target: str) -> str:
    if target == "embedded":
        return "`mlconsole engine status` tells whether it runs; `mlconsole engine start` starts it."
    return "Check the network, the proxy and the region."


def _sentence(error: BaseException) -> str:
    return _ended(" ".join(str(error).split()) or type(error).__name__)


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "`")) else f"{text}."

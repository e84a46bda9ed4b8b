"""Calls that botocore sends again because no answer came: the lost try may have been done, so the next answer is not taken at its word.

botocore tries 8 times on AWS: after a time-out, a cut connection, a 5xx. For calls that only look, or that set a value, this is right.
A second CreateTrainingJob is refused because the name is taken: by the first one. Then what is there is described, and when it was made
since the first try with what was asked for, that is the answer. What makes another one each time (`ONCE`) is not sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from workflows.problem import Problem
from workflows.safety import operations

ONCE = frozenset({("apigateway", "CreateRestApi")})
"""Operations that make one more each time: names are not unique there, and no token tells AWS that it is the same request."""
SLACK = 5.0
"""Seconds that a thing may seem older than the try that made it: an HTTP date has whole seconds, and AWS's hosts have clocks of their own."""
_LOST, _ASKED = "mlconsole.lost", "mlconsole.asked"
_ABSENT = frozenset(
    {"ResourceNotFound", "ResourceNotFoundException", "ObjectNotFoundException", "NotFoundException", "NoSuchEntity"}
)  # fmt: skip
_REMOVING = ("Delete", "Deregister", "Remove")


@dataclass(frozen=True, slots=True)
class Try:
    """A call that was sent again: what it asked for, and when it was sent first, by the clock of who answers."""

    operation: str
    asked: Mapping[str, Any]
    since: float


Look = Callable[[str], Any]
"""A client of a service."""
Done = Callable[[Look, Try], dict[str, Any] | None]
"""The answer that the lost try would have had, when it was done; None: it was not, or that cannot be known."""


def install(core: Any, client: Look) -> None:
    """Hook a botocore session; every client made from it does so, the SDK's included.

    Args:
        client: Makes the clients that look.
    """

    def given(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if not operations.looks(model.service_model.service_name, model.name):
            context[_ASKED] = (params, time.monotonic())

    def unanswered(
        request_dict: dict[str, Any],
        operation: Any,
        response: Any = None,
        caught_exception: Any = None,
        **_: Any,
    ) -> None:
        if not _lost(caught_exception) and (response is None or response[0].status_code < 500):
            return
        context = request_dict["context"]
        context[_LOST] = True
        if _ASKED in context and (operation.service_model.service_name, operation.name) in ONCE:
            if caught_exception is None:
                from botocore.exceptions import ClientError

                caught_exception = ClientError(response[1], operation.name)
                caught_exception.problem = _perhaps(operation.name, "failed inside the service", "failed")
            raise caught_exception

    def answered(
        http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        asked, began = context.get(_ASKED, ({}, 0.0))
        if not context.get(_LOST) or not 400 <= http_response.status_code < 500 or "Error" not in parsed:
            return
        since = _clock(http_response) - (time.monotonic() - began) - SLACK
        answer = _done(client, model.service_model.service_name, Try(model.name, asked, since), parsed)
        if answer is not None:
            told = parsed.get("ResponseMetadata", {})
            parsed.clear()
            parsed.update(answer, ResponseMetadata=told | {"HTTPStatusCode": 200})
            http_response.status_code = 200

    def ended(exception: Any, context: dict[str, Any], event_name: str = "", **_: Any) -> None:
        if _ASKED in context and _lost(exception) and not hasattr(exception, "problem"):
            late = "Timeout" in type(exception).__name__
            exception.problem = _perhaps(
                event_name.rpartition(".")[2],
                "was not answered in time" if late else "was not answered: the connection broke",
                "timeout" if late else "unreachable",
            )

    emitter = core.get_component("event_emitter")
    core.register("provide-client-params.*.*", given)
    core.register("needs-retry.*.*", unanswered)
    emitter.register_first("after-call.*.*", answered)
    emitter.register_first("after-call-error.*.*", ended)


def _lost(error: BaseException | None) -> bool:
    """Whether a request was sent and its answer did not arrive; where no connection came about, nothing was sent."""
    from botocore.exceptions import HTTPClientError

    return isinstance(error, HTTPClientError)


def _perhaps(operation: str, why: str, code: str) -> Problem:
    return Problem(
        f"{operation} {why}, and may have been done all the same.",
        "Look whether it was done before you try again.",
        code,
    )


def _clock(http_response: Any) -> float:
    """The epoch seconds of who answers; ours where it does not tell."""
    try:
        return parsedate_to_datetime(str(http_response.headers.get("Date"))).timestamp()
    except (TypeError, ValueError):
        return time.time()


def _done(client: Look, service: str, sent: Try, parsed: Mapping[str, Any]) -> dict[str, Any] | None:
    removes = sent.operation.startswith(_REMOVING)
    if removes and _gone(parsed):
        return {}  # it was there when the first try was sent, as far as anybody knew, and is not now
    check = _CHECKS.get((service, sent.operation))
    if check is None:
        return None
    try:
        return check(client, sent)
    except Exception as error:  # whatever keeps one from looking: the refusal is told as it came
        return {} if removes and _gone(getattr(error, "response", {})) else None


def _gone(answer: Mapping[str, Any]) -> bool:
    error = answer.get("Error") or {}
    return error.get("Code") in _ABSENT or "could not find" in str(error.get("Message")).lower()


def _created(method: str, name: str, arn: str) -> Done:
    def check(client: Look, sent: Try) -> dict[str, Any] | None:
        found = getattr(client("sagemaker"), method)(**{name: sent.asked[name]})
        made = found["CreationTime"].timestamp() >= sent.since
        return {arn: found[arn]} if made and covers(found, sent.asked) else None

    return check


def _updated(client: Look, sent: Try) -> dict[str, Any] | None:
    found = client("sagemaker").describe_endpoint(EndpointName=sent.asked["EndpointName"])
    if found["LastModifiedTime"].timestamp() < sent.since:
        return None
    if "DesiredWeightsAndCapacities" in sent.asked:
        coming = (found.get("PendingDeploymentSummary") or {}).get("ProductionVariants") or ()
        fleets = (found.get("ProductionVariants") or (), coming)
        done = any(
            all(
                any(_split(one, wanted) for one in fleet)
                for wanted in sent.asked["DesiredWeightsAndCapacities"]
            )
            for fleet in fleets
        )
    else:
        pending = (found.get("PendingDeploymentSummary") or {}).get("EndpointConfigName")
        done = sent.asked["EndpointConfigName"] in (pending, found.get("EndpointConfigName"))
    return {"EndpointArn": found["EndpointArn"]} if done else None


def _split(variant: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(
        variant.get(name) == value for name, value in wanted.items() if name != "ServerlessUpdateConfig"
    )


def _ending(method: str, name: str, status: str, *statuses: str) -> Done:
    def check(client: Look, sent: Try) -> dict[str, Any] | None:
        found = getattr(client("sagemaker"), method)(**{name: sent.asked[name]})
        return {} if found[status] in statuses else None

    return check


def _function(client: Look, sent: Try) -> dict[str, Any] | None:
    found: dict[str, Any] = client("lambda").get_function_configuration(
        FunctionName=sent.asked["FunctionName"]
    )
    made = datetime.fromisoformat(
        f"{found['LastModified'][:19]}+00:00"
    ).timestamp()  # AWS writes milliseconds and +0000
    return found if made >= sent.since and covers(found, sent.asked) else None


def _completed(client: Look, sent: Try) -> dict[str, Any] | None:
    """A multipart upload is gone when it is complete: the object tells by its number of parts."""
    where = {"Bucket": sent.asked["Bucket"], "Key": sent.asked["Key"]}
    found = client("s3").head_object(**where)
    parts = len(sent.asked["MultipartUpload"]["Parts"])
    ours = str(found["ETag"]).strip('"').endswith(f"-{parts}")
    return (
        where | {"ETag": found["ETag"]} if ours and found["LastModified"].timestamp() >= sent.since else None
    )


def covers(found: Any, asked: Any) -> bool:
    """Whether a description says what was asked for, as far as it tells: it knows defaults, too, and no tags."""
    if isinstance(asked, Mapping) and isinstance(found, Mapping):
        return all(covers(found[name], value) for name, value in asked.items() if name in found)
    if isinstance(asked, list | tuple) and isinstance(found, list | tuple):
        return len(found) == len(asked) and all(map(covers, found, asked))
    return bool(found == asked)


_JOB = ("describe_training_job", "TrainingJobName")
_TUNING = ("describe_hyper_parameter_tuning_job", "HyperParameterTuningJobName")
_TRANSFORM = ("describe_transform_job", "TransformJobName")
_ENDPOINT = ("describe_endpoint", "EndpointName")
_CHECKS: dict[tuple[str, str], Done] = {
    ("sagemaker", "CreateTrainingJob"): _created(*_JOB, "TrainingJobArn"),
    ("sagemaker", "CreateHyperParameterTuningJob"): _created(*_TUNING, "HyperParameterTuningJobArn"),
    ("sagemaker", "CreateTransformJob"): _created(*_TRANSFORM, "TransformJobArn"),
    ("sagemaker", "CreateModel"): _created("describe_model", "ModelName", "ModelArn"),
    ("sagemaker", "CreateEndpointConfig"): _created("describe_endpoint_config", "EndpointConfigName", "EndpointConfigArn"),
    ("sagemaker", "CreateEndpoint"): _created(*_ENDPOINT, "EndpointArn"),
    ("sagemaker", "UpdateEndpoint"): _updated,
    ("sagemaker", "UpdateEndpointWeightsAndCapacities"): _updated,
    ("sagemaker", "DeleteEndpoint"): _ending(*_ENDPOINT, "EndpointStatus", "Deleting"),
    ("sagemaker", "StopTrainingJob"): _ending(*_JOB, "TrainingJobStatus", "Stopping", "Stopped"),
    ("sagemaker", "StopHyperParameterTuningJob"): _ending(*_TUNING, "HyperParameterTuningJobStatus", "Stopping", "Stopped"),
    ("sagemaker", "StopTransformJob"): _ending(*_TRANSFORM, "TransformJobStatus", "Stopping", "Stopped"),
    ("lambda", "CreateFunction"): _function,
    ("s3", "CompleteMultipartUpload"): _completed,
}  # fmt: skip

"""Hooks of a botocore session: every call that changes something is checked, noted, and, in a rehearsal, not sent.

They sit under every client made from the session, the SageMaker SDK's included: no workflow can go around them.
"""

from __future__ import annotations

import time
from typing import Any

from workflows.safety import auditlog, operations, permission, rehearsal

_NOTED = "mlconsole.audit"
_GIVEN = "mlconsole.given"


def install(core: Any, platform: Any, *, read_only: bool, playing: rehearsal.Rehearsal | None = None) -> None:
    """Guard a botocore session.

    Args:
        platform: A `workflows.platform.Platform`, for where the calls go.
        read_only: Refuse calls that change something, with a `Problem` of the code ``read-only``.
        playing: The rehearsal that notes them instead; None: they are sent.
    """

    def given(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[_GIVEN] = params

    def before(model: Any, context: dict[str, Any], **_: Any) -> Any:
        service, name = model.service_model.service_name, model.name
        parameters = context.pop(_GIVEN, {})
        if operations.looks(service, name):
            if playing is not None and playing.look(parameters):
                about = operations.resource(service, parameters)
                return _Missing, {
                    "Error": {"Code": "ValidationException", "Message": f'Could not find "{about}".'},
                    "ResponseMetadata": {"HTTPStatusCode": _Missing.status_code},
                }
            return None
        where = {"target": platform.target, "account": platform.account, "region": platform.region, "profile": platform.profile}  # fmt: skip
        about = operations.resource(service, parameters)
        if playing is not None:
            playing.note(service, name, parameters)
            return _Answered, rehearsal.answer(model, parameters, platform.region, platform.account)
        if read_only:
            refused = permission.refusal(f"{name} {about}".strip(), platform.target)
            auditlog.end(auditlog.begin(service, name, about, parameters, **where), "read-only")
            raise refused
        if (service, name) not in operations.DATA:
            context[_NOTED] = auditlog.begin(service, name, about, parameters, **where), time.perf_counter()
        return None

    def after(context: dict[str, Any], parsed: Any = None, exception: Any = None, **_: Any) -> None:
        noted = context.pop(_NOTED, None)
        if noted is None:
            return
        identifier, began = noted
        result, message = "ok", ""
        if exception is not None:
            result, message = type(exception).__name__, str(exception)
        elif isinstance(parsed, dict) and "Error" in parsed:
            result = str(parsed["Error"].get("Code") or "Error")
            message = str(parsed["Error"].get("Message") or "")
        auditlog.end(identifier, result, message, time.perf_counter() - began)

    core.get_component("event_emitter").register_last("provide-client-params.*.*", given)
    core.get_component("event_emitter").register_first("before-call.*.*", before)
    core.register("after-call.*.*", after)
    core.register("after-call-error.*.*", after)


class _Missing:
    """The HTTP answer about what a rehearsal has deleted, as SageMaker gives it."""

    status_code = 400


class _Answered:
    """The HTTP answer of a call that was not sent."""

    status_code = 200

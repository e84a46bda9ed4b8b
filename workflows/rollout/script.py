"""A rollout as a plain Python script, in either interface: every call with its real values, without mlconsole."""

from __future__ import annotations

import pprint
from collections.abc import Mapping
from typing import Any

from workflows.interfaces.rollouts.high import lossy
from workflows.problem import Problem
from workflows.rollout.alarms import manual_name
from workflows.rollout.plan import Plan

LOW_IMPORTS = """import time

import boto3

sagemaker = boto3.client("sagemaker", region_name={region!r})
cloudwatch = boto3.client("cloudwatch", region_name={region!r})
"""
HIGH_IMPORTS = """import time

import boto3
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.utils.code_injection.codec import transform

sagemaker = boto3.client("sagemaker", region_name={region!r})
cloudwatch = boto3.client("cloudwatch", region_name={region!r})  # the SDK has no alarms
"""
END = """
# Until it has ended. To take the new model back meanwhile, in another shell:
#   cloudwatch.set_alarm_state(AlarmName={manual!r}, StateValue="ALARM", StateReason="by hand")
while True:
    described = sagemaker.describe_endpoint(EndpointName={endpoint!r})
    pending = described.get("PendingDeploymentSummary", {{}}).get("ProductionVariants", [])
    words = [status.get("StatusMessage", "") for variant in pending for status in variant.get("VariantStatus", [])]
    print(described["EndpointStatus"], *words, flush=True)
    if described["EndpointStatus"] not in ("Updating", "SystemUpdating", "RollingBack"):
        break
    time.sleep({pause})

succeeded = described["EndpointConfigName"] == {green!r}
print("The new fleet serves." if succeeded else described.get("FailureReason", "The old fleet serves."))
cloudwatch.delete_alarms(AlarmNames=ALARMS)
"""


def script(plan: Plan, interface: str, region: str) -> str:
    """The script of a rollout.

    Raises:
        Problem: There is no such interface.
    """
    if interface not in ("low", "high"):
        raise Problem(
            f"There is no interface {interface!r}.",
            "Choose low (boto3) or high (SageMaker SDK v3).",
            "interface",
        )
    high = interface == "high"
    parts = [(HIGH_IMPORTS if high else LOW_IMPORTS).format(region=region)]
    calls = (
        ("The new model", "Model.create", "CreateModelRequest", "create_model", plan.model),
        (
            "Its configuration",
            "EndpointConfig.create",
            "CreateEndpointConfigInput",
            "create_endpoint_config",
            plan.configuration,
        ),
    )
    for title, resource, shape, method, asked in calls:
        if asked is not None:
            parts.append(f"# {title}")
            parts.append(
                _made(resource, shape, asked)
                if high and not lossy(asked)
                else _call("sagemaker", method, asked)
            )
    parts.append("# The alarms that take it back; the last one is for a person.")
    parts += [_call("cloudwatch", "put_metric_alarm", asked) for asked in plan.alarms]
    parts.append(f"ALARMS = {_text([asked['AlarmName'] for asked in plan.alarms])}\n")
    parts.append("# The update")
    parts.append(
        _updated(plan.update)
        if high and not lossy(plan.update)
        else _call("sagemaker", "update_endpoint", plan.update)
    )
    parts.append(
        END.format(
            manual=manual_name(plan.id),
            endpoint=plan.request.endpoint,
            green=plan.green,
            pause=1 if plan.target == "embedded" else 15,
        )
    )
    return "\n".join(parts)


def _call(client: str, method: str, asked: Mapping[str, Any]) -> str:
    arguments = "".join(f"    {name}={_text(value, 4)},\n" for name, value in asked.items())
    return f"{client}.{method}(\n{arguments})\n"


def _made(resource: str, shape: str, asked: Mapping[str, Any]) -> str:
    return f"{resource}(**transform({_text(dict(asked))}, {shape!r}))\n"


def _updated(asked: Mapping[str, Any]) -> str:
    more = {
        name: value for name, value in asked.items() if name not in ("EndpointName", "EndpointConfigName")
    }
    return (
        f"endpoint = Endpoint.get({asked['EndpointName']!r})\n"
        f"endpoint.endpoint_config_name = {asked['EndpointConfigName']!r}\n"
        f"asked = transform({_text({**more, 'EndpointName': asked['EndpointName'], 'EndpointConfigName': asked['EndpointConfigName']})}, 'UpdateEndpointInput')\n"
        "endpoint.update(**{name: value for name, value in asked.items() if not name.startswith('endpoint_')})\n"
    )


def _text(value: Any, indent: int = 0) -> str:
    written = pprint.pformat(value, width=100 - indent, sort_dicts=False)
    return written.replace("\n", "\n" + " " * indent)

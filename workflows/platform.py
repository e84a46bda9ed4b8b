"""The target of a workflow: the embedded SageMaker or AWS. Above this module nobody asks which of the two it is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from workflows import embedded, locations, loopback, mfa, resending, underway
from workflows.accounts import region_given
from workflows.configuration import Configuration
from workflows.costs import prices
from workflows.events import ApiCall
from workflows.explain import explain
from workflows.failures import WorkflowError
from workflows.files import write_atomically
from workflows.models import slim
from workflows.observe.gateway import impatient_config
from workflows.problem import Problem
from workflows.safety import guard, rehearsal
from workflows.trimming import trimmed

Observer = Callable[[ApiCall], None]

_SDK_DEFAULTS = """\
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
      Session:
        DefaultS3Bucket: {bucket}
"""
ATTEMPTS = 8
"""Tries of a call on AWS, where throttling is shared by the account."""
FIRST_ATTEMPTS = 3
"""Tries of the first call, which finds out whether AWS is there at all: without a network a person waits for that answer."""
CONNECT_TIMEOUT = 10
READ_TIMEOUT = 70
"""Seconds. SageMaker answers an invocation within 60 s."""
PROMPT = loopback.OWN | {"apigateway"}
"""Services that answer within a second or two, whatever they are asked; of the others a file or a model may be waited for."""
PROMPT_CONNECT, PROMPT_READ = 5, 10
"""Seconds that somebody at a terminal waits for one of these. A call that was sent and not answered is not sent again: it may have been done."""


@dataclass(slots=True)
class Platform:
    """One account and region behind one boto3 session, with the role and the bucket that jobs use.

    ``role`` is the ARN of `role_arn`, or how it is found. ``endpoint_url`` is empty on AWS. ``engine`` is the embedded
    SageMaker's connection, None on AWS.
    """

    target: str
    region: str
    account: str
    role: str | Callable[[], str]
    bucket: str
    session: Any
    endpoint_url: str = ""
    engine: embedded.Connection | None = None
    profile: str = ""
    prompt: bool = False
    """Whether somebody waits for each answer: `PROMPT_READ` counts then."""
    _clients: dict[str, Any] = field(default_factory=dict)
    _observers: list[Observer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def role_arn(self) -> str:
        """The execution role of jobs and models. On AWS it is looked for when it is first needed: to stop or to delete
        something takes none, and not everybody may list the account's roles.

        Raises:
            WorkflowError: There is none, there are several, or they may not be listed.
        """
        if callable(self.role):
            self.role = self.role()
        return self.role

    @property
    def time_scale(self) -> float:
        """Seconds that pass for each that a deployment declares to wait: 1 on AWS, less where the engine shortens waits."""
        return self.engine.time_scale if self.engine is not None else 1.0

    def client(self, service: str) -> Any:
        """A boto3 client of the session, made once per service; clients may be used from several threads."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.session.client(
                    service,
                    config=client_config(self.target, service, prompt=self.prompt),
                    endpoint_url=self.endpoint_url or None,
                )
            return self._clients[service]

    def observe(self, observer: Observer) -> Callable[[], None]:
        """``observer`` gets every AWS call of the session as it ends, in the calling thread. Returns how to end that."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def environment(self) -> dict[str, str]:
        """The variables that let any AWS client of a child process use this target. They hold secrets."""
        variables = {"AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region}
        if self.engine is None:
            return variables | ({"AWS_PROFILE": self.profile} if self.profile else {})
        return variables | _engine_environment(self.engine)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The process's environment is `environment` while the block runs: what the SDKs look up by themselves."""
        before = {
            name: os.environ.get(name) for name in (*self.environment(), "AWS_PROFILE", "AWS_SESSION_TOKEN")
        }
        if self.engine is not None:
            os.environ.pop("AWS_PROFILE", None)
            os.environ.pop("AWS_SESSION_TOKEN", None)
        os.environ.update(self.environment())
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def revive(self) -> bool:
        """Whether calls may be tried again after a lost connection: AWS comes back by itself, the engine is started.

        A restarted engine that answers under another address needs a new platform: False.
        """
        if self.engine is None:
            return True
        try:
            return embedded.ensure(self.engine.data_dir).url == self.endpoint_url
        except embedded.EngineError:
            return False

    def _called(self, call: ApiCall) -> None:
        for observer in (*_everywhere, *self._observers):
            observer(call)


_everywhere: list[Observer] = []


def observe_all(observer: Observer) -> Callable[[], None]:
    """``observer`` gets every AWS call of every platform of this process as it ends, in the calling thread. Returns how to end that."""
    _everywhere.append(observer)
    return lambda: _everywhere.remove(observer)


def open_platform(
    configuration: Configuration, *, observing: bool = False, pricing: bool = True, prompt: bool = False
) -> Platform:
    """The platform that a configuration names; the embedded SageMaker is started when it does not run.

    Args:
        observing: Nothing will be made: on AWS no execution role is looked for, so ``role_arn`` may be empty.
        pricing: Estimates of this process rest on its region's prices from now on.
        prompt: Somebody waits for each answer: one that does not come within `PROMPT_READ` seconds is a failure, at once.

    Raises:
        WorkflowError: No credentials, no region, no network, or the engine does not start.
    """
    opened = (
        _open_embedded(configuration, prompt)
        if configuration.target == "embedded"
        else _open_aws(configuration, observing, prompt)
    )
    if pricing:
        prices.choose(opened.region)
    return opened


def client_config(target: str, service: str = "", *, prompt: bool = False) -> Any:
    """botocore options: adaptive retries on AWS (its throttling is account-wide), those of `workflows.loopback` here."""
    from botocore.config import Config

    if target != "aws":
        return loopback.config(service, prompt=prompt)
    soon = prompt and service in PROMPT
    return Config(
        retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
        connect_timeout=PROMPT_CONNECT if soon else CONNECT_TIMEOUT,
        read_timeout=PROMPT_READ if soon else READ_TIMEOUT,
        max_pool_connections=16,
    )


def _once_sent(caught_exception: Exception | None = None, **_: Any) -> None:
    """botocore's question whether to try again is answered by the timeout itself; all else is left to botocore."""
    from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

    if isinstance(caught_exception, ConnectTimeoutError | ReadTimeoutError):
        raise caught_exception


def _open_embedded(configuration: Configuration, prompt: bool) -> Platform:
    import boto3
    import botocore.session

    try:
        engine = embedded.ensure(configuration=configuration)
    except embedded.EngineError as error:
        raise WorkflowError(str(error)) from error
    # A session of its own, which knows no profile: the person's ~/.aws must not leak into the embedded account.
    core = botocore.session.Session(
        {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
    )
    slim(core)
    underway.follow(core)
    core.set_config_variable("endpoint_url", engine.url)
    core.set_credentials(engine.access_key, engine.secret_key)
    _own_polls(core)
    loopback.prepare(core, prompt=prompt)
    session = boto3.Session(region_name=engine.region, botocore_session=core)
    platform = Platform(
        target="embedded",
        region=engine.region,
        account=engine.account_id,
        role=configuration.role if configuration.role.startswith("arn:") else engine.role_arn,
        bucket=configuration.bucket or engine.bucket,
        session=session,
        endpoint_url=engine.url,
        engine=engine,
        prompt=prompt,
    )
    _hook(core, platform, configuration)
    return platform


def _own_polls(core: Any) -> None:
    """Marks every client of a botocore session, the SDK's included, as one that polls at its own pace."""
    core.user_agent_extra = "app/mlconsole"


def _open_aws(configuration: Configuration, observing: bool, prompt: bool) -> Platform:
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        core = botocore.session.Session(profile=configuration.profile or None)
        slim(core)
        _own_polls(core)
        underway.follow(core)
        if prompt:
            core.register("needs-retry.*.*", _once_sent)
        mfa.prepare(core)
        session = boto3.Session(region_name=region_given(configuration.region), botocore_session=core)
        if not session.region_name:
            raise WorkflowError(
                Problem(
                    "No AWS region is set.",
                    "Give --region, set AWS_DEFAULT_REGION, or run `aws configure`.",
                    "region",
                )
            )
        if session.get_credentials() is None:
            raise WorkflowError(
                Problem(
                    "No AWS credentials were found.",
                    "Run `aws configure` or `aws sso login`, or give --profile; without an AWS account use --target embedded.",
                    "credentials",
                )
            )
        config = impatient_config() if observing else client_config("aws", "iam", prompt=prompt)
        few: Any = {"mode": "standard", "total_max_attempts": 1 if observing else FIRST_ATTEMPTS}
        soon = Config(retries=few, connect_timeout=PROMPT_CONNECT, read_timeout=PROMPT_READ)
        first = config.merge(soon)
        identity = session.client("sts", config=first).get_caller_identity()
        platform = Platform(
            target="aws",
            region=session.region_name,
            account=identity["Account"],
            role=configuration.role
            if observing
            else partial(execution_role, session, dict(identity), configuration, config),
            bucket=configuration.bucket or f"sagemaker-{session.region_name}-{identity['Account']}",
            session=session,
            profile=configuration.profile,
            prompt=prompt,
        )
    except (ClientError, BotoCoreError) as error:
        raise WorkflowError(explain(error)) from error
    _hook(core, platform, configuration)
    return platform


def execution_role(session: Any, identity: dict[str, Any], configuration: Configuration, config: Any) -> str:
    """The execution role's ARN: the one asked for, the one this process runs under, else the account's only candidate."""
    from botocore.exceptions import ClientError

    partition = identity["Arn"].split(":")[1]
    if configuration.role.startswith("arn:"):
        return configuration.role
    iam = session.client("iam", config=config)
    if configuration.role:
        try:
            return str(iam.get_role(RoleName=configuration.role)["Role"]["Arn"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                return f"arn:{partition}:iam::{identity['Account']}:role/{configuration.role}"
            raise WorkflowError(
                f"There is no IAM role {configuration.role!r} in account {identity['Account']}. "
                "Give --role another name or an ARN."
            ) from error
    try:
        pages = iam.get_paginator("list_roles").paginate()
        roles = [role for page in pages for role in page["Roles"] if trusts_sagemaker(role)]
    except ClientError as error:
        problem = explain(error)
        raise WorkflowError(
            Problem(
                f"No execution role was given, and the account's roles cannot be listed: {problem.sentence}",
                "Give --role with the ARN of a role that SageMaker may assume.",
                problem.code,
            )
        ) from error
    named = [
        role
        for role in roles
        if "SageMaker-ExecutionRole" in role["RoleName"] or role["RoleName"] == "MLConsoleExecutionRole"
    ]
    candidates = named or roles
    if len(candidates) == 1:
        return str(candidates[0]["Arn"])
    if not candidates:
        raise WorkflowError(
            f"Account {identity['Account']} has no role that SageMaker may assume. Create one in the SageMaker console "
            "(AmazonSageMakerFullAccess), then give it with --role."
        )
    names = ", ".join(sorted(role["RoleName"] for role in candidates)[:5])
    raise WorkflowError(
        f"{len(candidates)} roles could be the execution role ({names}). Choose one with --role."
    )


def trusts_sagemaker(role: dict[str, Any]) -> bool:
    policy = role.get("AssumeRolePolicyDocument") or {}
    statements = policy.get("Statement", []) if isinstance(policy, dict) else []
    if isinstance(statements, dict):
        statements = [statements]
    for statement in statements:
        principal = statement.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        services = [services] if isinstance(services, str) else services
        service_role = "/aws-service-role/" in str(role.get("Arn", ""))
        if statement.get("Effect") == "Allow" and "sagemaker.amazonaws.com" in services and not service_role:
            return True
    return False


def _sdk_defaults(engine: embedded.Connection) -> Path:
    """The SageMaker SDK's defaults file for an embedded account: its bucket, and no telemetry to the outside.

    Without the bucket the SDK asks STS at a hard-coded address for the account.
    """
    path = locations.cache_dir() / f"sagemaker-{engine.region}-{engine.account_id}.yaml"
    text = _SDK_DEFAULTS.format(bucket=engine.bucket)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    return path


def _engine_environment(engine: embedded.Connection) -> dict[str, str]:
    """What `mlconsole engine env` exports: endpoint, keys, region, and the SageMaker SDK's defaults file."""
    # botocore sends loopback through a proxy as well, unless it is told not to.
    past = [
        host for host in (os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or "").split(",") if host
    ]
    direct = ",".join(dict.fromkeys([*past, "127.0.0.1", "localhost"]))
    return {
        "NO_PROXY": direct,
        "no_proxy": direct,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": engine.url,
        "AWS_ACCESS_KEY_ID": engine.access_key,
        "AWS_SECRET_ACCESS_KEY": engine.secret_key,
        "AWS_DEFAULT_REGION": engine.region,
        "AWS_REGION": engine.region,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(_sdk_defaults(engine)),
    }


def _hook(core: Any, platform: Platform, configuration: Configuration) -> None:
    """What every call of a target goes through, in this order."""
    _watch(core, platform)
    resending.install(core, platform.client)
    guard.install(core, platform, read_only=configuration.looks_only, playing=rehearsal.current())


def _watch(core: Any, platform: Platform) -> None:
    """Hooks of the botocore session: every client made from it tells the platform's observers about its calls."""

    def started(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        context["mlconsole"] = (model, time.time(), time.perf_counter(), trimmed(params))

    def ended(context: dict[str, Any], parsed: Any = None, exception: Any = None, **_: Any) -> None:
        noted = context.pop("mlconsole", None)
        if noted is None:
            return  # a call inside botocore that no caller made, such as a credential's refresh
        model, began, clock, params = noted
        error = type(exception).__name__ if exception is not None else ""
        if isinstance(parsed, dict) and "Error" in parsed:
            error = str(parsed["Error"].get("Code", "Error"))
        platform._called(
            ApiCall(
                time=began,
                service=model.service_model.service_name,
                operation=model.name,
                parameters=params,
                seconds=round(time.perf_counter() - clock, 6),
                error=error,
            )
        )

    core.register("provide-client-params.*.*", started)
    core.register("after-call.*.*", ended)
    core.register("after-call-error.*.*", ended)

"""What a Python function finds around it: its variables, its import path, the AWS SDK that Lambda's images bring."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.functions.sandbox import Plan
from engine.hosting.containers import base_environment
from engine.jobs import namespace
from engine.jobs.launcher import namespaces_allowed

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.functions.record import Target
    from engine.protocol.signature import Key

RESERVED = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    ]
)
"""Variables that a function's configuration cannot set (Lambda's defined runtime environment variables)."""
_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


def make_sdk(folder: Path) -> None:
    """Links to the packages of Lambda's Python images, and to nothing else: what a function uses beyond them it must bring."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in _SDK:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            continue
        origin = Path(found.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
        for about in source.parent.glob(f"{name.replace('dateutil', 'python_dateutil')}-*.dist-info"):
            (folder / about.name).symlink_to(about)


def plan(engine: Engine, target: Target, key: Key, layers: Path | None, sdk: Path) -> Plan:
    """What an environment of a version runs, with temporary keys of its role."""
    configuration = target.configuration
    folder = engine.functions.packages.folder(target.package)
    variables = base_environment(engine)
    for name in [name for name in variables if name.startswith(("PIP_", "UV_"))]:
        del variables[name]
    path = [str(sdk)]
    if layers is not None:
        version = configuration["Runtime"]
        path = [str(layers / "python" / "lib" / version / "site-packages"), str(layers / "python"), *path]
        variables["MLCONSOLE_LAYERS"] = str(layers)
        variables["PATH"] = f"{layers / 'bin'}{os.pathsep}{variables['PATH']}"
        kept = variables.get("LD_LIBRARY_PATH")
        variables["LD_LIBRARY_PATH"] = os.pathsep.join([str(layers / "lib"), *([kept] if kept else [])])
    if any(name in variables for name in ("HTTP_PROXY", "http_proxy")):
        # botocore sends loopback through a proxy as well, unless it is told not to.
        hosts = [*filter(None, variables.get("NO_PROXY", "").split(",")), "127.0.0.1", "localhost"]
        variables["NO_PROXY"] = variables["no_proxy"] = ",".join(dict.fromkeys(hosts))
    variables |= {
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ACCESS_KEY_ID": key.access_key,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_SESSION_TOKEN": key.token,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": target.name,
        "AWS_LAMBDA_FUNCTION_VERSION": target.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(folder),
        "LAMBDA_RUNTIME_DIR": str(sdk),
        "_HANDLER": configuration["Handler"],
        **({"MLCONSOLE_NAMESPACE_MODULE": namespace.__file__} if namespaces_allowed() else {}),
        **configuration.get("Environment", {}).get("Variables", {}),
    }
    return Plan(
        name=target.name,
        version=target.version,
        folder=folder,
        python_path=tuple(path),
        environment=variables,
        timeout=configuration["Timeout"],
        memory=configuration["MemorySize"],
        group=configuration["LoggingConfig"]["LogGroup"],
    )


def version() -> str:
    """The runtime name of the interpreter that runs every function here."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"

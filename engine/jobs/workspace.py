"""A job's directory: input, configuration, code, environment, and the shim's instructions."""

from __future__ import annotations

import json
import marshal
import os
import shutil
import sys
import tarfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from engine.images import resolve
from engine.jobs import channels, environments, launcher, pipes
from engine.jobs.capacity import Share
from engine.jobs.channels import ChannelError
from engine.objects import ObjectStore

HOST = "algo-1"
GRACE_SECONDS = 120
MARK = "MLCONSOLE_JOB_DIR"
"""The variable by which processes of a job are recognised, whatever became of their parents."""

# Of the engine's environment a job inherits what describes the machine, and nothing that names the person's AWS account.
_INHERITED = ("HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")  # fmt: skip
_INHERITED_PREFIXES = ("PIP_", "UV_")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


class Context(NamedTuple):
    """What a workspace needs to know besides the job's document."""

    objects: ObjectStore
    region: str
    endpoint: str
    credentials: Mapping[str, str]
    share: Share


def prepare(root: Path, document: Mapping[str, Any], context: Context) -> None:
    """Build a job's directory from nothing, ``spec`` last: a directory with it is whole.

    Raises:
        ChannelError: Input or code cannot be brought in; its message says why.
    """
    shutil.rmtree(root, ignore_errors=True)
    ml = root / "ml"
    root.mkdir(parents=True, mode=0o700)
    for folder in ("input/config", "input/data", "model", "output/data", "checkpoints", "code"):
        (ml / folder).mkdir(parents=True)
    namespaces = launcher.namespaces_allowed()
    piped = _takes_pipes(document)
    read_only = _download(root, document, context, namespaces=namespaces, piped=piped)
    _configure(ml, document)
    _restore_checkpoints(ml, document, context.objects)
    interpreter = environments.make(root / "venv")
    hyperparameters = document.get("HyperParameters", {})
    _place_code(ml / "code", hyperparameters, context.objects)
    command = command_of(document, interpreter)
    if (root / "pipes").is_dir():
        script = str(Path(pipes.__file__).resolve())
        words = [sys.executable, "-I", "-S", script, str(root / "pipes"), str(ml / "input" / "data"), "--"]
        command = [*words, *command]
    env = _environment(root, document, context, interpreter)
    cwd = f"{launcher.BASE}/code"
    if not namespaces:
        _rewrite_drivers(ml)
        command, env, _ = launcher.prepare(command, env, root)
        cwd = str(ml / "code")
    isolate = bool(document.get("EnableNetworkIsolation"))
    if isolate and not namespaces:
        note = "Network isolation cannot be enforced on this machine: its kernel does not allow namespaces."
        (root / "output").write_text(f"{int(time.time() * 1000)} {note}\n")
    spec = {
        "argv": command,
        "env": env,
        "cwd": cwd,
        "namespaces": namespaces,
        "hosts": [HOST],
        "isolate_network": isolate,
        "read_only": read_only,
        "grace": GRACE_SECONDS,
        "max_runtime": document["StoppingCondition"].get("MaxRuntimeInSeconds", 86400),
    }
    # It holds keys; and marshal, because the shim would need longer for loading the json module than for its work.
    temporary = root / ".spec"
    temporary.touch(mode=0o600)
    temporary.write_bytes(marshal.dumps(spec))
    temporary.replace(root / "spec")


def command_of(document: Mapping[str, Any], interpreter: Path) -> list[str]:
    """What the container would run: the given entrypoint and arguments, else the image's ``train``."""
    algorithm = document["AlgorithmSpecification"]
    arguments = list(algorithm.get("ContainerArguments") or [])
    entrypoint = list(algorithm.get("ContainerEntrypoint") or [])
    if not entrypoint:
        runtime = resolve(algorithm["TrainingImage"])
        train = runtime.training(document.get("HyperParameters", {}), document.get("Environment", {}))
        if train is None:
            raise ChannelError(f"The image {algorithm['TrainingImage']} cannot train.")
        entrypoint = [str(interpreter) if item == sys.executable else item for item in train]
    return [*entrypoint, *arguments]


def _takes_pipes(document: Mapping[str, Any]) -> bool:
    """Whether channels of mode Pipe are FIFOs: a built-in algorithm gets their data as files."""
    algorithm = document["AlgorithmSpecification"]
    runtime = resolve(algorithm["TrainingImage"])
    command = runtime.training(document.get("HyperParameters", {}), document.get("Environment", {}))
    return bool(algorithm.get("ContainerEntrypoint") or not runtime.builtin or command != runtime.train)


def _download(
    root: Path, document: Mapping[str, Any], context: Context, *, namespaces: bool, piped: bool
) -> list[str]:
    """Fill the channels' directories; the ones that must be mounted read-only."""
    ml, read_only = root / "ml", []
    for channel in document.get("InputDataConfig", []):
        name = channel["ChannelName"]
        listed = list(
            channels.items(context.objects, channel, region=context.region, role=document["RoleArn"])
        )
        unpack = channel.get("CompressionType") == "Gzip"
        if piped and input_mode(document, channel) == "Pipe":
            _fill_pipe(root / "pipes", channel, listed, unpack=unpack)
            continue
        folder = ml / "input" / "data" / name
        folder.mkdir()
        # FastFile shows the objects without copying them; SageMaker's is read-only too.
        link = namespaces and input_mode(document, channel) == "FastFile"
        if link:
            read_only.append(f"input/data/{name}")
        else:
            channels.check_space(folder, sum(item.info.size for item in listed))
        for item in listed:
            channels.place(item, folder, link=link, unpack=unpack)
    return read_only


def _fill_pipe(
    folder: Path, channel: Mapping[str, Any], items: Sequence[channels.Item], *, unpack: bool
) -> None:
    """Lay out a channel's objects for `pipes`, in their order; they are only read, so links to them do."""
    source = folder / channel["ChannelName"]
    source.mkdir(parents=True)
    for number, item in enumerate(items):
        suffix = ".gz" if item.path.endswith(".gz") else ""
        channels.place(channels.Item(item.info, f"{number:09}{suffix}"), source, link=True, unpack=unpack)
    if channel.get("RecordWrapperType") == "RecordIO":
        (folder / f"{channel['ChannelName']}.recordio").touch()


def input_mode(document: Mapping[str, Any], channel: Mapping[str, Any]) -> str:
    """A channel's input mode, its own or the algorithm's."""
    return str(channel.get("InputMode") or document["AlgorithmSpecification"]["TrainingInputMode"])


def _configure(ml: Path, document: Mapping[str, Any]) -> None:
    instance = document["ResourceConfig"]["InstanceType"]
    group = "homogeneousCluster"
    resources = {
        "current_host": HOST,
        "current_instance_type": instance,
        "current_group_name": group,
        "hosts": [HOST],
        "instance_groups": [{"instance_group_name": group, "instance_type": instance, "hosts": [HOST]}],
        "network_interface_name": "lo",
    }
    inputs = {}
    for channel in document.get("InputDataConfig", []):
        entry = {
            "TrainingInputMode": input_mode(document, channel),
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        if channel.get("ContentType"):
            entry["ContentType"] = channel["ContentType"]
        if channel.get("CompressionType", "None") != "None":
            entry["CompressionType"] = channel["CompressionType"]
        inputs[channel["ChannelName"]] = entry
    hyperparameters = dict(document.get("HyperParameters", {}))
    if not launcher.namespaces_allowed():
        hyperparameters = {key: launcher.rewritten(value, ml) for key, value in hyperparameters.items()}
    config = ml / "input" / "config"
    (config / "resourceconfig.json").write_text(json.dumps(resources))
    (config / "inputdataconfig.json").write_text(json.dumps(inputs))
    if document.get("CheckpointConfig"):
        checkpoints = {"LocalPath": f"{launcher.BASE}/checkpoints", **document["CheckpointConfig"]}
        (config / "checkpointconfig.json").write_text(json.dumps(checkpoints))
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))


def _place_code(code: Path, hyperparameters: Mapping[str, str], objects: ObjectStore) -> None:
    """Unpack ``sagemaker_submit_directory`` where the toolkit looks for the user's code."""
    uri = decoded(hyperparameters.get("sagemaker_submit_directory", ""))
    if not uri.startswith("s3://"):
        return
    bucket, key = channels.split_uri(uri)
    info = objects.find(bucket, key) if objects.bucket_exists(bucket) else None
    if info is None:
        raise ChannelError(
            f"The source code '{uri}' (hyperparameter sagemaker_submit_directory) does not exist."
        )
    try:
        with tarfile.open(info.path) as archive:
            archive.extractall(code, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ChannelError(f"The source code '{uri}' cannot be unpacked: {error}.") from error


def decoded(value: str) -> str:
    """A text hyperparameter, with or without the JSON quotes that the SageMaker SDK v2 puts around it."""
    if value[:1] != '"':
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value


def checkpoint_folder(ml: Path, document: Mapping[str, Any]) -> Path | None:
    """Where a job with a CheckpointConfig keeps its checkpoints, None without one."""
    config = document.get("CheckpointConfig")
    if not config:
        return None
    local = str(config.get("LocalPath") or f"{launcher.BASE}/checkpoints")
    return ml / os.path.relpath(local, launcher.BASE)


def _restore_checkpoints(ml: Path, document: Mapping[str, Any], objects: ObjectStore) -> None:
    folder = checkpoint_folder(ml, document)
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    bucket, prefix = channels.split_uri(document["CheckpointConfig"]["S3Uri"])
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    if not objects.bucket_exists(bucket):
        raise ChannelError(f"The bucket of CheckpointConfig.S3Uri, '{bucket}', does not exist.")
    for info in objects.iterate(bucket, prefix):
        relative = info.key[len(prefix) :]
        if relative and not relative.endswith("/"):
            channels.place(channels.Item(info, relative), folder, link=False, unpack=False)


def _environment(
    root: Path, document: Mapping[str, Any], context: Context, interpreter: Path
) -> dict[str, str]:
    threads = str(context.share.threads)
    env = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.startswith(_INHERITED_PREFIXES) or name.lower() in _PROXIES
    }
    own = Path(sys.executable).parent
    paths = [str(interpreter.parent), str(own), os.environ.get("PATH", os.defpath)]
    env |= {
        "PATH": ":".join(paths),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "UTF-8",
        "VIRTUAL_ENV": str(root / "venv"),
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "AWS_ENDPOINT_URL": context.endpoint,
        "AWS_REGION": context.region,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        **context.credentials,
        "TRAINING_JOB_NAME": document["TrainingJobName"],
        "TRAINING_JOB_ARN": document["TrainingJobArn"],
        "CURRENT_HOST": HOST,
        **document.get("Environment", {}),
        MARK: str(root),
    }
    return env


def _rewrite_drivers(ml: Path) -> None:
    """The SDK's drivers name /opt/ml in their text: without namespaces they are pointed to the job's directory."""
    drivers = ml / "input" / "data" / "sm_drivers"
    for path in drivers.rglob("*") if drivers.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            try:
                text = path.read_text()
            except UnicodeDecodeError:
                continue
            changed = launcher.rewritten(text, ml)
            if changed != text:
                path.write_text(changed)

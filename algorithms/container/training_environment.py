"""What a training script is told: hyperparameters, arguments and SM_* variables, as SageMaker's training toolkit sets them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

_PREFIX = "sagemaker_"
# Parameters of the toolkit itself; further sagemaker_* ones are told to the framework, not to the script.
_TOOLKIT = frozenset(
    (
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "sagemaker_s3_output",
        "default_user_module_name",
        "_tuning_objective_metric",
    )
)
DEFAULT_LOG_LEVEL = 20


def decode(value: str) -> Any:
    """A hyperparameter's value: what its JSON says, or the text itself when it is not JSON."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def arguments(hyperparameters: Mapping[str, Any]) -> list[str]:
    """The command line: ``--name value`` in order of name, ``-n value`` for names of one letter.

    A mapping becomes ``key=value,key=value``, everything else Python's text of it.
    """
    words: list[str] = []
    for name in sorted(hyperparameters):
        if name:
            words += [f"--{name}" if len(name) > 1 else f"-{name}", _text(hyperparameters[name])]
    return words


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return str(value)


def variable(value: Any) -> str:
    """The text of an SM_* variable: text as it is, everything else as compact JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


class TrainingEnvironment(NamedTuple):
    """One job's configuration as found below ``base`` (SageMaker's /opt/ml).

    ``hyperparameters`` are the user's, decoded; ``toolkit`` the sagemaker_* ones.
    """

    base: Path
    hyperparameters: dict[str, Any]
    toolkit: dict[str, Any]
    resources: dict[str, Any]
    inputs: dict[str, Any]
    job_name: str
    cpus: int
    gpus: int

    @property
    def program(self) -> str:
        """The entry point, for example ``train.py`` (``sagemaker_program``), "" when none is named."""
        return str(self.toolkit.get("sagemaker_program") or os.environ.get("SAGEMAKER_PROGRAM", ""))

    @property
    def submit_directory(self) -> str:
        """Where the source code comes from: an S3 URI, or a local archive or folder."""
        named = self.toolkit.get("sagemaker_submit_directory") or os.environ.get(
            "SAGEMAKER_SUBMIT_DIRECTORY", ""
        )
        return str(named)

    @property
    def code(self) -> Path:
        """The folder that the source code is unpacked into."""
        return self.base / "code"

    @property
    def module(self) -> str:
        """The entry point without ``.py``."""
        return self.program.removesuffix(".py")

    def channels(self) -> dict[str, str]:
        """Folders by channel."""
        return {name: str(self.base / "input" / "data" / name) for name in sorted(self.inputs)}

    def variables(self) -> dict[str, str]:
        """All SM_* variables."""
        base, resources = self.base, self.resources
        host = resources.get("current_host", "algo-1")
        hosts = sorted(resources.get("hosts", [host]))
        groups = resources.get("instance_groups", [])
        group = resources.get("current_group_name", "homogeneousCluster")
        framework = {key: value for key, value in self.toolkit.items() if key not in _TOOLKIT}
        level = self.toolkit.get("sagemaker_container_log_level", DEFAULT_LOG_LEVEL)
        folders = {
            "model_dir": str(base / "model"),
            "output_dir": str(base / "output"),
            "output_data_dir": str(base / "output" / "data"),
            "output_intermediate_dir": str(base / "output" / "intermediate"),
            "input_dir": str(base / "input"),
            "input_config_dir": str(base / "input" / "config"),
        }
        shared: dict[str, Any] = {
            **folders,
            "hosts": hosts,
            "network_interface_name": resources.get("network_interface_name", "eth0"),
            "resource_config": resources,
            "input_data_config": self.inputs,
            "current_host": host,
            "current_instance_type": resources.get("current_instance_type", "local"),
            "current_instance_group": group,
            "current_instance_group_hosts": next(
                (item["hosts"] for item in groups if item["instance_group_name"] == group), hosts
            ),
            "instance_groups": [item["instance_group_name"] for item in groups],
            "instance_groups_dict": {item["instance_group_name"]: item for item in groups},
            "distribution_instance_groups": [],
            "is_hetero": len(groups) > 1,
            "module_name": self.module,
            "module_dir": self.submit_directory,
            "user_entry_point": self.program,
            "log_level": level,
            "num_cpus": self.cpus,
            "num_gpus": self.gpus,
            "num_neurons": 0,
            "framework_module": os.environ.get("SAGEMAKER_TRAINING_MODULE", ""),
        }
        described = {
            **shared,
            "hyperparameters": self.hyperparameters,
            "additional_framework_parameters": framework,
            "channel_input_dirs": self.channels(),
            "job_name": self.job_name,
            "is_master": host == hosts[0],
            "master_hostname": hosts[0],
        }
        found = {
            **shared,
            "hps": self.hyperparameters,
            "framework_params": framework,
            "channels": sorted(self.inputs),
            "training_env": described,
            "user_args": arguments(self.hyperparameters),
        }
        found |= {f"channel_{name}": path for name, path in self.channels().items()}
        found |= {f"hp_{name}": value for name, value in self.hyperparameters.items()}
        return {f"SM_{name.upper()}": variable(value) for name, value in found.items()}


def read(base: Path) -> TrainingEnvironment:
    """Read the job's configuration files.

    Raises:
        OSError: One of them is missing.
        ValueError: One of them is not JSON.
    """
    config = base / "input" / "config"
    given = {name: decode(value) for name, value in _load(config / "hyperparameters.json").items()}
    toolkit = {name: value for name, value in given.items() if name.startswith(_PREFIX) or name in _TOOLKIT}
    return TrainingEnvironment(
        base=base,
        hyperparameters={name: value for name, value in given.items() if name not in toolkit},
        toolkit=toolkit,
        resources=_load(config / "resourceconfig.json"),
        inputs=_load(config / "inputdataconfig.json"),
        job_name=str(toolkit.get("sagemaker_job_name") or os.environ.get("TRAINING_JOB_NAME", "")),
        cpus=_cpus(),
        gpus=_gpus(),
    )


def _load(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text())
    if not isinstance(found, dict):
        raise ValueError(f"{path} does not hold a JSON object")
    return found


def _cpus() -> int:
    threads = os.environ.get("OMP_NUM_THREADS", "")
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(available, int(threads)) if threads.isdigit() and int(threads) else available


def _gpus() -> int:
    """NVIDIA devices, without starting anything: they are files."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([item for item in visible.split(",") if item.strip() not in ("", "-1")])
    return len([path for path in Path("/dev").glob("nvidia[0-9]*") if path.name[6:].isdigit()])

"""What an instance type has: vCPUs, memory and GPUs, by AWS's own naming."""

from __future__ import annotations

import re
from typing import NamedTuple


class Shape(NamedTuple):
    """An instance type's vCPUs, memory in MiB and GPUs."""

    cpus: int
    memory_mb: int
    gpus: int = 0


# vCPUs by size; families whose sizes differ are in _SPECIAL.
_SIZES = {"nano": 2, "micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4, "metal": 96}

# GiB of memory per vCPU by family.
_MEMORY = {
    "c": 2.0,
    "m": 4.0,
    "r": 8.0,
    "t": 4.0,
    "g": 4.0,
    "p": 7.625,
    "trn": 16.0,
    "inf": 2.0,
    "x": 16.0,
    "i": 8.0,
}

# GPUs by the whole type, where a family has them.
_GPUS = {
    "p2.xlarge": 1, "p2.8xlarge": 8, "p2.16xlarge": 16, "p3.2xlarge": 1, "p3.8xlarge": 4, "p3.16xlarge": 8, "p3dn.24xlarge": 8,
    "p4d.24xlarge": 8, "p4de.24xlarge": 8, "p5.4xlarge": 1, "p5.48xlarge": 8, "p5e.48xlarge": 8, "p5en.48xlarge": 8,
    "g4dn.12xlarge": 4, "g5.12xlarge": 4, "g5.24xlarge": 4, "g5.48xlarge": 8, "g6.12xlarge": 4, "g6.24xlarge": 4, "g6.48xlarge": 8,
    "g6e.12xlarge": 4, "g6e.24xlarge": 4, "g6e.48xlarge": 8,
}  # fmt: skip

_SPECIAL = {
    "t3.medium": Shape(2, 4096),
    "t3.large": Shape(2, 8192),
    "m4.10xlarge": Shape(40, 163840),
    "p2.xlarge": Shape(4, 62464, 1),
}

_TYPE = re.compile(
    r"ml\.(?P<family>(?P<letters>[a-z]+)[0-9][a-z0-9-]*)\.(?P<size>(?:(?P<times>\d+)x)?[a-z]+)"
)


def shape(instance_type: str) -> Shape:
    """The shape of an instance type such as ``ml.m5.xlarge``.

    Raises:
        ValueError: Not an instance type.
    """
    found = _TYPE.fullmatch(instance_type)
    if found is None:
        raise ValueError(f"{instance_type} is not an instance type")
    name = f"{found['family']}.{found['size']}"
    if name in _SPECIAL:
        return _SPECIAL[name]
    cpus = 4 * int(found["times"]) if found["times"] else _SIZES.get(found["size"], 4)
    gpus = _GPUS.get(name, 1 if found["letters"] in ("g", "gr") else 0)
    return Shape(cpus, int(cpus * _MEMORY.get(found["letters"], 4.0) * 1024), gpus)

"""URIs of AWS's script-mode containers: neither the SDK nor a call is needed for them."""

from __future__ import annotations

from typing import Literal

from workflows.failures import WorkflowError

PYTORCH = "2.6.0"
PYTHON = "py312"
SKLEARN = "1.9-0"

_REGISTRIES = {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-east-2": "975050140332",
    "ap-northeast-3": "364406365360",
    "ap-south-2": "772153158452",
    "ap-southeast-3": "907027046896",
    "ap-southeast-4": "457447274322",
    "ap-southeast-5": "550225433462",
    "ap-southeast-6": "633930458069",
    "ap-southeast-7": "590183813437",
    "ca-west-1": "204538143572",
    "cn-north-1": "727897471807",
    "cn-northwest-1": "727897471807",
    "eu-central-2": "380420809688",
    "eu-south-1": "692866216735",
    "eu-south-2": "503227376785",
    "il-central-1": "780543022126",
    "me-central-1": "914824155844",
    "me-south-1": "217643126080",
    "mx-central-1": "637423239942",
    "us-gov-east-1": "446045086412",
    "us-gov-west-1": "442386744353",
}
_REGISTRY = "763104351884"
_REGIONS_OF_REGISTRY = ("us-east-", "us-west-", "ca-central-1", "eu-", "ap-", "sa-east-1")


def pytorch(kind: Literal["training", "inference"], region: str) -> str:
    """The CPU image of the pinned PyTorch version in a region.

    Raises:
        WorkflowError: AWS publishes these images in no registry for that region that is known here.
    """
    account = _REGISTRIES.get(region)
    if account is None and not region.startswith(_REGIONS_OF_REGISTRY):
        raise WorkflowError(f"No PyTorch container is known for region {region}. Choose another --region.")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account or _REGISTRY}.dkr.ecr.{region}.{suffix}/pytorch-{kind}:{PYTORCH}-cpu-{PYTHON}"


def sklearn(region: str) -> str:
    """The image of the pinned scikit-learn version in a region; it trains and serves.

    Raises:
        Problem: AWS publishes it in no registry of that region.
    """
    from workflows.builtin import images

    return f"{images.uri('sklearn', region, SKLEARN)}-cpu-py3"

"""Image URIs of the built-in algorithms, from the tables that the SageMaker SDK brings with it; the SDK itself is not imported for them."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from workflows.problem import Problem

ALGORITHMS = {
    "pca": "1",
    "kmeans": "1",
    "linear-learner": "1",
    "forecasting-deepar": "1",
    "xgboost": "3.0-5",
}
"""The algorithms that can be trained, with the version that is taken when none is named."""

ALIASES = {"deepar": "forecasting-deepar", "k-means": "kmeans", "linear": "linear-learner", "xgb": "xgboost"}


def uri(algorithm: str, region: str, version: str = "") -> str:
    """The image of an algorithm in a region, as ``sagemaker.image_uris.retrieve`` gives it.

    Raises:
        Problem: There is no such version, or AWS publishes it in no registry of that region.
    """
    table = _table(algorithm)
    wanted = version or ALGORITHMS[algorithm]
    entry = table["versions"].get(table.get("version_aliases", {}).get(wanted, wanted))
    if entry is None:
        listed = ", ".join(table["versions"])
        raise Problem(f"{algorithm} has no version {wanted}.", f"Its versions are {listed}.", "version")
    account = entry["registries"].get(region)
    if account is None:
        raise Problem(
            f"No image of {algorithm} {wanted} is known for region {region}.",
            "Choose another --region or version.",
            "region",
        )
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}/{entry['repository']}:{wanted}"


@cache
def _table(algorithm: str) -> dict[str, Any]:
    found = importlib.util.find_spec("sagemaker")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "core" / "image_uri_config" / f"{algorithm}.json"
        if path.is_file():
            table: dict[str, Any] = json.loads(path.read_text())
            scoped: dict[str, Any] = table.get("training", table)
            return scoped
    raise Problem(
        f"The SageMaker SDK here has no image table for {algorithm}.",
        "Install sagemaker 3.27 or newer.",
        "image",
    )

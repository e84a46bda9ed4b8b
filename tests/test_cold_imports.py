"""Layers that the static import graph cannot see: what is in memory after a package was imported in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["boto3", "sagemaker", "torch", "sklearn", "pandas", "numpy", "scipy", "matplotlib"]
SCREEN = ["textual", "rich"]
CASES = {
    "console": [*HEAVY, *SCREEN, "engine", "algorithms", "workflows.studies.moons", "botocore"],
    "console.__main__": [*HEAVY, *SCREEN, "engine", "algorithms", "botocore", "pydantic"],
    "workflows": [*HEAVY, *SCREEN, "console", "engine", "botocore"],
    "workflows.events": [*HEAVY, *SCREEN, "console", "engine", "botocore"],
    "workflows.runs": [*HEAVY, *SCREEN, "console", "engine", "botocore"],
    "workflows.lineage": [*HEAVY, *SCREEN, "console", "engine", "botocore", "jinja2"],
    "workflows.comparison": [*HEAVY, *SCREEN, "console", "engine", "botocore", "jinja2"],
    "workflows.report.files": [*HEAVY, *SCREEN, "console", "engine", "botocore"],
    "console.cli.report": [*HEAVY, *SCREEN, "engine", "algorithms", "workflows.report", "botocore"],
    "workflows.hub": [*HEAVY, *SCREEN, "console", "engine", "botocore"],
    "workflows.abtest.following": [*HEAVY, *SCREEN, "console", "engine", "botocore"],
    "workflows.statistics.testing": [*HEAVY, *SCREEN, "console", "engine", "botocore"],
    "workflows.studies.catalog": [*HEAVY, *SCREEN, "console", "engine", "botocore"],
    "workflows.data.place": [*HEAVY, *SCREEN, "console", "engine", "botocore", "pyarrow"],
    "workflows.data.checking": [*HEAVY, *SCREEN, "console", "engine", "botocore", "pyarrow"],
    "workflows.data.audit": [*HEAVY, *SCREEN, "console", "engine", "botocore", "pyarrow"],
    "console.cli.data": [*HEAVY, *SCREEN, "engine", "algorithms", "workflows.data.place", "botocore"],
    "console.app": [*HEAVY, "engine", "algorithms", "botocore"],
    "console.process": [*HEAVY, "engine", "algorithms", "botocore"],
    "engine": [*HEAVY, *SCREEN, "console", "workflows", "algorithms", "botocore"],
    "engine.app": [*HEAVY, *SCREEN, "console", "workflows", "algorithms"],
    "algorithms": [*HEAVY, *SCREEN, "console", "workflows", "engine", "botocore"],
    "algorithms.container.serve": [
        "console",
        "workflows",
        "engine",
        "boto3",
        "botocore",
        "torch",
        "sklearn",
        "sagemaker",
    ],
    "algorithms.builtin.serve": [
        *(name for name in HEAVY if name != "numpy"),
        "pyarrow",
        "engine",
        "workflows",
    ],
    "algorithms.builtin.train": [
        *(name for name in HEAVY if name != "numpy"),
        "pyarrow",
        "engine",
        "workflows",
    ],
    "algorithms.builtin.pca.model": [*(name for name in HEAVY if name != "numpy"), "pyarrow"],
    "algorithms.builtin.kmeans.model": [*(name for name in HEAVY if name != "numpy"), "pyarrow"],
    "workflows.records": [*(name for name in HEAVY if name != "numpy"), "google.protobuf", "engine"],
    "algorithms.container.train": [
        "console",
        "workflows",
        "engine",
        "boto3",
        "botocore",
        "torch",
        "sklearn",
        "sagemaker",
    ],
}


@pytest.mark.parametrize("module", CASES)
def test_importing_a_package_leaves_what_it_must_not_know_out_of_memory(module: str) -> None:
    program = f"import sys, {module}; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert not loaded & set(CASES[module])

"""The head of every printed script: what it is, its imports, the names that say where it works, and the clients."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template

from workflows.runs import Run
from workflows.studies import pieces

_HEAD = Template('''\
#!/usr/bin/env python3
"""$title on Amazon SageMaker through $through.

Written from run $run. It needs $needs, and a shell whose AWS settings point to the target:
    eval "$$(mlconsole engine env)"      # the SageMaker inside mlconsole
    export AWS_PROFILE=... AWS_DEFAULT_REGION=$region      # AWS; put your own role and bucket below
"""

$imports

import boto3
$packages
$sdk_imports
REGION = "$region"
ROLE = "$role"
BUCKET = "$bucket"
NAME = time.strftime("$study-script-%Y%m%d-%H%M%S")
PREFIX = f"mlconsole/{NAME}"
TAGS = {"mlconsole:run": NAME, "mlconsole:study": "$study"}
TRAINING_INSTANCE = "$training_instance"
HOSTING_INSTANCE = "$hosting_instance"
MAX_SECONDS = $max_seconds
POLL = $poll  # seconds between two looks at a job or an endpoint
KEEP = $keep  # leave what is hosted in place at the end
$constants

session = boto3.Session(region_name=REGION)
client = session.client("sagemaker")
runtime = session.client("sagemaker-runtime")
s3 = session.client("s3")
logs = session.client("logs")
$sdk_session
''')


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is a study's own in the head of its script.

    ``title`` says what the script is, ``needs`` names packages beside boto3 or the SDK, and data. ``imports`` are modules of the
    standard library beside those that every script imports (or whole lines that begin with ``from``), ``packages`` lines that
    import others, ``sdk_imports`` those of the SDK beside `pieces.SDK_IMPORTS`. ``constants`` is text of assignments, ENVIRONMENT
    and MODELS among them.
    """

    title: str
    needs: str
    imports: tuple[str, ...] = ()
    packages: tuple[str, ...] = ("import numpy as np",)
    sdk_imports: str = ""
    constants: str


def region_of(run: Run) -> str:
    """The region that the run used, or would use, if it never reached its target."""
    return run.platform.get("region") or str(run.configuration.get("region") or "us-east-1")


def write(run: Run, head: Head) -> str:
    """The head of a run's script, with the values that the run used (or would use, if it never reached its target)."""
    high = run.interface == "high"
    where, parameters = run.platform, run.parameters
    region = region_of(run)
    account = where.get("account") or "<your account id>"
    whole = [item for item in head.imports if item.startswith("from ")]
    modules = {"re", "tempfile", "time", *head.imports} - {*whole}
    training = parameters["instance-type"]
    return _HEAD.substitute(
        title=head.title,
        through="its Python SDK, version 3" if high else "boto3 alone",
        run=run.id,
        study=run.study,
        needs=f"{'sagemaker>=3.27' if high else 'boto3'}, {head.needs}",
        imports="\n".join(
            [*(f"import {name}" for name in sorted(modules)), *sorted([*whole, "from pathlib import Path"])]
        ),
        packages="\n".join(head.packages),
        sdk_imports=pieces.SDK_IMPORTS + head.sdk_imports if high else "",
        sdk_session="sdk = Session(boto_session=session, default_bucket=BUCKET)\n" if high else "",
        region=region,
        role=where.get("role_arn") or f"arn:aws:iam::{account}:role/<your execution role>",
        bucket=where.get("bucket") or f"sagemaker-{region}-{account}",
        training_instance=training,
        hosting_instance=parameters.get("hosting-instance-type", training),
        max_seconds=int(parameters["max-minutes"]) * 60,
        poll=10 if run.target == "aws" else 0.5,
        keep=run.keep,
        constants=head.constants.strip("\n"),
    )

"""The command of ``mlconsole transform`` that starts a transform job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from console.cli.options import Settings, interface_option, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.transforms.request import Split

SPLITS = ["Line", "None", "RecordIO", "TFRecord"]


@click.command()
@click.argument("source", metavar="MODEL-OR-TRAINING-JOB")
@click.option(
    "--input",
    "-i",
    "given",
    required=True,
    metavar="PLACE",
    help="s3://bucket/prefix, or a file of this machine, which is uploaded.",
)
@click.option(
    "--output", "-o", default="", metavar="S3-URI", help="By default beside the training job's output."
)
@click.option("--name", default="", metavar="NAME", help="The transform job's name.")
@click.option("--manifest", is_flag=True, help="The input is a manifest that names the objects.")
@click.option(
    "--content-type",
    "-c",
    default="",
    metavar="TYPE",
    help="By default text/csv (DeepAR: application/jsonlines).",
)
@click.option("--accept", "-a", default="", metavar="TYPE", help="The wanted type of the answers.")
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    default="Line",
    show_default=True,
    help="How objects are split into records.",
)
@click.option("--gzip", is_flag=True, help="The input is compressed.")
@click.option("--single", is_flag=True, help="One record per request instead of as many as fit.")
@click.option("--payload", type=click.IntRange(0, 100), metavar="MB", help="Megabytes per request at most.")
@click.option("--concurrent", type=click.IntRange(min=1), help="Requests at the same time.")
@click.option(
    "--input-filter", default="", metavar="JSONPATH", help="The part of a record that the model gets."
)
@click.option("--output-filter", default="", metavar="JSONPATH", help="The part of an answer that is kept.")
@click.option("--join", is_flag=True, help="Put the record before its answer.")
@click.option(
    "--env", "environment", multiple=True, metavar="NAME=VALUE", help="A variable of the container."
)
@click.option("--instance-type", default="", metavar="TYPE", help="By default that of the training job.")
@click.option("--instances", type=click.IntRange(min=1), default=1, show_default=True, help="How many.")
@click.option("--wait", "-w", "waits", is_flag=True, help="Wait until it has ended.")
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def start(
    ctx: click.Context,
    source: str,
    given: str,
    output: str,
    name: str,
    manifest: bool,
    content_type: str,
    accept: str,
    split: str,
    gzip: bool,
    single: bool,
    payload: int | None,
    concurrent: int | None,
    input_filter: str,
    output_filter: str,
    join: bool,
    environment: tuple[str, ...],
    instance_type: str,
    instances: int,
    waits: bool,
    yes: bool,
    as_json: bool,
) -> int | None:
    """Start a transform job with a model, or with what a training job has made.

    \b
    mlconsole transform start my-training-job -i rows.csv --wait
    mlconsole transform start my-model -i s3://bucket/rows/ -a text/csv --join
    """
    from dataclasses import replace

    from console.cli.asking import confirm
    from console.cli.output import print_json
    from console.cli.transform import waited
    from console.cli.values import assignments
    from workflows import costs
    from workflows.observe import jobs
    from workflows.transforms import operations
    from workflows.transforms.draft import draft

    variables = assignments(environment)
    local = None if given.startswith("s3://") else Path(given)
    if local is not None and not local.is_file():
        raise click.BadParameter(f"{given!r} is neither an S3 URI nor a file.", param_hint="--input")
    with Settings.of(ctx).acting() as (platform, interface):
        found = draft(platform, source)
        request = found.request
        request = replace(
            request,
            name=name or request.name,
            output=output or request.output,
            data_type="ManifestFile" if manifest else "S3Prefix",
            content_type=content_type or request.content_type,
            accept=accept,
            split=cast("Split", split),
            assemble="Line" if split == "Line" else "None",
            compression="Gzip" if gzip else "None",
            strategy="SingleRecord" if single else request.strategy,
            max_payload_mb=payload,
            max_concurrent=concurrent,
            input_filter=input_filter,
            output_filter=output_filter,
            join="Input" if join else "None",
            environment=variables,
            instance_type=instance_type or request.instance_type,
            instance_count=instances,
        )
        sentences = [
            f"Start transform job {request.name} on {instances} × {request.instance_type}.",
            *found.notes,
        ]
        if found.training_job and not interface.model_exists(request.model):
            sentences.insert(0, f"Make model {request.model} of training job {found.training_job}.")
        if platform.target == "aws":
            price = costs.hourly([(request.instance_type, instances)], costs.TRANSFORM)
            sentences.append(f"While it runs it costs {price} ({costs.REGION}, {costs.DATE}).")
        confirm(sentences, yes=yes)
        if found.training_job and not interface.model_exists(request.model):
            interface.make_model(
                operations.model_of(jobs.describe(platform, found.training_job), request.model)
            )
        place = (
            interface.upload(local, f"s3://{platform.bucket}/mlconsole/{request.name}/input")
            if local
            else given
        )
        started = interface.transforms.create(replace(request, input=place))
        if waits:
            return waited(interface, platform, started, as_json)
        if as_json:
            print_json({"transform_job": started, "output": request.output})
        else:
            click.echo(f"Started {started}. `mlconsole transform wait {started}` waits for it.")
        return None

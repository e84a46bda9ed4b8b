"""``mlconsole jobs start``: a training job of a built-in algorithm, from files of this machine or objects in S3."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.options import Settings, interface_option, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.interfaces.base import Interface
    from workflows.platform import Platform


@click.command()
@click.argument("algorithm")
@click.option(
    "--input",
    "-i",
    "inputs",
    multiple=True,
    required=True,
    metavar="CHANNEL=PLACE",
    help="A channel: train=rows.csv (a file or folder here, which is uploaded), validation=s3://bucket/prefix. Again for more.",
)
@click.option(
    "--set", "-s", "values", multiple=True, metavar="NAME=VALUE", help="A hyperparameter. Again for more."
)
@click.option(
    "--content-type", "-c", default="", metavar="TYPE", help="By default by the names of the files."
)
@click.option("--manifest", is_flag=True, help="The S3 inputs are manifests that name the objects.")
@click.option("--version", default="", metavar="VERSION", help="The algorithm's version: xgboost has many.")
@click.option("--name", default="", help="The training job's name.")
@click.option(
    "--output", "-o", default="", metavar="S3-URI", help="By default in the account's default bucket."
)
@click.option(
    "--instance-type", default="ml.m5.large", show_default=True, metavar="TYPE", help="What it runs on."
)
@click.option(
    "--max-seconds",
    type=click.IntRange(1, 2_419_200),
    default=3600,
    show_default=True,
    help="It is stopped after this.",
)
@click.option("--wait", "-w", "waits", is_flag=True, help="Wait until it has ended, with its log.")
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def start(
    ctx: click.Context,
    algorithm: str,
    inputs: tuple[str, ...],
    values: tuple[str, ...],
    content_type: str,
    manifest: bool,
    version: str,
    name: str,
    output: str,
    instance_type: str,
    max_seconds: int,
    waits: bool,
    yes: bool,
    as_json: bool,
) -> int | None:
    """Start a training job of a built-in algorithm: pca, kmeans, linear-learner, forecasting-deepar, xgboost.

    \b
    mlconsole jobs start kmeans -i train=rows.csv -s k=8 --wait
    mlconsole jobs start xgboost -i train=train.csv -i validation=s3://bucket/valid.csv -s objective=reg:squarederror
    """  # fmt: skip
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from console.cli.values import assignments
    from workflows import costs
    from workflows.builtin import draft, images
    from workflows.builtin.request import AlgorithmRequest, ChannelInput

    chosen = draft.known(algorithm)
    places = channels(inputs)
    train = places.get("train")
    hyperparameters, notes = draft.completed(
        chosen, assignments(values), train if isinstance(train, Path) and train.is_file() else None
    )
    with Settings.of(ctx).acting() as (platform, interface):
        name = name or draft.named(chosen)
        base = f"s3://{platform.bucket}/mlconsole/{name}"
        image = images.uri(chosen, platform.region, version)
        sentences = [f"Start training job {name}: {image.rpartition('/')[2]} on 1 × {instance_type}.", *notes]
        if platform.target == "aws":
            price = costs.hourly([(instance_type, 1)], costs.TRAINING)
            sentences.append(f"While it runs it costs {price} ({costs.REGION}, {costs.DATE}).")
        confirm(sentences, yes=yes)
        made = []
        for channel, place in places.items():
            uri = place if isinstance(place, str) else _uploaded(interface, place, f"{base}/{channel}")
            kind = draft.content_type(chosen, str(place), content_type)
            listed = manifest and isinstance(place, str)
            made.append(
                ChannelInput(
                    name=channel,
                    uri=uri,
                    content_type=kind,
                    data_type="ManifestFile" if listed else "S3Prefix",
                )
            )
        request = AlgorithmRequest(
            name=name,
            image=image,
            channels=tuple(made),
            hyperparameters=hyperparameters,
            output=output or f"s3://{platform.bucket}/mlconsole/models",
            instance_type=instance_type,
            max_seconds=max_seconds,
        )
        started = interface.train_algorithm(request)
        if waits:
            return _wait(interface, platform, started, as_json)
        if as_json:
            print_json({"training_job": started})
        else:
            click.echo(f"Started {started}. `mlconsole jobs logs -f {started}` follows it.")
        return None


def channels(texts: tuple[str, ...]) -> dict[str, str | Path]:
    """``CHANNEL=PLACE`` texts by channel: an S3 URI as text, a file or folder of this machine as a path.

    Raises:
        click.BadParameter: A text is no assignment, a channel comes twice, or there is no such file.
    """
    found: dict[str, str | Path] = {}
    for text in texts:
        name, equals, place = text.partition("=")
        if not (name.strip() and equals and place):
            raise click.BadParameter(f"{text!r} names no channel. Write CHANNEL=PLACE.", param_hint="--input")
        if name in found:
            raise click.BadParameter(f"channel {name!r} comes twice.", param_hint="--input")
        if place.startswith("s3://"):
            found[name] = place
        elif Path(place).exists():
            found[name] = Path(place)
        else:
            raise click.BadParameter(
                f"{place!r} is neither an S3 URI nor a file or folder.", param_hint="--input"
            )
    return found


def _uploaded(interface: Interface, path: Path, prefix: str) -> str:
    """The S3 URI below which a file, or every file of a folder, lies now."""
    if path.is_file():
        return interface.upload(path, prefix)
    files = sorted(item for item in path.rglob("*") if item.is_file() and not item.name.startswith("."))
    if not files:
        raise click.BadParameter(f"{str(path)!r} holds no file.", param_hint="--input")
    for item in files:
        folder = item.relative_to(path).parent.as_posix()
        interface.upload(item, prefix if folder == "." else f"{prefix}/{folder}")
    return f"{prefix}/"


def _wait(interface: Interface, platform: Platform, name: str, as_json: bool) -> int | None:
    from console.cli.output import print_json
    from console.cli.waiting import waiter
    from workflows.interfaces.base import TrainingState

    log = interface.training_log(name)
    last: list[TrainingState] = []

    def poll() -> tuple[bool, object]:
        state = interface.describe_training(name)
        if state is None:
            return False, None
        last[:] = [state]
        lines = log.read() if state.secondary not in ("Starting", "Pending") else []
        if not as_json:
            for line in lines:
                click.echo(line.text)
        return state.ended, (state.secondary, len(lines))

    waiter(platform).until(poll, f"Training job {name}", 30 * 86_400)
    state = last[0]
    rest = log.read()
    if as_json:
        found = {
            "training_job": name,
            "status": state.status,
            "failure": state.failure,
            "model": state.model_uri,
        }
        print_json(found | {"metrics": state.metrics})
    else:
        for line in rest:
            click.echo(line.text)
        click.echo(f"{name}: {state.status}", err=True)
        if state.failure:
            click.echo(state.failure, err=True)
    return None if state.status == "Completed" else 1

"""What a transform job has made: its objects, and its rows beside the input's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from workflows.observe import objects, transforms
from workflows.observe.gateway import Gateway
from workflows.observe.objects import Listed
from workflows.observe.transform_rows import TransformDetail, TransformOutput
from workflows.problem import Problem

SUFFIX = ".out"
MOST_OBJECTS = 10_000


def results(gateway: Gateway, job: TransformDetail) -> tuple[Listed, ...]:
    """The job's output objects, by key.

    Raises:
        Problem: The bucket cannot be read, or holds too many objects.
    """
    bucket, prefix = transforms.output_folder(job)
    found = objects.listed(gateway, f"s3://{bucket}/{prefix}", MOST_OBJECTS)
    if found is None:
        raise Problem(
            f"Below {job.output} there are more than {MOST_OBJECTS:,} objects.",
            "Give jobs outputs of their own.",
            "size",
        )
    return tuple(item for item in found if item.uri.endswith(SUFFIX))


def preview(gateway: Gateway, job: TransformDetail, rows: int) -> TransformOutput:
    """The output's objects and its first rows beside the input that they answer.

    Raises:
        Problem: Input or output cannot be read.
    """
    found = results(gateway, job)
    shown = tuple(islice(_pairs(gateway, job, found), rows + 1))
    return TransformOutput(
        objects=tuple((item.uri, item.size) for item in found),
        rows=shown[:rows],
        total_rows=len(shown) if len(shown) <= rows else None,
    )


def pairs(gateway: Gateway, job: TransformDetail) -> Iterator[tuple[str, str]]:
    """(input record, answer) in the input's order, object by object; they are read as they are asked for.

    The input is empty where it is not split into lines, where answers are not put on lines of their own, or where the
    output holds it already (JoinSource).

    Raises:
        Problem: Input or output cannot be read, or they do not have the same number of lines.
    """
    return _pairs(gateway, job, results(gateway, job))


def _pairs(gateway: Gateway, job: TransformDetail, found: tuple[Listed, ...]) -> Iterator[tuple[str, str]]:
    beside = job.split == "Line" and job.join == "None" and job.compression == "None"
    inputs = (transforms.input_objects(gateway, job) or ()) if beside else ()
    for item in found:
        answers = objects.lines(gateway, item.uri)
        source = source_of(item.uri, tuple(one.uri for one in inputs))
        if source is None:
            yield from (("", answer) for answer in answers)
            continue
        records = (line for line in objects.lines(gateway, source) if line)
        for number, answer in enumerate(answers, 1):
            record = next(records, None)
            if record is None:
                raise _uneven(item.uri, source, f"answer {number} has no record")
            yield record, answer
        if next(records, None) is not None:
            raise _uneven(item.uri, source, "records are left without an answer")


def source_of(output: str, inputs: tuple[str, ...]) -> str | None:
    """The input object that an output object answers: the one with the same name, and the most folders in common."""
    wanted = output.removesuffix(SUFFIX).split("/")

    def common(uri: str) -> int:
        return next(
            (
                n
                for n, (a, b) in enumerate(zip(reversed(wanted), reversed(uri.split("/")), strict=False))
                if a != b
            ),
            99,
        )

    best = max(inputs, key=common, default=None)
    return best if best is not None and common(best) > 0 else None


def _uneven(output: str, source: str, what: str) -> Problem:
    return Problem(
        f"{output} does not go line by line with {source}: {what}.",
        "Read the output by itself: `mlconsole transform output NAME --alone`.",
        "misaligned",
    )

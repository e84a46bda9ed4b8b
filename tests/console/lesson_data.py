"""Runs of lessons, told as their real ones are: an explanation when a step begins, then what there is to see."""

from __future__ import annotations

from pathlib import Path

from tests.console.scripted import NOW, Scripted
from workflows import events as e
from workflows import topics
from workflows.lessons.catalog import lessons
from workflows.lessons.progress import Progress
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo

TAKEN = "introduction-20270115-073000-aa01"
RUNNING = "introduction-20270115-075900-aa02"
CODE = "\n".join(
    [
        '"""Training code: what runs on the training machine. It reads a channel, fits, and writes the artefact to the folder for models."""',
        "",
        "import argparse  # the hyperparameters",
        "",
        "",
        "def main() -> None:",
        '    parser = argparse.ArgumentParser(description="C of the support vector machine: less is smoother")',
        '    parser.add_argument("--c", type=float, default=1.0)',
        *(f"    print({number})" for number in range(40)),
    ]
)
EXCHANGE = 'POST /endpoints/tour/invocations HTTP/1.1\r\nContent-Type: text/csv\r\n\r\n0.5,0.25\r\n\x1b[31mHTTP/1.1 200 OK\r\n\r\n{"p": 0.4}'


def lesson(name: str = "introduction") -> StudyInfo:
    """A lesson of the catalog."""
    return next(info for info in lessons() if info.name == name)


def run(
    name: str, status: str, *, created: float = NOW - 1_800, study: str = "introduction", **more: object
) -> Run:
    """A run of a lesson."""
    return Run(
        id=name, folder=Path("/nonexistent") / name, study=study, interface="low", status=status, created=created,
        parameters={item.name: item.default for item in lesson(study).parameters}, configuration={"target": "embedded"}, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def told(name: str, info: StudyInfo, upto: int = 100) -> list[e.Event]:
    """The events of a lesson's run: all, or only those of its first ``upto`` steps."""
    explains = info.lesson.explains if info.lesson else {}
    at = NOW - 60
    steps = [{"id": identifier, "title": title} for identifier, title in info.steps]
    found: list[e.Event] = [
        e.RunStarted(
            time=at, run=name, study=info.name, interface="low", target="embedded", steps=steps, parameters={}
        )
    ]
    for number, (step, title) in enumerate(info.steps[:upto], start=1):
        at += 2
        found += [
            e.StepStarted(time=at, step=step, title=title),
            e.Note(time=at, step=step, title=title, text=explains[step]),
        ]
        if number == 2:
            shown = [
                {"title": "train.py", "language": "python", "text": CODE},
                {"title": "the call", "language": "http", "text": EXCHANGE},
            ]
            found.append(
                e.Note(
                    time=at, step=step, title="What the job saw", text="A program, and a call.", shown=shown
                )
            )
        if number == 3:
            found.append(
                e.Table(
                    time=at, step=step, title="Parts", columns=["part", "bytes"], rows=[["artefact", 41_022]]
                )
            )
        if number < upto:
            found.append(
                e.StepFinished(
                    time=at + 1.8, step=step, status="done", seconds=1.8, summary=f"{title}: done."
                )
            )
    if upto >= len(info.steps):
        found.append(
            e.RunFinished(time=at + 2, run=name, status="completed", metrics={"train_accuracy": 0.94}, message="A model is an artefact and two programs.")
        )  # fmt: skip
    return found


def attended(services: Scripted) -> Scripted:
    """A person in the middle of the course: the first lesson taken through boto3 with one change and going on with another, the second
    taken through both interfaces with its runs deleted."""
    info = lesson()
    assert info.lesson is not None
    known = services.values[topics.RUNS].value
    done = run(TAKEN, "completed", ended=NOW - 1_790, metrics={"train_accuracy": 0.94})
    services.publish(
        topics.RUNS, (run(RUNNING, "running", created=NOW - 60, step="train"), *known[:1], done, *known[1:])
    )
    services.events[TAKEN] = told(TAKEN, info)
    services.events[RUNNING] = told(RUNNING, info, upto=2)
    services.learned = {
        info.name: Progress(
            info.name, {"low": NOW - 1_790}, (info.lesson.tries[0].title,), RUNNING, "running"
        ),
        "building": Progress(
            "building",
            {"low": NOW - 90_000, "high": NOW - 80_000},
            (),
            "building-20270113-101010-bb01",
            "completed",
        ),
    }
    return services

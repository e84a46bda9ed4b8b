"""The process of a run whose pace a test sets: it keeps the contract of a run's folder, and its one step waits.

Usage: python slow_run.py FOLDER [ask]
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from workflows import events, processes, runs


def main() -> None:
    folder = Path(sys.argv[1])
    run = runs.read(folder)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    run.pid, run.pid_started, run.status = os.getpid(), processes.started(os.getpid()), "running"
    runs.save(run)

    def send(event: events.Event) -> None:
        with run.events_file.open("a") as file:
            file.write(events.to_json(event) + "\n")

    def now() -> float:
        return time.time()

    steps = [{"id": "train", "title": "Train the net"}]
    send(
        events.RunStarted(
            time=now(),
            run=run.id,
            study="moons",
            interface="low",
            target="embedded",
            steps=steps,
            parameters={},
        )
    )
    send(events.StepStarted(time=now(), step="train", title="Train the net"))
    send(events.Log(time=now(), step="train", message="warming up"))
    if "ask" in sys.argv:
        text = "It loses to the baseline. Deploy it nevertheless?"
        asked = {
            "question": "deploy-anyway",
            "text": text,
            "choices": ["refuse", "deploy"],
            "default": "refuse",
        }
        run.status, run.question = "waiting", asked
        runs.save(run)
        send(
            events.Question(
                time=now(),
                step="train",
                question="deploy-anyway",
                text=text,
                choices=["refuse", "deploy"],
                default="refuse",
            )
        )
    status, choice = "", ""
    epoch = 0
    while not status:
        time.sleep(0.05)
        epoch += 1
        send(events.Progress(time=now(), step="train", done=epoch, total=1000, unit="epochs"))
        send(events.Metric(time=now(), step="train", name="loss", value=1 / epoch, x=epoch))
        answer = run.control / "answer-deploy-anyway"
        if stopped or (run.control / "stop").exists():
            status = "stopped"
        elif answer.exists():
            choice = answer.read_text()
            status = "completed" if choice == "deploy" else "refused"
        elif (run.control / "finish").exists():
            status = (run.control / "finish").read_text()
    if choice:
        send(
            events.Answered(time=now(), step="train", question="deploy-anyway", choice=choice, by="a person")
        )
    send(events.StepFinished(time=now(), step="train", status="done", seconds=0.1, summary="trained"))
    run.status, run.question, run.ended = status, None, now()
    run.metrics = {"accuracy": 0.9} if status in ("completed", "refused") else {}
    runs.save(run)
    send(
        events.RunFinished(time=now(), run=run.id, status=status, metrics=run.metrics, message="That is all.")
    )


main()

"""The form of a transform job: where it reads and writes, how records become requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from console import actions
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.starting import StartingForm
from console.widgets.fields import Fields
from console.widgets.line import Line
from console.widgets.prompt import Field
from console.widgets.select import Choice
from workflows import costs
from workflows.studies.parameters import Parameter, ParameterError
from workflows.transforms.draft import TransformDraft
from workflows.transforms.request import SPLITS

HELP = {
    "input": "An object, a prefix (every object below it) or a manifest in S3: s3://bucket/path.",
    "output": "Where each object's answers go, as <name>.out.",
    "data_type": "A prefix takes every object that begins so; a manifest lists them.",
    "content_type": "What the records are, as the model reads them.",
    "split": "Where one record ends: Line for CSV and JSON lines, RecordIO for recordIO-protobuf, None sends whole objects.",
    "strategy": "Many records in a request, or one; empty: the container decides.",
    "assemble": "Line puts a line end after each answer.",
    "join": "Input writes each record together with its answer.",
    "input_filter": "A JSONPath of what the model gets of a record, as $[1:] for all columns but the first. Empty: everything.",
    "output_filter": "A JSONPath of what is written of record and answer. Empty: everything.",
    "accept": "What the answers shall be; empty: as the model likes.",
    "max_payload_mb": "The largest request. Empty: 6 MB.",
    "max_concurrent": "Requests at the same time to one instance. Empty: the container decides.",
    "instance_type": "What it runs on.",
    "instance_count": "Objects are shared out among the instances.",
}
NUMBERS = {
    "max_payload_mb": Parameter("max_payload_mb", "int", 6, "", minimum=0, maximum=100, unit="MB"),
    "max_concurrent": Parameter("max_concurrent", "int", 1, "", minimum=0, maximum=100),
    "instance_count": Parameter("instance_count", "int", 1, "", minimum=1, maximum=100),
}
CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    "data_type": (("S3Prefix", ""), ("ManifestFile", "")),
    "split": tuple((split, "") for split in SPLITS),
    "strategy": (("", "the container decides"), ("MultiRecord", ""), ("SingleRecord", "")),
    "assemble": (("Line", ""), ("None", "")),
    "join": (("None", ""), ("Input", "")),
}
ORDER = (
    "input", "output", "content_type", "split", "assemble", "accept", "join", "input_filter", "output_filter", "data_type",
    "strategy", "max_payload_mb", "max_concurrent", "instance_type", "instance_count",
)  # fmt: skip


class TransformFormScreen(StartingForm):
    """Ctrl+S starts the transform job."""

    BINDINGS: ClassVar = list(actions.bindings("batch"))
    place = "batch"
    section = "jobs"
    hints: ClassVar = HELP

    def __init__(self, draft: TransformDraft, *, source: str) -> None:
        super().__init__()
        self.draft = draft
        self._source = source

    def trail(self) -> str:
        return f"Transform with {self._source}"

    def body(self) -> Iterable[Widget]:
        with Vertical(id="form", classes="tune"):
            with Fields(id="fields"):
                for name in ORDER:
                    yield from self.row(name, self._widget(name))
            yield Static(id="hint", markup=False)
            yield Static(id="bound", markup=False)
            yield Line(id="verdict")

    def _widget(self, name: str) -> Choice | Input:
        value = getattr(self.draft.request, name)
        text = "" if value is None else str(value)
        if name in CHOICES:
            return Choice(CHOICES[name], text, id=f"b-{name}", wide=name == "strategy")
        wide = "-wide-field" if name in ("input", "output") else None
        return Field(text, id=f"b-{name}", classes=wide)

    def opened(self) -> None:
        self.query_one("#b-input").focus()
        self.draw_check()

    # Values

    def check(self) -> tuple[TransformDraft | None, dict[str, str]]:
        """The draft that the form means, and a sentence for each field that is wrong (then there is none)."""
        values: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for name in ORDER:
            text = self.text(name)
            if name in NUMBERS:
                try:
                    values[name] = (
                        None if not text and name != "instance_count" else NUMBERS[name].parse(text)
                    )
                except ParameterError as error:
                    wrong[name] = str(error).replace("_", " ")
            elif name in ("input", "output") and not (text.startswith("s3://") and len(text) > 6):
                wrong[name] = f"The {name} has to be a place in S3: s3://bucket/path."
            elif name in ("input_filter", "output_filter") and text and not text.startswith("$"):
                wrong[name] = (
                    f"The {name.replace('_', ' ')} is a JSONPath and begins with $: $[1:], $.features."
                )
            elif name == "instance_type" and not text.startswith("ml."):
                wrong[name] = "The instance type begins with ml., as ml.m5.large."
            else:
                values[name] = text
        if values.get("join") == "Input" and values.get("split") == "None":
            wrong.setdefault("join", "Joining needs records: choose a split, or join nothing.")
        if values.get("split") == "None" and values.get("strategy") == "MultiRecord":
            wrong.setdefault(
                "strategy", "Without a split there is one record per object: MultiRecord needs one."
            )
        if wrong:
            return None, wrong
        return replace(self.draft, request=replace(self.draft.request, **values)), {}

    def draw_check(self) -> None:
        draft, wrong = self.check()
        self.mark(wrong)
        verdict = self.query_one("#verdict", Line)
        if draft is None:
            verdict.show([(" ✗ " + next(iter(wrong.values())), "bad")])
            return
        verdict.show([(f" {key('batch.start')} ", "badge"), (" starts the transform job", "strong")])
        request = draft.request
        price = costs.hourly([(request.instance_type, request.instance_count)], costs.TRANSFORM)
        model = f"Makes a model of {draft.training_job} first. " if draft.training_job else ""
        free = "Free here; on AWS: " if self.console.services.target == "embedded" else ""
        self.query_one("#bound", Static).update(
            f"{model}{free}{price} while it runs, on {request.instance_count} × {request.instance_type} "
            f"(estimate, {costs.REGION} prices of {costs.DATE})"
        )

    def explanation(self, kind: str, name: str) -> str:
        notes = " ".join(self.draft.notes) if name == "input" else ""
        return f"{super().explanation(kind, name)} {notes}".rstrip()

    # Actions

    def action_start(self) -> None:
        draft, wrong = self.check()
        if draft is None:
            name, text = next(iter(wrong.items()))
            self.query_one(f"#b-{name}").focus()
            self.console.flash(f"✗ {text}", "bad")
            return
        if self.starting or not self.console.allowed(actions.get("batch.start")):
            return
        services = self.console.services
        self.start(draft.request.name, lambda: services.create_transform(draft))

    async def show_started(self, name: str) -> None:
        await self.console.open_transform(name)


def open_transform_form(screen: ConsoleScreen, source: str) -> None:
    """Open the form of a transform job with the model of a training job, or with a model."""
    console = screen.console
    console.flash(f"Reading what {source} needs …", "dim")

    def drafted(draft: TransformDraft) -> None:
        console.call_later(console.open, TransformFormScreen(draft, source=source))

    console.in_background_to_open(lambda: console.services.draft_transform(source), drafted)

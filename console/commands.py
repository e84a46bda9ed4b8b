"""What can be typed after ``:``: every screen, action, resource and list, found by what was typed so far."""

from __future__ import annotations

import heapq
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from console import actions
from console.filtering import resemblance
from console.formatting import ago, status
from console.keymap import key
from console.screens import exports
from console.screens.arranged import ArrangedScreen
from console.screens.base import ConsoleScreen
from console.trail import Place
from console.view import View
from workflows import topics
from workflows.topics import Topic

if TYPE_CHECKING:
    from console.app import Console
    from workflows.studies.catalog import StudyInfo

MOST = 100
LATELY = 8
"""How many of the last commands an empty line offers."""
LISTS = ("jobs", "endpoints", "tuning", "costs", "ab", "audit", "targets")
"""Sections whose command takes a filter."""

Run = Callable[[], Awaitable[None] | None]


@dataclass(frozen=True)
class Suggestion:
    """One line of the palette: what Enter does. ``takes`` says that the command goes on with an argument, ``leaves`` that it ends the
    console: it is never guessed."""

    key: str
    command: str
    help: str
    run: Run
    note: str = ""
    takes: bool = False
    leaves: bool = False


@dataclass(frozen=True)
class Kind:
    """Resources of a kind: where they are known from, the word that opens one by its name, what opens it, and the command of their list."""

    topic: Topic[Any]
    word: str
    noun: str
    open: Callable[[str], Awaitable[None]]
    section: str = ""
    name: Callable[[Any], str] = lambda row: str(row.name)


class Commands:
    """The commands of a console, as they are now."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._screen = console.base_screen

    def suggestions(self, text: str) -> list[Suggestion]:
        """What a text may mean, best first. Without a text: what was done last, then all there is."""
        text = text.strip().lstrip(":").strip()
        fixed = [*self._everywhere(aliases=bool(text)), *self._of_the_screen()]
        if not text:
            again = [
                Suggestion(f"again {command}", command, "Once more", partial(self.do, command), "history")
                for command in reversed(self._console.memory.commands()[-LATELY:])
            ]
            return [*again, *fixed, *self._names("")][:MOST]
        command, _, argument = text.partition(" ")
        asks = command.lower() in ("target", "profile", "region")
        found = (
            list(self._with_argument(command.lower(), argument.strip())) if argument.strip() or asks else []
        )
        scored = [(score, item) for item in fixed if (score := _score(text, item)) > 0]
        scored.sort(
            key=lambda entry: -entry[0]
        )  # a stable sort: what fits alike stays in the order of the registry
        found += [item for score, item in scored if score > 1]
        found += self._names(text)
        found += [item for score, item in scored if score <= 1]
        return list({item.key: item for item in found}.values())[:MOST]

    def instead(self, text: str) -> str:
        """Where a text means nothing: what its command takes, or that it is switched off; empty where nothing can be said."""
        command, _, argument = text.strip().lstrip(":").strip().lower().partition(" ")
        if argument:
            known = (item.command.partition(" ") for item in self._with_argument(command, ""))
            words = dict.fromkeys(
                rest.partition(" ")[0] for word, _, rest in known if word == command and rest
            )
            return f"After {command} there can be: {', '.join(words)}." if words else ""
        place = self._screen.place if self._screen is not None else ""
        off = [action for action in actions.of(place) if action.changes and action.label.lower() == command]
        return f"Read-only: {command} is switched off here." if off else ""

    def do(self, text: str) -> Awaitable[None] | None:
        """Do what Enter after this text would do; used for what was typed before."""
        found = self.suggestions(text)
        if found:
            return found[0].run()
        self._console.flash(f"{text!r} means nothing here any more.", "wait")
        return None

    # Commands without an argument

    def _everywhere(self, *, aliases: bool) -> Iterator[Suggestion]:
        for action in actions.commands():
            leaves = action.id == "app.quit"
            yield Suggestion(
                action.id,
                action.command,
                action.help,
                _method(self._console, action),
                key(action.id),
                takes=bool(action.argument),
                leaves=leaves,
            )
            for alias in action.aliases if aliases else ():
                yield Suggestion(
                    f"{action.id} {alias}",
                    alias,
                    action.help,
                    _method(self._console, action),
                    action.command,
                    leaves=leaves,
                )

    def _of_the_screen(self) -> Iterator[Suggestion]:
        screen = self._screen
        if screen is None:
            return
        for action in actions.of(screen.place):
            if action.keys and not (action.changes and self._console.services.read_only):
                yield Suggestion(
                    action.id,
                    action.label.lower(),
                    action.help,
                    _method(screen, action),
                    key(action.id),
                )
        for name, title in screen.parts:
            yield Suggestion(
                f"part {name}",
                title.lower(),
                f"The part {title} of this screen",
                partial(screen.show_part, name),
                "part",
            )
        if isinstance(screen, ArrangedScreen):
            yield Suggestion(
                "sort",
                "sort",
                "Sort by a column: sort duration, sort name asc",
                screen.action_sort,
                takes=True,
            )
            yield Suggestion(
                "view",
                "view",
                "A saved view of this list: view NAME, view save NAME",
                partial(self._use_view, screen, ""),
                takes=True,
            )

    # Names

    def _kinds(self) -> tuple[Kind, ...]:
        console = self._console
        return (
            Kind(topics.RUNS, "run", "run", console.open_run, name=lambda row: str(row.id)),
            Kind(topics.JOBS, "job", "training job", console.open_job, "jobs"),
            Kind(topics.TUNING_JOBS, "tuning-job", "tuning job", console.open_tuning, "tuning"),
            Kind(topics.TRANSFORMS, "transform", "transform job", console.open_transform),
            Kind(topics.ENDPOINTS, "endpoint", "endpoint", console.open_endpoint, "endpoints"),
            Kind(Topic("models"), "model", "model", partial(console.open_resource, "model")),
            Kind(
                Topic("endpoint-configs"),
                "endpoint-config",
                "endpoint configuration",
                partial(console.open_resource, "endpoint-config"),
            ),
            Kind(Topic("alarms"), "alarm", "alarm", partial(console.open_resource, "alarm")),
            Kind(topics.EXPERIMENTS, "test", "A/B test", console.open_experiment, "ab"),
        )

    def _names(self, text: str) -> list[Suggestion]:
        """Everything with a name that some screen has seen, best match first."""
        console = self._console
        wanted = text.lower()
        candidates: list[tuple[float, int, Kind | None, Any]] = []
        for info in (*console.services.studies(), *console.services.lessons()):
            score = max(resemblance(wanted, info.name), 0.5 * (wanted in info.title.lower())) if text else 1.0
            candidates.append((score, -len(candidates), None, info))
        for kind in self._kinds():
            for row in console.known(kind.topic) or ():
                score = resemblance(wanted, kind.name(row)) if text else 1.0
                if score > 0:
                    candidates.append((score, -len(candidates), kind, row))
        best = heapq.nlargest(
            MOST, (entry for entry in candidates if entry[0] > 0), key=lambda entry: entry[:2]
        )
        return [self._taught(row) if kind is None else self._named(kind, row) for _, _, kind, row in best]

    def _taught(self, info: StudyInfo) -> Suggestion:
        """The form of a study, or the page of a lesson."""
        console = self._console
        if info.lesson is None:
            return Suggestion(
                f"study {info.name}", info.name, info.title, partial(console.open_study, info.name), "study"
            )
        return Suggestion(
            f"lesson {info.name}",
            f"lessons {info.lesson.number} {info.name}",
            info.title,
            partial(console.open_lesson, info.name),
            "lesson",
        )

    def _named(self, kind: Kind, row: Any, *, word: bool = False) -> Suggestion:
        name = kind.name(row)
        about = f"{status(row.status)} · {ago(row.created, self._console.services.now())}"
        command = f"{kind.word} {name}" if word else name
        return Suggestion(f"{kind.word} {name}", command, about, partial(kind.open, name), kind.noun)

    # Commands with an argument

    def _with_argument(self, command: str, argument: str) -> Iterator[Suggestion]:
        console, screen = self._console, self._screen
        for kind in self._kinds():
            if command == kind.word:
                yield from self._resources(kind, argument)
        if "studies".startswith(command):
            for info in console.services.studies():
                if resemblance(argument.lower(), info.name) > 0:
                    yield Suggestion(
                        f"form {info.name}",
                        f"studies {info.name}",
                        f"Start {info.title}",
                        partial(console.open_study, info.name),
                    )
        if command and "lessons".startswith(command):
            for info in console.services.lessons():
                number = str(info.lesson.number) if info.lesson else ""
                if (
                    argument in (info.name, number)
                    or resemblance(argument.lower(), info.name) > 0
                    or argument.lower() in info.title.lower()
                ):
                    yield self._taught(info)
        if "theme".startswith(command):
            for name in console.themes():
                short = name.removeprefix("mlconsole-")
                if argument.lower() in name:
                    yield Suggestion(
                        f"theme {name}",
                        f"theme {short}",
                        "Use these colours",
                        partial(console.use_theme, name),
                    )
        yield from self._targets(command, argument)  # first: `target` is also the beginning of `targets`
        section = next((section for section in LISTS if section.startswith(command)), "")
        if section:
            yield from self._narrowed(section, argument)
        if command == "s3":
            uri = "s3://" + argument.removeprefix("s3://").lstrip("/")
            yield Suggestion(f"s3 {uri}", f"s3 {uri}", "Look into S3 there", partial(console.open_s3, uri))
        if command and "export".startswith(command):
            yield from exports.suggestions(console, argument)
        if isinstance(screen, ArrangedScreen):
            if "sort".startswith(command):
                yield from self._sorts(screen, argument)
            if "view".startswith(command):
                yield from self._views(screen, argument)
            if "filter".startswith(command):
                yield Suggestion(
                    f"filter {argument}",
                    f"filter {argument}",
                    "Narrow this list",
                    partial(screen.set_filter, argument),
                )

    def _resources(self, kind: Kind, argument: str) -> Iterator[Suggestion]:
        known = {kind.name(row): row for row in self._console.known(kind.topic) or ()}
        scored = ((resemblance(argument.lower(), name), name) for name in known)
        for score, name in heapq.nlargest(MOST, scored):
            if score > 0:
                yield self._named(kind, known[name], word=True)
        if argument not in known:  # it may exist without being known here
            yield Suggestion(
                f"{kind.word} {argument}",
                f"{kind.word} {argument}",
                f"Open the {kind.noun} of exactly this name",
                partial(kind.open, argument),
                kind.noun,
            )

    def _narrowed(self, section: str, argument: str) -> Iterator[Suggestion]:
        """A list with this filter, with a status that begins so, and what is called so."""
        noun = {
            "tuning": "tuning jobs",
            "costs": "things that bill",
            "ab": "A/B tests",
            "audit": "changes",
        }.get(section, section)
        kind = next((kind for kind in self._kinds() if kind.section == section), None)
        rows = (self._console.known(kind.topic) or ()) if kind is not None else ()
        statuses = sorted(
            {row.status.lower() for row in rows if row.status.lower().startswith(argument.lower())}
        )
        for words in dict.fromkeys((argument, *statuses)):
            command = f"{section} {words}"
            yield Suggestion(
                command,
                command,
                f"List the {noun} that match {words}",
                partial(self._filtered, section, words),
            )
        scored = ((resemblance(argument.lower(), row.name), place) for place, row in enumerate(rows))
        for score, place in heapq.nlargest(LATELY, scored):
            if kind is not None and score > 1:
                yield self._named(kind, rows[place])

    async def _filtered(self, section: str, argument: str) -> None:
        above = {"ab": "experiments", "audit": "audit", "targets": "targets"}  # no section's own list
        await (self._console.visit(Place(above[section])) if section in above else self._console.go(section))
        if not isinstance(self._console.screen, ArrangedScreen):
            await self._console.go(section)  # something was left open above its list
        screen = self._console.screen
        if isinstance(screen, ArrangedScreen):
            screen.open_filtered(argument)

    def _sorts(self, screen: ArrangedScreen[Any], argument: str) -> Iterator[Suggestion]:
        wanted, _, way = argument.lower().partition(" ")
        for column in screen.all_columns.values():
            if column.key is None or not (
                column.id.startswith(wanted) or column.column.label.lower().startswith(wanted)
            ):
                continue
            for word, descending in (
                (("desc", True), ("asc", False)) if column.descending else (("asc", False), ("desc", True))
            ):
                if word.startswith(way.strip()):
                    order = "largest or newest first" if descending else "smallest or oldest first"
                    command = f"sort {column.id} {word}"
                    yield Suggestion(
                        command,
                        command,
                        f"{column.column.label}, {order}",
                        partial(screen.sort_by, column.id, descending),
                    )

    # Targets

    def _targets(self, command: str, argument: str) -> Iterator[Suggestion]:
        """Another target, profile or region; a profile is one of AWS."""
        console, services = self._console, self._console.services
        known: dict[str, tuple[Iterable[str], dict[str, str]]] = {
            "target": (("embedded", "aws"), {}),
            "profile": (console.profiles, {"target": "aws"}),
            "region": (console.regions, {}),
        }
        if command not in known:
            return
        if command == "region" and services.target == "embedded":
            text = "The embedded SageMaker keeps the region it was started in: `mlconsole engine stop`, then --region."
            yield Suggestion(
                "region", f"region {argument}".strip(), text, partial(console.flash, text, "wait")
            )
            return
        names, more = known[command]
        here = {"target": services.target, "profile": services.profile, "region": console.hub_status.region}[
            command
        ]
        for name in names:
            if not argument or resemblance(argument.lower(), name.lower()) > 0:
                about = "This is where you are" if name == here else f"Look at {command} {name} from now on"
                yield Suggestion(
                    f"{command} {name}",
                    f"{command} {name}",
                    about,
                    partial(console.move, **{**more, command: name}),
                )

    # Views

    def _views(self, screen: ArrangedScreen[Any], argument: str) -> Iterator[Suggestion]:
        console = self._console
        verb, _, name = argument.partition(" ")
        name = name.strip()
        saved = console.saved_views(screen.view_place)
        if verb == "save" and name:
            yield Suggestion(
                f"view save {name}",
                f"view save {name}",
                "Keep columns, order and filter under this name",
                partial(self._save_view, screen, name),
            )
        if verb == "delete":
            for other in saved:
                if other.startswith(name):
                    yield Suggestion(
                        f"view delete {other}",
                        f"view delete {other}",
                        "Forget this view",
                        partial(self._save_view, screen, other, forget=True),
                    )
        for other, view in saved.items():
            if other.startswith(argument):
                yield Suggestion(
                    f"view {other}",
                    f"view {other}",
                    _described(view),
                    partial(self._use_view, screen, other),
                    "view",
                )
        if "default".startswith(argument):
            yield Suggestion(
                "view default",
                "view default",
                "The columns and the order as they come, no filter",
                partial(screen.use_view, View()),
                "view",
            )

    def _use_view(self, screen: ArrangedScreen[Any], name: str) -> None:
        saved = self._console.saved_views(screen.view_place)
        if name in saved:
            screen.use_view(saved[name])
            return
        names = ", ".join(saved) or "none yet; `:view save NAME` keeps the present one"
        self._console.flash(f"Saved views of this list: {names}.", "dim")

    def _save_view(self, screen: ArrangedScreen[Any], name: str, *, forget: bool = False) -> None:
        self._console.save_view(screen.view_place, name, None if forget else screen.view)
        self._console.flash(f"✓ View {name} is {'forgotten' if forget else 'saved'}.")


def _method(target: Console | ConsoleScreen, action: actions.Action) -> Run:
    method: Run = getattr(target, f"action_{action.verb}")
    return method


def _score(text: str, item: Suggestion) -> float:
    """How well a command fits: exactly, by its beginning, by its letters, by a word of its help (least of all)."""
    if item.command == text:
        return math.inf
    if item.command.startswith(text):
        return 10.0
    if item.leaves:
        return 0.0
    wanted = text.lower()
    found = resemblance(wanted, item.command.lower())
    return found if found > 1 else max(found, 0.5 * (wanted in item.help.lower()))


def _described(view: View) -> str:
    parts = [f"/{view.filter}"] if view.filter else []
    parts += [f"by {view.sort} {'desc' if view.descending else 'asc'}"] if view.sort else []
    parts += [f"{len(view.columns)} columns"] if view.columns else []
    return " · ".join(parts) or "as it comes"


def ghost(text: str, found: Iterable[Suggestion]) -> str:
    """The command that a text begins, to be shown dim behind the cursor; empty where there is none."""
    text = text.lstrip(":")
    if not text:
        return ""
    return next(
        (item.command for item in found if item.command.startswith(text) and item.command != text), ""
    )

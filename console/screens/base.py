"""What all screens share: header, navigation, notice and key line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from console import actions
from console.formatting import crop, crop_middle, span
from console.keymap import key
from console.keynames import key_name
from console.screens.gone import DELETED, say_if_gone
from console.screens.observing import Observing
from console.screens.titles import in_sight
from console.trail import Place
from console.widgets.drawing import Run
from console.widgets.line import Line
from workflows.problem import Problem

WIDE = 120
"""From this many columns on, screens show their parts side by side."""
LOW = 30
"""With fewer lines than this, screens do without empty ones."""
SECTIONS = (
    ("home", "Home"),
    ("jobs", "Jobs"),
    ("endpoints", "Endpoints"),
    ("studies", "Studies"),
    ("tuning", "Tuning"),
    ("costs", "Costs"),
    ("lessons", "Lessons"),
)

MODES = {
    "home": "home",
    "jobs": "jobs",
    "endpoints": "endpoints",
    "studies": "studies",
    "tuning": "tunings",
    "costs": "costs",
    "lessons": "lessons",
}
"""The sections, each with the place of its list."""


@runtime_checkable
class Narrowable(Protocol):
    """A pane that may show less than there is."""

    def widen(self) -> bool:
        """Show all again, or a step towards it; False where all is shown."""
        ...


class ConsoleScreen(Observing, inherit_bindings=False):
    """A screen with the four lines around its body.

    ``place`` names its actions in the registry, ``section`` the navigation entry that is marked.
    """

    place = "app"
    section = ""
    parts: tuple[tuple[str, str], ...] = ()
    """(id, title) of parts that are shown one at a time."""
    panes: ClassVar[Mapping[str, str]] = {}
    """The ids of the widgets that each part shows, apart by spaces. They are shown and hidden one by one: a class of the screen
    that said which part it is would have Textual style every widget anew at each key."""
    beside = ""
    """The ids of the widgets that stand beside the first part where the screen is wide."""
    smaller = ""
    """The ids of those that have another size there than alone: they have the class ``-beside`` then."""
    thing = ""
    """What is opened here by its name, as a person calls it; empty where nothing is."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = False
        """Whether the screen says nothing but that what is opened here is not there."""
        self.covered: list[Widget] = []
        """What is in sight when it is there, and hidden while that is all that the screen says."""
        self.part = self.parts[0][0] if self.parts else ""

    def has(self, selector: str) -> bool:
        """Whether a widget is there. Asked several times a second: `query` would go through all widgets each time."""
        return self.query_one_optional(selector) is not None

    # Body

    def body(self) -> Iterable[Widget]:
        """The widgets between the navigation and the keys."""
        return ()

    def compose(self) -> Iterable[Widget]:
        self._measure()  # before there is a widget that would have to be styled for it again
        yield Line(id="banner")
        yield Line(id="nav")
        yield Static(id="notice")
        if self.parts:
            yield Line(id="parts")
        yield from self.body()
        yield Line(id="keys", jumps=False)

    def on_mount(self) -> None:
        if self.parts:
            self.show_part(self.part)
        self.opened()
        self.call_after_refresh(self.draw_frame)

    def opened(self) -> None:
        """Called once when the screen is mounted."""

    def on_resize(self) -> None:
        self._measure()
        if self.is_mounted:
            self.show_panes()
            if self.parts and self.has("#parts"):
                self._draw_parts()
        self.draw_frame()

    def _measure(self) -> None:
        size = self.app.size
        self.update_classes({"-wide": size.width >= WIDE, "-low": size.height < LOW})

    @property
    def wide(self) -> bool:
        return self.app.size.width >= WIDE

    def on_screen_resume(self) -> None:
        self._in_sight = True
        location = self.location
        if location is not None:
            self.console.visited(location)
        self.observe()
        self.draw_frame()

    def tick(self) -> None:
        """Once a second while in sight: ages and durations."""

    # Places

    @property
    def location(self) -> Place | None:
        """Where this is, if it can be gone to again: the list of its section, unless something is open in it."""
        return Place(self.section) if self.section in MODES and self.place in MODES.values() else None

    def subject(self) -> Place | None:
        """The resource that is looked at, for what can be done with any: its kind in `workflows.inspecting.kinds` and its name."""
        return None

    def look(self) -> None:
        """Ask anew for what this screen reads by itself; what is observed is asked for by the hub."""

    @property
    def absent(self) -> bool:
        """Whether what is opened here is not there: the first answer said so, and there has been no other one."""
        topics = self.topics() if self.thing else ()
        return bool(topics) and self.is_missing(topics[0])

    def missed(self) -> str:
        """The name of what is opened here, while it is absent."""
        return self.location.name if self.location is not None else ""

    # Frame

    def trail(self) -> str:
        """What is open below the section: the name of a job."""
        return ""

    def summary(self) -> str:
        """One phrase about what is shown, at the right of the navigation."""
        return ""

    @property
    def summary_matters(self) -> bool:
        """Whether the summary has to be seen, even where only the numbers of the other sections find room beside it."""
        return False

    def summary_role(self) -> str:
        """How the summary is coloured."""
        return "dim"

    def problem(self) -> Problem | None:
        """What is wrong with what is shown; the last good data stays visible."""
        for topic in self.topics():
            snapshot = self.snapshots.get(topic)
            if snapshot is not None and snapshot.error is not None:
                return snapshot.error
        return None

    def draw_frame(self) -> None:
        """Draw the header, navigation, notice and keys; each repaints only when its text changed."""
        if not self.is_mounted or not self.has("#banner"):
            return
        say_if_gone(self)
        self.draw_ages()
        self.query_one("#nav", Line).show(*self._navigation())
        self.draw_keys()

    def draw_ages(self) -> None:
        """Draw what changes while nothing comes: the age in the header, and that of what is shown although it is stale."""
        self.query_one("#banner", Line).show(*self.console.banner(self._primary()))
        self._draw_notice()

    def _navigation(self) -> tuple[list[Run], list[Run]]:
        left: list[Run] = [(" ", "")]
        trail, deleted = self.trail(), not self.gone and self.deleted
        summary = "✗ gone" if self.gone else DELETED if deleted else self.summary()
        keys = {section: key(f"app.{section}") for section, _ in SECTIONS}
        full = 1 + sum(len(keys[section]) + len(title) + 4 for section, title in SECTIONS)
        # What a list is narrowed to must be seen: where there is no room for it, the other sections keep their numbers only.
        crowded = self.summary_matters and full + len(summary) + 1 > self.app.size.width
        short = not self.wide and (bool(trail) or crowded or full - 2 > self.app.size.width)
        for section, title in SECTIONS:
            here = section == self.section
            left.append((keys[section], f"key@{section}"))
            if not short or here:
                left += [(" ", ""), (title, ("here" if here else "dim") + f"@{section}")]
            left.append(("   " if self.wide else "  ", ""))
        if trail:
            left.append(("› ", "dim"))
            room = max(16, self.app.size.width - 1 - sum(len(text) for text, _ in left))
            # Cut in its middle: the end is what tells two jobs apart.
            left.append((crop_middle(trail, room) if len(trail) > room else trail, "strong"))
        room = self.app.size.width - 2 - sum(len(text) for text, _ in left)
        if self.summary_matters and room > 0:  # its end gives way, not all of it
            summary = crop(summary, room).rstrip()
        role = "bad" if self.gone or deleted else self.summary_role()
        return left, [(summary + " ", role)] if summary else []

    def _draw_notice(self) -> None:
        notice = self.query_one("#notice", Static)
        problem = self.problem()
        text = ""
        if problem is not None:
            snapshot = self._primary()
            age = snapshot.age(self.console.services.now()) if snapshot else None
            kept = (
                f" Shown is the state of {span(age)} ago."
                if age is not None and snapshot and snapshot.value is not None and not self.gone
                else ""
            )
            text = f"✗ {problem.sentence}{kept} {problem.remedy}".strip()
        if getattr(self, "_notice", "") != text:
            self._notice = text
            notice.update(text.replace("[", r"\["))
            notice.set_class(bool(text), "-shown")

    def places(self) -> list[str]:
        """The places whose keys work now: of the focused widget, of the screen, everywhere."""
        inner = [action.place for action in self._inner_actions()]
        return list(dict.fromkeys([self.place, *inner, "app"]))

    def _inner_actions(self) -> list[actions.Action]:
        """What the focused widget and those around it can do."""
        found: list[actions.Action] = []
        focused = self.focused
        while focused is not None and focused is not self:
            for binding in type(focused).__dict__.get("BINDINGS", ()):
                identifier = str(getattr(binding, "id", None) or "")
                if identifier:
                    found.append(actions.get(identifier))
            focused = focused.parent if isinstance(focused.parent, Widget) else None
        return found

    def draw_keys(self) -> None:
        """Draw the key line: a message for some seconds, otherwise the keys that work here."""
        line = self.query_one("#keys", Line)
        message = self.console.flash_text
        if message:
            line.show([(" ", ""), message])
            return
        read_only = self.console.services.read_only
        keymap = self.console.keymap
        inner = self._inner_actions()
        taken = {key for action in inner for key in keymap.keys(action)}
        typing = isinstance(self.focused, Input)  # letters and signs are text then
        always = [actions.get("app.help")] if typing else [one for one in actions.of("app") if one.footer]
        tail = [run for action in always for run in self._key(action, typing=typing)]
        room = self.app.size.width - sum(len(text) for text, _ in tail) - 1
        runs: list[Run] = []
        shown: set[str] = set()
        own = () if self.gone else actions.of(self.place)
        reading = [
            action for action in inner if action.place == "log"
        ]  # a log's keys come before what is done with a job
        first = [action for action in own if action.verb == "next_part"] if reading else []
        for action in dict.fromkeys([*first, *reading, *own, *inner]):
            keys = keymap.keys(action)
            if not action.footer or not keys or keys[0] in shown or (action.changes and read_only):
                continue
            if action not in inner and not action.priority and taken.issuperset(keys):
                continue  # the key does something else where the focus is
            if not self.possible(action) or (action in own and action.verb == self.part):
                continue  # what leads to the part in sight leads nowhere
            shown.add(keys[0])
            pair = self._key(action, typing=typing)
            if sum(len(text) for text, _ in (*runs, *pair)) <= room:
                runs += pair
        line.show(runs, tail)

    def _key(self, action: actions.Action, *, typing: bool = False) -> list[Run]:
        """A key with its label, as the key line shows it; nothing while text is typed and the action has only keys that are text."""
        label = action.label if action.label.isupper() else action.label.lower()
        keys = self.console.keymap.keys(action)
        if typing:
            keys = [key for key in keys if key != "space" and len(key_name(key)) > 1]
            if not keys:
                return []
        pressed = next(iter(keys), "")
        name = key_name(pressed) if pressed else self.console.keymap.first(action)
        return [(f" {name} ", f"key@{pressed}"), (f"{label} ", f"dim@{pressed}")]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done with the thing that is opened here cannot be while it is gone, and what changes it not once it is deleted."""
        own = [one for one in actions.of(self.place) if one.verb == action and one.verb != "copy"]
        if own and (self.gone or (own[0].changes and self.deleted)):
            return False
        return super().check_action(action, parameters)

    def possible(self, action: actions.Action) -> bool:
        """Whether an action makes sense now: only then does the key line show it."""
        return not (action.changes and self.deleted) and self.offers(action)

    def offers(self, action: actions.Action) -> bool:
        """Whether an action makes sense for what is shown now."""
        return True

    def say_if_idle(self, verb: str) -> None:
        """Say that an action of this place has nothing to do on what is shown now, if that is so."""
        action = next((one for one in actions.of(self.place) if one.verb == verb), None)
        beside = bool(self.parts) and bool(
            self._beside()
        )  # what stands beside the overview may have answered
        if action is not None and action.keys and not beside and not self.possible(action):
            self.console.flash(f"{action.label}: not for what is shown here.", "dim")

    def on_descendant_focus(self) -> None:
        if self.has("#keys"):
            self.draw_keys()

    def leave(self) -> bool:
        """Esc was pressed: True when there was something to drop first, such as a filter; here that of the log that has the keys."""
        focused = self.focused
        around = focused.ancestors if focused is not None else []
        return any(one.widen() for one in around if isinstance(one, Narrowable))

    # Parts

    def show_part(self, name: str) -> None:
        """Show one of the parts."""
        self.part = name
        self.show_panes()
        self._draw_parts()
        self.part_shown(name)
        self.call_after_refresh(self.draw_keys)
        if self._in_sight and (location := self.location) is not None:
            self.console.turned(location)

    def begin_with(self, name: str) -> None:
        """Show one of the parts from the first moment on; a part that there is not is not asked for."""
        if name == self.part or name not in [part for part, _ in self.parts]:
            return
        if self.is_mounted:
            self.show_part(name)
        else:
            self.part = name

    def _draw_parts(self) -> None:
        """The titles of the parts; where not all find room, those around the present one."""
        titles = [title for _, title in self.parts]
        here = [name for name, _ in self.parts].index(self.part)
        first, last = in_sight([len(title) for title in titles], here, self.app.size.width - 2)
        line: list[Run] = [(" ", ""), *([("‹  ", "dim")] if first else [])]
        for other, title in self.parts[first:last]:
            line += [(title, ("here" if other == self.part else "dim") + f"@{other}"), ("   ", "")]
        self.query_one("#parts", Line).show([*line, *([("›", "dim")] if last < len(titles) else [])])

    def shown_panes(self) -> set[str]:
        """The ids of the panes that are in sight, at the present width."""
        return {*self.panes.get(self.part, "").split(), *self._beside()}

    def _beside(self) -> set[str]:
        """The ids of the panes that stand beside those of the first part."""
        return set(self.beside.split()) if self.wide and self.part == self.parts[0][0] else set()

    def show_panes(self) -> None:
        """Show the panes of the present part, and hide the others."""
        if not self.panes or self.gone:
            return
        shown, beside = self.shown_panes(), self._beside()
        for name in {*" ".join(self.panes.values()).split()}:
            self.query_one(f"#{name}").display = name in shown
        for name in self.smaller.split():
            self.query_one(f"#{name}").set_class(name in beside, "-beside")

    def part_shown(self, name: str) -> None:
        """Called when another part is shown: to set the focus."""

    def action_next_part(self) -> None:
        self._step_part(1)

    def action_previous_part(self) -> None:
        self._step_part(-1)

    def _step_part(self, step: int) -> None:
        names = [name for name, _ in self.parts]
        self.show_part(names[(names.index(self.part) + step) % len(names)])

    @on(Line.Pressed, "#keys")
    def _press(self, event: Line.Pressed) -> None:
        # by the application: a key does not rise above the screen that has sent it
        self.console.call_later(self.console.simulate_key, event.name)

    @on(Line.Pressed, "#nav")
    def _go(self, event: Line.Pressed) -> None:
        self.app.call_later(self.console.go, event.name)

    @on(Line.Pressed, "#parts")
    def _part(self, event: Line.Pressed) -> None:
        self.show_part(event.name)

    # Fields

    def action_next_field(self) -> None:
        self.focus_next()

    def action_previous_field(self) -> None:
        self.focus_previous()

    # Work

    def work(
        self,
        task: Callable[[], Any],
        succeeded: Callable[[Any], None],
        failed: Callable[[Problem], None] | None = None,
    ) -> None:
        """Do blocking work in a thread of its own; the functions are called here with its outcome."""
        self.console.in_background(task, succeeded, failed)

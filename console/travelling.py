"""Going places: sections, resources, and back to where one was. The application is made of this and the rest in `console.app`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.screen import ModalScreen, Screen

from console.interruption import Interruptible
from console.screens.base import ConsoleScreen
from console.services import Services
from console.trail import Place, Trail

if TYPE_CHECKING:
    from console.screens.form import Settings
    from workflows.studies.catalog import Try

_SECTIONS = {
    "job": "jobs",
    "transform": "jobs",
    "tuning-job": "tuning",
    "run": "studies",
    "lesson": "lessons",
    "compare": "jobs",
}
"""Where resources of a kind are opened that nobody has seen yet; all others belong to an endpoint."""


_LISTS = ("experiments", "audit", "targets")
"""Lists that are opened above a section, each by the action of its name."""


class Travelling(Interruptible, inherit_bindings=False):
    """An application that knows its sections and opens resources by their names."""

    services: Services

    def __init__(self) -> None:
        super().__init__()
        self.trail = Trail()
        self._bound_for: Place | None = None
        """Where a step in the trail leads: what is passed on the way is no visit."""

    def flash(self, text: str, role: str = "ok") -> None:
        """Say something for some seconds."""
        raise NotImplementedError

    def complain(self, title: str, sentences: Sequence[str]) -> None:
        """Say what is wrong, in a dialog when it is too long for the key line."""
        raise NotImplementedError

    @property
    def base_screen(self) -> ConsoleScreen | None:
        """The uppermost screen that is no dialog."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, ConsoleScreen):
                return screen
        return None

    # Going places

    async def go(self, section: str) -> None:
        """To a section, where it was left; from within it, to its list, leaving what is open above that."""
        await self._close_dialogs()
        screen = self.base_screen
        within = screen is not None and screen.section == section
        if self.current_mode != section:
            await self.switch_mode(section)
        else:
            within = True
        while within and len(self.screen_stack) > 1:
            await self.pop_screen()

    async def _close_dialogs(self) -> None:
        while isinstance(self.screen, ModalScreen):
            await self.pop_screen()

    async def open(self, screen: Screen[Any]) -> None:
        """Open a screen above the present one; Esc comes back."""
        await self._close_dialogs()
        bound_for = self._bound_for
        if bound_for is not None and isinstance(screen, ConsoleScreen) and screen.location == bound_for:
            screen.begin_with(bound_for.part)
        await self.push_screen(screen)

    async def open_job(self, name: str) -> None:
        """Open a training job."""
        from console.screens.job import JobScreen

        await self.open(JobScreen(name))

    async def open_transform(self, name: str) -> None:
        """Open a transform job."""
        from console.screens.transform import TransformScreen

        await self.open(TransformScreen(name))

    async def open_tuning(self, name: str) -> None:
        """Open a tuning job."""
        from console.screens.tuning_job import TuningJobScreen

        await self.open(TuningJobScreen(name))

    async def open_endpoint(self, name: str) -> None:
        """Open an endpoint."""
        from console.screens.endpoint import EndpointScreen

        await self.open(EndpointScreen(name))

    async def open_experiment(self, name: str) -> None:
        """Open an A/B test."""
        from console.screens.experiment import ExperimentScreen

        await self.open(ExperimentScreen(name))

    async def open_replay(self, report: str) -> None:
        """Open a replay of requests."""
        from console.screens.replay import ReplayScreen

        await self.open(ReplayScreen(report))

    async def open_rollout(self, name: str) -> None:
        """Open a rollout."""
        from console.screens.rollout import RolloutScreen

        await self.open(RolloutScreen(name))

    async def open_drift(self, endpoint: str) -> None:
        """Open the comparison of what an endpoint is asked with a baseline."""
        from console.screens.drift import DriftScreen

        await self.open(DriftScreen(endpoint))

    async def open_comparison(self, a: str, b: str) -> None:
        """Open two runs side by side."""
        from console.screens.comparison import ComparisonScreen

        await self.open(ComparisonScreen(a, b))

    async def open_inspected(self, place: Place, part: str = "describe") -> None:
        """Open any resource as AWS describes it."""
        from console.screens.inspect import InspectScreen

        await self.open(InspectScreen(place.kind, place.name, part))

    async def _open_inspected(self, kind_and_name: str) -> None:
        kind, _, name = kind_and_name.partition(" ")
        await self.open_inspected(Place(kind, name))

    async def _open_compared(self, names: str) -> None:
        from console.screens.compare import CompareScreen

        await self.open(CompareScreen(*names.split(" ")))

    async def open_s3(self, uri: str) -> None:
        """Open S3 at a folder or at an object."""
        from console.screens.bucket import BucketScreen

        await self.open(BucketScreen(uri))

    async def open_resource(self, kind: str, name: str) -> None:
        """Open a resource on the screen of its kind, or as AWS describes it where there is none."""
        opener = self._openers().get(kind)
        if opener is not None:
            await opener(name)
        else:
            await self.open_inspected(Place(kind, name))

    async def open_run(self, run: str) -> None:
        """Attach to a run."""
        from console.screens.run import RunScreen

        await self.open(RunScreen(run))

    async def open_study(
        self, name: str, like: Settings | None = None, *, tried: Try | None = None, interface: str = ""
    ) -> None:
        """Open the form of a study or of a lesson, filled with the settings of a run or the changes of a ``tried`` one if
        they are given."""
        from console.screens.form import FormScreen

        everything = [*self.services.studies(), *self.services.lessons()]
        info = next((info for info in everything if info.name == name), None)
        if info is None:
            names = ", ".join(info.name for info in everything)
            self.complain("No such study", [f"There is no study {name!r}.", f"Studies: {names}."])
            return
        if info.lesson is None:
            await self.go("studies")
        else:
            await self.open_lesson(name)
        await self.open(FormScreen(info, like, tried=tried, interface=interface))

    async def open_lesson(self, name: str) -> None:
        """Open the page of a lesson, above the list of lessons."""
        from console.screens.lesson import LessonScreen

        def there() -> bool:
            screen = self.screen
            return isinstance(screen, LessonScreen) and screen.info.name == name

        await self._close_dialogs()
        if there():
            return
        info = next((info for info in self.services.lessons() if info.name == name), None)
        if info is None:
            names = ", ".join(info.name for info in self.services.lessons())
            self.complain("No such lesson", [f"There is no lesson {name!r}.", f"Lessons: {names}."])
            return
        if self.current_mode != "lessons":
            await self.switch_mode("lessons")
        while len(self.screen_stack) > 1 and not there():
            await self.pop_screen()
        if not there():
            await self.open(LessonScreen(info))

    async def action_describe(self) -> None:
        await self._inspect("describe")

    async def action_related(self) -> None:
        await self._inspect("related")

    async def action_code(self) -> None:
        await self._inspect("code")

    async def _inspect(self, part: str) -> None:
        screen = self.base_screen
        subject = screen.subject() if screen is not None else None
        if subject is None:
            self.flash("Put the cursor on a job, an endpoint or a tuning job first, or open one.", "wait")
            return
        from console.screens.inspect import InspectScreen

        if isinstance(screen, InspectScreen):
            screen.show_part(part)
        else:
            await self.open_inspected(subject, part)

    async def action_s3(self) -> None:
        await self.open_s3("s3://")

    async def action_home(self) -> None:
        await self.go("home")

    async def action_jobs(self) -> None:
        await self.go("jobs")

    async def action_endpoints(self) -> None:
        await self.go("endpoints")

    async def action_experiments(self) -> None:
        from console.screens.experiments import ExperimentsScreen

        await self.go("endpoints")
        await self.open(ExperimentsScreen())

    async def action_audit(self) -> None:
        from console.screens.audit import AuditScreen

        await self.go("home")
        await self.open(AuditScreen())

    async def action_targets(self) -> None:
        from console.screens.targets import TargetsScreen

        await self.go("home")
        await self.open(TargetsScreen())

    async def action_studies(self) -> None:
        await self.go("studies")

    async def action_tuning(self) -> None:
        await self.go("tuning")

    async def action_costs(self) -> None:
        await self.go("costs")

    async def action_lessons(self) -> None:
        await self.go("lessons")

    async def action_back(self) -> None:
        screen = self.screen
        if isinstance(screen, ConsoleScreen) and screen.leave():
            return
        if len(self.screen_stack) > 1:
            await self.pop_screen()
        elif isinstance(screen, ConsoleScreen) and self.current_mode != "home":
            await self.switch_mode("home")

    # Where one was

    def visited(self, place: Place) -> None:
        """A screen has come to the top that can be gone to again."""
        bound_for, self._bound_for = self._bound_for, None
        if bound_for is None or place == bound_for:
            self.trail.visit(self._seen(place))
        else:  # only passed on the way
            self._bound_for = bound_for

    def turned(self, place: Place) -> None:
        """Another part of the place is shown that is on the screen."""
        self.trail.amend(self._seen(place))

    def _seen(self, place: Place) -> Place:
        """The place with its part and the section in which it lies open: a key may have left that before the screen tells of itself."""
        found, here = self._open_at(place), self.base_screen
        if found is None:
            return replace(place, section=self.current_mode)
        mode, screen = found
        return replace(
            place,
            section=mode,
            part=here.part if here is not None and here.location == place else screen.part,
        )

    def _open_at(self, place: Place) -> tuple[str, ConsoleScreen] | None:
        """The section in which a screen shows the place, and the screen; the present section is looked at first."""
        here = self.current_mode
        for mode, stack in sorted(self._screen_stacks.items(), key=lambda item: item[0] != here):
            for screen in stack:
                if isinstance(screen, ConsoleScreen) and screen.location == place:
                    return mode, screen
        return None

    async def visit(self, place: Place) -> None:
        """Go to a place and its part: to the screen that shows it, wherever that lies open, or to a new one."""
        await self._close_dialogs()
        if (screen := self.base_screen) is not None and screen.location == place:
            screen.begin_with(place.part)
            return
        self._bound_for = place
        if (found := self._open_at(place)) is not None:
            mode, screen = found
            screen.begin_with(place.part)
            if mode != self.current_mode:
                await self.switch_mode(mode)
            while self.screen is not screen:  # what lies above it goes
                await self.pop_screen()
            return
        opener = self._openers().get(place.kind)
        if opener is not None and place.name:
            section = self.section_of(place)
            if self.current_mode != section:
                await self.switch_mode(section)
            await opener(place.name)
        elif place.kind in _LISTS:
            await getattr(self, f"action_{place.kind}")()
        else:
            await self.go(place.kind)
            if (screen := self.base_screen) is not None and screen.location == place:
                screen.begin_with(place.part)

    def section_of(self, place: Place) -> str:
        """The section in which a place lies."""
        if place.kind in self.MODES:
            return place.kind
        if place.section in self.MODES:
            return place.section
        if place.kind in ("audit", "targets"):
            return "home"
        return _SECTIONS.get(place.kind, "endpoints")

    def can_visit(self, place: Place) -> bool:
        """Whether there is such a place: another version of the console may have noted it."""
        if place.kind in self._openers():
            return bool(place.name)
        return place.kind in (*self.MODES, *_LISTS)

    def _openers(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        """What opens a resource of a kind by its name."""
        return {
            "job": self.open_job,
            "transform": self.open_transform,
            "tuning-job": self.open_tuning,
            "endpoint": self.open_endpoint,
            "experiment": self.open_experiment,
            "rollout": self.open_rollout,
            "replay": self.open_replay,
            "run": self.open_run,
            "lesson": self.open_lesson,
            "drift": self.open_drift,
            "inspect": self._open_inspected,
            "s3": self.open_s3,
            "compare": self._open_compared,
        }

    async def _step_in_trail(self, by: int) -> None:
        place = self.trail.step(by)
        if place is None:
            self.flash("Nothing was seen before this." if by < 0 else "Nothing was seen after this.", "dim")
            return
        await self.visit(place)

    async def action_earlier(self) -> None:
        await self._step_in_trail(-1)

    async def action_later(self) -> None:
        await self._step_in_trail(1)

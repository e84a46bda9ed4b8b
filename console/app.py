"""The Textual application: modes, header data, background work, quitting. Screens are in `console.screens`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.screen import ModalScreen

from console import actions, terminal
from console.header import freshness
from console.keymap import key
from console.keyorder import PATIENCE, Hold
from console.memory import Memory
from console.messages import StatusArrived, WorkFinished
from console.notifying import WORKER, Notifying
from console.screens.base import ConsoleScreen
from console.services import Services
from console.trail import Place
from console.widgets.drawing import Run
from workflows.explain import explain
from workflows.problem import Problem
from workflows.safety.origin import came_from
from workflows.topics import HubStatus, Snapshot, Topic

if TYPE_CHECKING:
    from textual.driver import Driver

FLASH_SECONDS = 5.0
CALLS_SECONDS = 60.0
"""Between two changes of the number of calls in the header while nobody does anything: it would grow with every poll."""
CALLS_MOVE = 5.0
"""Seconds after the start and after a key in which it does: the first call of many would stand there for a minute."""
CALLS_FEW = 5
"""Fewer than these are as good as none: one a minute is sometimes two in the last minute, and sometimes none."""
SLOW_TICK = 5.0
"""Seconds between two drawings of ages and durations on a slow line."""


def _section(module: str, name: str) -> Callable[[], ConsoleScreen]:
    """Makes a section's screen, which is imported then: all seven before the first picture would be a tenth of a second."""

    def make() -> ConsoleScreen:
        screen: ConsoleScreen = getattr(import_module(f"console.screens.{module}"), name)()
        return screen

    return make


class Console(Notifying, inherit_bindings=False):
    """The console. It opens at once: observing begins after the first paint."""

    TITLE = "mlconsole"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("app"))
    MODES: ClassVar[dict[str, Any]] = {
        "home": _section("home", "HomeScreen"),
        "jobs": _section("jobs", "JobsScreen"),
        "endpoints": _section("endpoints", "EndpointsScreen"),
        "studies": _section("studies", "StudiesScreen"),
        "tuning": _section("tuning", "TuningScreen"),
        "costs": _section("costs", "CostsScreen"),
        "lessons": _section("lessons", "LessonsScreen"),
    }
    DEFAULT_MODE = "home"

    def __init__(
        self,
        services: Services,
        *,
        theme_name: str = "",
        first_run: str = "",
        low_bandwidth: bool = False,
        memory: Memory | None = None,
        keymap_file: Path | None = None,
        themes_dir: Path | None = None,
    ) -> None:
        self.memory, self.services = memory or Memory(), services
        self._last_place = self.last_place  # before the first screen becomes the last place itself
        if self._last_place is not None and not first_run:
            self.DEFAULT_MODE = self.section_of(self._last_place)  # type: ignore[misc]  # the first screen is made of it
        super().__init__(self.memory, keymap_file, themes_dir)
        self.low_bandwidth = low_bandwidth
        self.begin_with_theme(theme_name)
        self._first_run = first_run
        self.hub_status = HubStatus(target=services.target, region=services.region)
        self.flash_text: Run | None = None
        self._flashes = 0
        self._flash_stays_until = 0.0
        self._calls_shown = 0
        self._calls_shown_at = 0.0
        self._acted_at = monotonic()
        self.moving_to: Services | None = None
        """Where the next console of this process is to look: set when a person changes the target."""
        self.profiles: tuple[str, ...] = ()
        self.regions: tuple[str, ...] = ()
        self._targets_asked = False
        self.crash: BaseException | None = None
        self._known: dict[Topic[Any], Snapshot[Any]] = {}
        self._event_loop: asyncio.AbstractEventLoop | None = None

    def on_mount(self) -> None:
        self._event_loop = asyncio.get_running_loop()
        self.call_after_refresh(self._begin, self.hold(PATIENCE) if self._first_run else None)
        self.set_interval(SLOW_TICK if self.low_bandwidth else 1.0, self._tick)

    def _begin(self, hold: Hold | None) -> None:
        self.services.start(self._status_from_thread)
        self.read_files()
        self.begin_watching()
        # A key that needs them finds them imported.
        self.in_background(self._import_sections, lambda _: None)
        self.in_background(self.services.lessons, lambda lessons: None)
        if hold is not None:
            self.call_after_refresh(self._open_first, hold)
        elif self._last_place is not None:
            self.call_after_refresh(self._restore, self._last_place)

    async def _open_first(self, hold: Hold) -> None:
        """Open the run that was asked for; keys that were typed ahead are for its screen and not for the one below."""
        if not hold.given_up:
            await self.open_run(self._first_run)
        hold()

    def _import_sections(self) -> None:
        for mode in self.MODES:
            import_module(f"console.screens.{mode}")

    async def _restore(self, place: Place) -> None:
        """Go where the last console was left, unless a key was faster."""
        if (
            self.untouched
            and self.current_mode == self.DEFAULT_MODE
            and len(self.screen_stack) == 1
            and not isinstance(self.screen, ModalScreen)
        ):
            await self.visit(place)
            self.flash(f"As you left it. {key('app.home')} goes Home.", "dim")

    def _status_from_thread(self, status: HubStatus) -> None:
        self.post_message(StatusArrived(status))

    @on(StatusArrived)
    def _status(self, message: StatusArrived) -> None:
        status = message.status
        self.hub_status = replace(status, region=status.region or self.hub_status.region)
        screen = self.base_screen
        if screen is not None:
            screen.draw_frame_soon()

    def redraw(self) -> None:
        screen = self.base_screen
        if screen is not None:
            screen.draw_frame()

    def _tick(self) -> None:
        screen = self.base_screen
        # A screen that was just pushed has not all of its widgets yet when the machine is busy, and one that leaves has none any more.
        if (
            screen is not None
            and screen.is_mounted
            and screen.has("#keys")
            and not isinstance(self.screen, ModalScreen)
        ):
            screen.tick()
            screen.draw_ages()

    # The header

    def banner(self, primary: Snapshot[Any] | None) -> tuple[list[Run], list[Run]]:
        """The two sides of the header: what is worked on, and how fresh and how costly the view of it is."""
        status, services = self.hub_status, self.services
        left: list[Run] = [(" mlconsole ", "strong"), (" ", "")]
        if services.target == "aws":
            who = " ".join(part for part in (status.account, services.profile) if part)
            left.append((f" AWS {who} ".replace("  ", " "), "badge-aws"))
        else:
            left.append((" EMBEDDED ", "badge"))
        if services.read_only:
            left += [(" ", ""), ("read-only", "wait")]
        left += [("  ", ""), (status.region, "dim"), ("  ", ""), freshness(status, primary, services.now())]
        right: list[Run] = []
        if watched := len(self.watchlist.places):
            right.append((f"◉ {watched} watched  ", "accent"))
        if status.throttles:
            right.append((f"{status.throttles} throttled  ", "wait"))
        # A number that flickers around its mean would be written for nothing: it moves when it has really changed.
        changed = abs(status.calls_per_minute - self._calls_shown) >= max(1, self._calls_shown * 0.15)
        now = monotonic()
        moves = not self._calls_shown or now - self._acted_at < CALLS_MOVE
        due = now - self._calls_shown_at >= CALLS_SECONDS
        if changed and (moves or (due and max(status.calls_per_minute, self._calls_shown) >= CALLS_FEW)):
            self._calls_shown, self._calls_shown_at = status.calls_per_minute, now
        right.append((f"{self._calls_shown} calls/min ", "dim"))
        return left, right

    # What screens have seen

    def remember(self, snapshot: Snapshot[Any]) -> None:
        """Keep the newest snapshot of a topic for other screens and for the palette."""
        self._known[snapshot.topic] = snapshot

    def known(self, topic: Topic[Any]) -> Any:
        """The last good value of a topic that some screen has seen, or None."""
        snapshot = self._known.get(topic)
        return snapshot.value if snapshot else None

    # Messages to the person

    def flash(self, text: str, role: str = "ok", *, stays: bool = False) -> None:
        """Say something in the key line for some seconds; what ``stays`` goes with the next key after them."""
        self._flashes += 1
        number = self._flashes
        self.flash_text = (text, role)
        self._flash_stays_until = monotonic() + FLASH_SECONDS if stays else 0.0
        self.redraw()
        if not stays:
            self.set_timer(FLASH_SECONDS, lambda: self._flash_over(number))

    def unflash(self) -> None:
        """What was said is over: the keys stand there again."""
        self._flash_over(self._flashes)

    def _flash_over(self, number: int) -> None:
        if number == self._flashes:
            self.flash_text = None
            self.redraw()

    def tell(self, problem: Problem) -> None:
        """Say what went wrong and what to do."""
        self.complain("That did not work", [problem.sentence, problem.remedy])

    def complain(self, title: str, sentences: Sequence[str]) -> None:
        """Say what is wrong: in the key line, or in a dialog when it is too long for that and nobody types."""
        text = " ".join(("✗", *filter(None, sentences)))
        if cell_len(text) < self.size.width - 2:
            self.flash(text, "bad")
        else:
            from console.screens.dialogs import MessageScreen

            dialog = MessageScreen(title, sentences)
            if not self.interrupt(lambda: self.push_screen(dialog)):
                self.flash(text, "bad", stays=True)

    # Work

    def in_background(
        self,
        task: Callable[[], Any],
        succeeded: Callable[[Any], None],
        failed: Callable[[Problem], None] | None = None,
    ) -> None:
        """Do blocking work in a daemon thread; a quit does not wait for it. The outcome is handled on the event loop."""

        def over(then: Callable[[Any], None]) -> Callable[[Any], None]:
            def outcome(found: Any) -> None:
                self.work_ended()
                then(found)

            return outcome

        good, bad = over(succeeded), over(failed or self.tell)

        def run() -> None:
            try:
                value = task()
            except Exception as error:
                self.post_message(WorkFinished(good, bad, problem=explain(error, self.services.target)))
            else:
                self.post_message(WorkFinished(good, bad, value))

        self.work_begins()
        threading.Thread(target=run, name=WORKER, daemon=True).start()

    def in_background_to_open(
        self,
        task: Callable[[], Any],
        succeeded: Callable[[Any], None],
        failed: Callable[[Problem], None] | None = None,
        otherwise: Callable[[], None] | None = None,
    ) -> None:
        """The same for work whose outcome opens something: keys wait for that a moment, and who has gone on by then is not disturbed.

        ``otherwise`` is called where nothing was opened for that reason."""
        base, screen, hold = self.base_screen, self.screen, self.hold()

        def gone_on() -> bool:
            dialog = isinstance(self.screen, ModalScreen) and self.screen is not screen
            return self.base_screen is not base or dialog

        def opens(value: Any) -> None:
            if self.pressed_since(hold) and not gone_on():
                self.interrupt(lambda: finish(value))  # who has not waited may be typing something else
            else:
                finish(value)

        def finish(value: Any) -> None:
            if not hold.given_up and not gone_on():
                succeeded(value)
            else:
                if not hold.given_up:
                    self.flash("Nothing was opened or started: it took a while, and you have gone on.", "dim")
                if otherwise is not None:
                    otherwise()
            hold()

        def fails(problem: Problem) -> None:
            if not hold.given_up:
                (failed or self.tell)(problem)
            elif otherwise is not None:
                otherwise()
            hold()

        self.in_background(task, opens, fails)

    def gave_up(self) -> None:
        self.flash("Left: nothing is opened or started.", "dim")

    @on(WorkFinished)
    def _work_finished(self, message: WorkFinished) -> None:
        if not self.is_running:
            return  # screens lose their widgets one by one while the console closes
        if message.problem is not None:
            message.failed(message.problem)
        else:
            message.succeeded(message.value)

    def allowed(self, action: actions.Action) -> bool:
        """Whether an action may be done here; says why not."""
        if action.changes and self.services.read_only:
            self.flash(
                f"Read-only: {action.label.lower()} is switched off here (:help tells of safety).", "wait"
            )
            return False
        if action.changes:
            came_from(f"console {action.id}")
        return True

    async def run_action(
        self, action: Any, default_namespace: DOMNode | None = None, namespaces: Any = None
    ) -> bool:
        """Do what a key stands for. A key that is bound but has nothing to do on what is shown says so, instead of nothing."""
        self._acted_at = monotonic()
        if self._flash_stays_until and self._acted_at > self._flash_stays_until:
            self._flash_stays_until = 0.0
            self.unflash()
        said, screen = self._flashes, self.screen
        done = await super().run_action(action, default_namespace, namespaces)
        idle = self.screen is screen and self._flashes == said
        if idle and isinstance(default_namespace, ConsoleScreen) and isinstance(action, str):
            default_namespace.say_if_idle(action)
        return done

    async def action_jump(self) -> None:
        from console.screens.jump import jump

        await jump(self)

    def action_help(self) -> None:
        from console.screens.help import HelpScreen

        screen = self.base_screen
        if screen is not None:
            self.push_screen(HelpScreen(screen.places(), self.keymap, read_only=self.services.read_only))

    def action_palette(self) -> None:
        if not isinstance(self.screen, ModalScreen):
            self.open_palette("")

    def open_palette(self, text: str) -> None:
        """Open the command line with a text in it."""
        from console.screens.palette import PaletteScreen

        self.push_screen(PaletteScreen(text))
        if self._targets_asked:
            return
        self._targets_asked = (
            True  # 1 MB of endpoints is read for the regions: not before somebody may want them
        )

        def known(found: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
            self.profiles, self.regions = found
            if isinstance(self.screen, PaletteScreen):
                self.screen.suggest_again()

        services = self.services
        self.in_background(
            lambda: (tuple(services.profiles()), tuple(services.regions())), known, lambda _: None
        )

    def action_refresh(self) -> None:
        self.services.refresh()
        if self.base_screen is not None:
            self.base_screen.look()
        self.flash("Asking for new data.", "dim")

    def action_pause(self) -> None:
        paused = not self.hub_status.paused
        self.services.pause(paused)
        self.flash(
            f"Polling is paused. {key('app.pause')} goes on, {key('app.refresh')} asks once."
            if paused
            else "Polling goes on.",
            "wait" if paused else "ok",
        )

    def move(self, **changes: str) -> None:
        """Look at another target, profile or region: a new console takes over, in this process and on this terminal."""
        try:
            self.moving_to = self.services.elsewhere(**changes)
        except Exception as error:
            self.tell(explain(error, self.services.target))
            return
        self.services.close()
        self.exit(0)

    def action_switch(self) -> None:
        self.open_palette("target " if self.services.target == "embedded" else "profile ")

    def action_suspend_process(self) -> None:
        """Back to the shell, if there is one: stopped without one, the console could not be woken any more."""
        if terminal.shell_waits():
            super().action_suspend_process()
        else:
            self.flash(f"There is no shell here to go back to. {key('app.quit')} leaves.", "wait")

    async def action_quit(self) -> None:
        self.services.close()
        self.exit(0)

    def leave_soon(self) -> None:
        """Leave in an orderly way; may be called from a signal handler."""
        if self._event_loop is not None:
            self._event_loop.call_soon_threadsafe(self.exit)

    def action_export(self) -> None:
        from console.screens.exports import ask

        ask(self)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """A picture is taken above a dialog, too, where a key that means nothing there goes no further; a key that a person has given
        to something else is that."""
        if await super()._check_bindings(key, priority):
            return True
        pictured = not priority and isinstance(self.screen, ModalScreen)
        if pictured and key in self.keymap.keys(actions.get("app.picture")):
            self.action_picture()
            return True
        return False

    def action_picture(self) -> None:
        from console.screens.exports import export

        export(self, "svg", "")

    def copy(self, text: str, what: str) -> None:
        """Put a text into the clipboard of the person's own machine; one that is too long for it becomes a file."""
        from console.screens import exports

        self.flash(f"Copying {what}.", "dim")
        self.in_background(lambda: exports.copy(text, what), lambda copied: self._copied(*copied))

    def _copied(self, sequence: str, sentence: str) -> None:
        if sequence and self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()
        self.flash(sentence, "ok")

    # Leaving

    def on_app_blur(self, event: events.AppBlur) -> None:
        self.services.hidden(True)

    def on_app_focus(self, event: events.AppFocus) -> None:
        self.services.hidden(False)

    def get_driver_class(self) -> type[Driver]:
        """Ours on a terminal; a driver that the environment names, and those of other platforms, stay."""
        from textual.drivers.linux_driver import LinuxDriver

        found = super().get_driver_class()
        if found is LinuxDriver:
            from console import driver

            return driver.Driver
        return found

    def _handle_exception(self, error: Exception) -> None:
        """Leave on an unexpected error without showing the values of variables; `run` reports it."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.crash = self.crash or error
        self._return_code = 1
        self._close_messages_no_wait()


def make_app(
    services: Services,
    *,
    theme_name: str = "",
    first_run: str = "",
    low_bandwidth: bool = False,
    memory: Memory | None = None,
    keymap_file: Path | None = None,
    themes_dir: Path | None = None,
) -> Console:
    """The application on given services: the live ones, or those of a test. ``first_run`` is the run that it opens at once,
    ``low_bandwidth`` draws ages and charts less often, in the terminal's own colours; ``memory`` keeps views and commands, ``keymap_file`` has other keys,
    ``themes_dir`` own themes."""
    return Console(
        services,
        theme_name=theme_name,
        first_run=first_run,
        low_bandwidth=low_bandwidth,
        memory=memory,
        keymap_file=keymap_file,
        themes_dir=themes_dir,
    )

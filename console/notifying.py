"""Telling a person who looks elsewhere that a watched resource has ended, changed or is in alarm."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from textual import on
from textual.timer import Timer

from console import terminal
from console.customizing import Customized
from console.messages import WatchedArrived
from console.screens.arranged import ArrangedScreen
from console.services import Unwatch
from console.trail import Place
from console.watchlist import LISTS, ROLES, Notice, Watchlist, has_ended, together
from workflows import underway
from workflows.problem import Problem
from workflows.topics import Snapshot, Topic

LONG = 3.0
"""Seconds after which it is told what is waited for."""
WORKER = "console-work"
"""The name of the threads that do what a key has asked for."""


class Notifying(Customized, inherit_bindings=False):
    """An application with a list of watched resources, which it keeps for the next time."""

    watchlist = Watchlist()
    titled = False
    """Whether the terminal's title was changed, and has to be given back."""
    _webhook_fails = False
    flash_text: tuple[str, str] | None = None
    _working = 0
    """How many threads do what a key has asked for."""
    _teller: Timer | None = None
    """Looks what is waited for; at rest there is none."""

    def begin_watching(self) -> None:
        """Go on watching what was watched on this target."""
        kept = self.memory.get("targets", self._target_name, "watched")
        pairs = [str(text).partition(" ") for text in kept] if isinstance(kept, dict | list) else []
        self.watchlist = Watchlist(Place(kind, name) for kind, _, name in pairs if kind in LISTS and name)
        self._observed: dict[Topic[Any], Unwatch] = {}
        # A list is what earlier versions have written: it becomes what can be changed one by one.
        self._kept = {str(place) for place in self.watchlist.places} if isinstance(kept, dict) else set()
        self._observe_watched()

    def work_begins(self) -> None:
        """A thread does what a key has asked for, from now on to `work_ended`."""
        self._working += 1
        if self._teller is None:
            self._teller = self.set_interval(1.0, self._tell_what_waits)

    def work_ended(self) -> None:
        self._working -= 1
        if not self._working and self._teller is not None:
            self._teller.stop()
            self._teller = None

    def _tell_what_waits(self) -> None:
        """Tell what is waited for that a key has asked for, once it takes long."""
        wait, said = underway.oldest(WORKER), self.flash_text
        if wait is None or (said is not None and not said[0].endswith("…")):
            return  # what has been said last counts more, unless it is that something goes on
        waited = monotonic() - wait.since
        if waited >= LONG:
            self.flash(f"Waiting for {wait.what}, {waited:.0f} s …", "wait")

    def flash(self, text: str, role: str = "ok", *, stays: bool = False) -> None:
        """Say something in the key line."""
        raise NotImplementedError

    def known(self, topic: Topic[Any]) -> Any:
        """The last good value of a topic."""
        raise NotImplementedError

    def in_background(self, task: Any, succeeded: Any, failed: Any = None) -> None:
        """Do blocking work in a thread."""
        raise NotImplementedError

    def _observe_watched(self) -> None:
        wanted = self.watchlist.topics()
        for topic in [topic for topic in self._observed if topic not in wanted]:
            self._observed.pop(topic)()
        for topic in wanted:
            if topic not in self._observed:
                self._observed[topic] = self.services.watch(topic, self._deliver_watched)
        # One by one: another console may watch other things on this target.
        places = {str(place) for place in self.watchlist.places}
        for text in places ^ self._kept:
            self.memory.put(True if text in places else None, "targets", self._target_name, "watched", text)
        self._kept = places

    def _deliver_watched(self, snapshot: Snapshot[Any]) -> None:
        self.post_message(WatchedArrived(snapshot))

    @on(WatchedArrived)
    def _watched_arrived(self, message: WatchedArrived) -> None:
        snapshot = message.snapshot
        if snapshot.value is None or snapshot.stale:
            return
        whole = snapshot.complete and not snapshot.more
        notices = self.watchlist.arrived(snapshot.topic, snapshot.value, self.services.now(), whole=whole)
        if notices:
            self.notice(notices)
            self._observe_watched()

    def notice(self, notices: Sequence[Notice]) -> None:
        """Tell what has come at once: in the key line, by the terminal as the configuration has it, and to the webhook one by one.

        In the key line it stays until a key is pressed: who watches looks elsewhere.
        """
        text, role = together(notices), max((notice.role for notice in notices), key=ROLES.index)
        self.flash(text, role, stays=True)
        ways = self.services.notices
        if "bell" in ways:
            self.bell()
        sequences = [terminal.title_sequence(text)] if "title" in ways else []
        if sequences and not self.titled:
            sequences.insert(0, terminal.KEEP_TITLE)
            self.titled = True
        sequences += [terminal.notification_sequence(text)] if "desktop" in ways else []
        if sequences and self._driver is not None:
            self._driver.write("".join(sequences))
            self._driver.flush()

        def send() -> None:
            failed: Exception | None = None
            for notice in notices:
                details = {"kind": notice.place.kind, "name": notice.place.name, "status": notice.status}
                try:
                    self.services.notify(notice.text, details)
                except Exception as error:
                    failed = error
            if failed is not None:
                raise failed

        self.in_background(send, self._notified, lambda problem: self._not_notified(problem, text))

    def _notified(self, _: None) -> None:
        self._webhook_fails = False

    def _not_notified(self, problem: Problem, text: str) -> None:
        """Told once, and after what should have been told: that counts more."""
        if not self._webhook_fails:
            self.flash(f"{text} ✗ {problem}", "bad", stays=True)
        self._webhook_fails = True

    def action_watch(self) -> None:
        screen = self.base_screen
        if screen is None:
            return
        places = [screen.subject() or screen.location]
        if isinstance(screen, ArrangedScreen) and screen.has_marks:
            places = [screen.place_of(row) for row in screen.selection()]
        wanted = [place for place in places if place is not None and place.name and place.kind in LISTS]
        if not wanted:
            self.flash("Put the cursor on a job, a tuning job or an endpoint first, or open a run.", "wait")
            return
        begin = any(place not in self.watchlist.places for place in wanted)
        over = [place for place in wanted if begin and has_ended(place, self.known(LISTS[place.kind]))]
        if over and len(over) == len(wanted):
            names = over[0].name if len(over) == 1 else "All of them"
            self.flash(f"{names} {'has' if len(over) == 1 else 'have'} ended already.", "wait")
            return
        wanted = [place for place in wanted if place not in over]
        changed = [place for place in wanted if (place not in self.watchlist.places) is begin]
        for place in changed:
            self.watchlist.toggle(place)
        self._observe_watched()
        names = changed[0].name if len(changed) == 1 else f"{len(changed)} resources"
        one = len(changed) == 1
        told = "ends, changes or is in alarm" if one else "end, change or are in alarm"
        over_now = f"{'is' if one else 'are'} watched no more"
        self.flash(
            f"You are told when {names} {told}." if begin else f"{names} {over_now}.",
            "ok" if begin else "dim",
        )

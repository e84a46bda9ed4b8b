"""Telling a person who looks elsewhere that a watched resource has ended, changed or is in alarm."""

from __future__ import annotations

from typing import Any

from textual import on

from console import terminal
from console.customizing import Customized
from console.messages import WatchedArrived
from console.screens.listing import ListScreen
from console.services import Unwatch
from console.trail import Place
from console.watchlist import LISTS, Notice, Watchlist
from workflows.problem import Problem
from workflows.topics import Snapshot, Topic


class Notifying(Customized, inherit_bindings=False):
    """An application with a list of watched resources, which it keeps for the next time."""

    watchlist = Watchlist()

    def begin_watching(self) -> None:
        """Go on watching what was watched on this target."""
        kept = self.memory.get("targets", self._target_name, "watched")
        pairs = [str(text).partition(" ") for text in kept] if isinstance(kept, list) else []
        self.watchlist = Watchlist(Place(kind, name) for kind, _, name in pairs if kind in LISTS and name)
        self._observed: dict[Topic[Any], Unwatch] = {}
        self._observe_watched()

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
        places = [str(place) for place in self.watchlist.places]
        self.memory.put(places or None, "targets", self._target_name, "watched")

    def _deliver_watched(self, snapshot: Snapshot[Any]) -> None:
        self.post_message(WatchedArrived(snapshot))

    @on(WatchedArrived)
    def _watched_arrived(self, message: WatchedArrived) -> None:
        snapshot = message.snapshot
        if snapshot.value is None or snapshot.stale:
            return
        notices = self.watchlist.arrived(snapshot.topic, snapshot.value, self.services.now())
        for notice in notices:
            self.notice(notice)
        if notices:
            self._observe_watched()

    def notice(self, notice: Notice) -> None:
        """Tell it: in the key line, by the terminal as the configuration has it, and to the webhook."""
        self.flash(notice.text, notice.role)
        ways = self.services.notices
        if "bell" in ways:
            self.bell()
        sequences = [terminal.title_sequence(notice.text)] if "title" in ways else []
        sequences += [terminal.notification_sequence(notice.text)] if "desktop" in ways else []
        if sequences and self._driver is not None:
            self._driver.write("".join(sequences))
            self._driver.flush()
        details = {"kind": notice.place.kind, "name": notice.place.name, "status": notice.status}
        self.in_background(
            lambda: self.services.notify(notice.text, details), lambda _: None, self._not_notified
        )

    def _not_notified(self, problem: Problem) -> None:
        self.flash(f"✗ {problem}", "bad")

    def action_watch(self) -> None:
        screen = self.base_screen
        if screen is None:
            return
        places = [screen.subject() or screen.location]
        if isinstance(screen, ListScreen) and screen.rows().chosen:
            places = [screen.place_of(row) for row in screen.selection()]
        wanted = [place for place in places if place is not None and place.name and place.kind in LISTS]
        if not wanted:
            self.flash("Put the cursor on a job, a tuning job or an endpoint first, or open a run.", "wait")
            return
        begin = any(place not in self.watchlist.places for place in wanted)
        changed = [place for place in wanted if (place not in self.watchlist.places) is begin]
        for place in changed:
            self.watchlist.toggle(place)
        self._observe_watched()
        names = changed[0].name if len(changed) == 1 else f"{len(changed)} resources"
        told = "ends, changes or is in alarm" if begin else ""
        self.flash(
            f"You are told when {names} {told}." if begin else f"{names} is watched no more.",
            "ok" if begin else "dim",
        )

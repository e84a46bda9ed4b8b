"""One polling hub for all screens: it asks only for what is subscribed, within the account's budget, in its own threads."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from workflows.backend import Backend, OpenGateway
from workflows.budget import PACES, Budget, Pace
from workflows.clock import Clock
from workflows.entries import Entries
from workflows.entry import Entry, deliver
from workflows.explain import backend_lost, explain, throttled
from workflows.pollers import LocalPoller
from workflows.pool import DaemonPool
from workflows.problem import Problem
from workflows.remembered import Remembered
from workflows.subscription import Subscription

if TYPE_CHECKING:
    from workflows.configuration import Configuration
    from workflows.observe.gateway import Gateway
    from workflows.safety.rehearsal import Rehearsal
    from workflows.topics import HubStatus, Snapshot, Topic

_log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks at the stamp: two stat calls, 0.01 % of a core."""

T = TypeVar("T")
Submit = Callable[[Callable[[], object]], None]

PATIENCE = 15.0
"""Seconds after which a call in flight is reported as unanswered."""


class Hub:
    """Polls what is subscribed and hands out immutable snapshots.

    Listeners are called from worker threads (once also from the subscribing thread, when something is known already), must
    return at once and never see a snapshot of a generation that is over. Nothing here blocks its caller on the network.

    Args:
        open_gateway: Opens the platform; called in a worker thread at the first poll, and again after it was lost. Its
            argument says whether what does not run may be started: at first and after `refresh`.
        target: ``embedded`` or ``aws``: how fast is polled.
        remembered: Where the last known lists are kept; None: nowhere.
        stamp: Tells cheaply, without a call, whether the backend may know something new: another value than before makes polls
            that are `Pace.idle` seconds old due. None: nothing tells.
        submit: Runs a function soon in another thread; tests run it at once.
        threads: Whether the hub schedules by itself; otherwise the owner calls `step`.
    """

    def __init__(
        self,
        open_gateway: OpenGateway,
        *,
        target: str = "embedded",
        remembered: Remembered | None = None,
        stamp: Callable[[], object] | None = None,
        clock: Clock | None = None,
        submit: Submit | None = None,
        budget: Budget | None = None,
        pace: Pace | None = None,
        random_: Callable[[], float] = random.random,
        threads: bool = True,
    ) -> None:
        self._clock = clock or Clock()
        self._pool = DaemonPool()
        self._submit = submit or self._pool.submit
        self._pace = pace or PACES[target]
        self._random = random_
        self._threads = threads
        self._thread: threading.Thread | None = None
        lock = threading.RLock()
        self._wake = threading.Condition(lock)
        self._backend = Backend(open_gateway, target, self._clock, lock, budget, random_)
        first_wait = 1.0 if target == "embedded" else 5.0
        self._entries = Entries(self._pace, self._clock, random_, first_wait, remembered)
        self._status_listeners: dict[int, Callable[[HubStatus], None]] = {}
        self._numbers = 0
        self._paused = False
        self._hidden = False
        self._interval: float | None = None
        self._closed = False
        self._remembered = remembered
        self._stamp = stamp
        self._stamped: object = None
        self._look_due = 0.0

    @classmethod
    def of(cls, configuration: Configuration, playing: Rehearsal | None = None, **options: Any) -> Hub:
        """The hub of a configuration's target, with its lists remembered in the cache directory. ``playing``: a rehearsal to which all that
        it does belongs."""

        def opened(may_start: bool) -> Gateway:
            from workflows import embedded
            from workflows.platform import open_platform
            from workflows.safety import rehearsal

            if configuration.target == "embedded" and not may_start and embedded.connection() is None:
                raise Problem(
                    "The embedded SageMaker does not run.", "`mlconsole engine start` starts it.", "engine"
                )
            with rehearsal.within(playing):
                return open_platform(configuration, observing=True)

        kept = Remembered.of(configuration) if playing is None else None
        if configuration.target == "embedded":
            from workflows.stamp import Stamp

            options.setdefault("stamp", Stamp())
        return cls(opened, target=configuration.target, remembered=kept, **options)

    # -- subscribing ---------------------------------------------------------------------------------------------------

    def subscribe(self, topic: Topic[T], listener: Callable[[Snapshot[T]], None]) -> Subscription:
        """Get snapshots of a topic until the subscription is closed; the last known one at once.

        Raises:
            Problem: There is no such topic.
        """
        with self._wake:
            entry = self._entries.found(topic)
            if not entry.listeners:
                self._numbers += 1
                self._entries.begin(topic, entry, self._numbers)
            self._numbers += 1
            number = self._numbers
            entry.listeners[number] = listener
            known = entry.snapshot
            self._run()
        if known.value is not None or known.error is not None:
            deliver(listener, known)
        return Subscription(self, topic, number)

    def subscribe_status(self, listener: Callable[[HubStatus], None]) -> Callable[[], None]:
        """Get the hub's own state when it changes, and now. Returns how to end that."""
        with self._wake:
            self._numbers += 1
            number = self._numbers
            self._status_listeners[number] = listener
        listener(self.status())
        return lambda: (self._status_listeners.pop(number, None), None)[1]

    def snapshot(self, topic: Topic[T]) -> Snapshot[T]:
        """What is known of a topic without subscribing; from disk when nothing else is known."""
        with self._wake:
            entry = self._entries.get(topic)
            return entry.snapshot if entry else self._entries.first_snapshot(topic)

    def status(self) -> HubStatus:
        """The state of the backend and the budget."""
        with self._wake:
            in_flight = sum(1 for entry in self._entries.values() if entry.flight)
            return self._backend.status(in_flight=in_flight, paused=self._paused)

    # -- steering ------------------------------------------------------------------------------------------------------

    def refresh(self, topic: Topic[Any] | None = None) -> None:
        """Poll a topic, or all that are subscribed, now; also while the hub is paused or waits for a lost backend."""
        with self._wake:
            for found, entry in self._entries.items():
                if entry.listeners and topic in (None, found):
                    entry.urgent = True
                    entry.due = self._clock.monotonic()
                    entry.again = bool(entry.flight)
            self._backend.retry_now()
            self._wake.notify_all()

    def pause(self) -> None:
        """No polls until `resume`, except by `refresh`."""
        self._set(paused=True)

    def resume(self) -> None:
        """Poll again."""
        self._set(paused=False)

    def hidden(self, yes: bool) -> None:
        """Whether nobody looks (another window has the focus): polls slow down; back in sight, what is old is polled."""
        with self._wake:
            was, self._hidden = self._hidden, yes
            if was and not yes:
                now = self._clock.monotonic()
                for entry in self._entries.values():
                    if entry.due is not None and entry.listeners and entry.backoff.failures == 0:
                        entry.due = min(entry.due, now)
            self._wake.notify_all()

    def set_interval(self, seconds: float | None) -> None:
        """Poll everything at this interval, at least one second; None: as fast as the target allows."""
        with self._wake:
            self._interval = None if seconds is None else max(1.0, seconds)
            self._wake.notify_all()

    def use(self, action: Callable[[Gateway], T], done: Callable[[T | None, Problem | None], None]) -> None:
        """Run something a person asked for (stop, delete, invoke) in a worker thread; ``done`` gets its result or problem."""

        def run() -> None:
            try:
                result = action(self._backend.connect().urgent())
            except Exception as error:
                done(None, explain(error, self._backend.target))
            else:
                done(result, None)
                self.refresh()

        self._submit(run)

    def close(self) -> None:
        """No more polls and no more snapshots, at once: calls in flight are left to their daemon threads."""
        with self._wake:
            self._closed = True
            for entry in self._entries.values():
                entry.listeners.clear()
            self._status_listeners.clear()
            self._wake.notify_all()
        self._pool.close()
        self._save(force=True)

    # -- scheduling ----------------------------------------------------------------------------------------------------

    def step(self) -> float | None:
        """Start the polls that are due; returns the seconds until the next one (None: nothing is armed)."""
        overdue: list[Topic[Any]] = []
        tasks: list[Callable[[], object]] = []
        with self._wake:
            if self._closed:
                return None
            now = self._clock.monotonic()
            waits: list[float] = []
            watched = False
            self._look(now)
            for topic, entry in self._entries.items():
                remote = not isinstance(entry.poller, LocalPoller)
                watched = watched or (remote and bool(entry.listeners) and entry.due is not None)
                if entry.flight:
                    if not entry.overdue:
                        if now - entry.began >= PATIENCE:
                            entry.overdue = True
                            overdue.append(topic)
                        else:
                            waits.append(entry.began + PATIENCE - now)
                    continue
                if not entry.listeners or entry.due is None or (self._paused and not entry.urgent):
                    continue
                due = entry.due
                if remote and self._backend.gateway is None:
                    if self._backend.connecting:
                        continue
                    due = max(due, self._backend.retry_due or 0.0)
                if due > now:
                    waits.append(due - now)
                    continue
                tasks.append(self._start(topic, entry, now))
                waits.append(PATIENCE)
            if self._status_listeners and not watched and not self._paused:
                # Somebody looks at the state, but no poll would find out that it has changed.
                probe_due = self._backend.probe_due()
                if probe_due is not None and probe_due > now:
                    waits.append(probe_due - now)
                elif probe_due is not None:
                    self._backend.probing = True
                    tasks.append(self._probe)
            if watched and self._noticing() and not self._paused:
                waits.append(self._look_due - now)
        for topic in overdue:
            self._report_overdue(topic)
        for task in tasks:
            self._submit(task)
        return max(0.0, min(waits)) if waits else None

    def _noticing(self) -> bool:
        """Whether changes are noticed between polls: not where a person has asked for an interval, or nobody looks."""
        return self._stamp is not None and self._interval is None and not self._hidden

    def _look(self, now: float) -> None:
        """Hurry the polls that have become calm when the stamp is another one."""
        if self._stamp is None or now < self._look_due:
            return
        self._look_due = now + LOOK_EVERY
        before, self._stamped = self._stamped, self._stamp()
        if self._stamped == before or not self._noticing():
            return
        for entry in self._entries.values():
            if entry.due is not None and entry.listeners and not entry.backoff.failures:
                entry.due = min(entry.due, max(now, entry.began + self._pace.idle))

    def _start(self, topic: Topic[Any], entry: Entry, now: float) -> Callable[[], object]:
        self._numbers += 1
        entry.flight, entry.began, entry.overdue, entry.again = self._numbers, now, False, False
        urgent, entry.urgent = entry.urgent, False
        flight, source = entry.flight, entry.poller
        if not isinstance(source, LocalPoller) and self._backend.gateway is None:
            self._backend.begin_connecting()
        return lambda: self._poll(topic, entry, flight, source, urgent)

    def _poll(self, topic: Topic[Any], entry: Entry, flight: int, source: Any, urgent: bool) -> None:
        def emit(value: Any) -> None:
            self._publish(topic, entry, flight, value=value, complete=False)

        if self._closed:
            return  # it was still waiting for a thread
        connected = isinstance(source, LocalPoller)
        try:
            if isinstance(source, LocalPoller):
                value = source.poll(None, emit, self._clock.time())
            else:
                gateway = self._backend.connect()
                connected = True
                value = source.poll(gateway.urgent() if urgent else gateway, emit, self._clock.time())
        except Exception as error:
            problem = explain(error, self._backend.target)
            if not isinstance(error, Problem):
                _log.debug("poll of %s failed", topic, exc_info=error)
            lost = not connected or backend_lost(problem)
            self._failed(topic, entry, flight, problem, lost)
        else:
            self._succeeded(topic, entry, flight, source, value)
        finally:
            self._tell_status()
            with self._wake:
                self._wake.notify_all()

    def _probe(self) -> None:
        try:
            self._backend.probe()
        except Exception as error:
            self._backend.lost(explain(error, self._backend.target))
        finally:
            self._tell_status()
            with self._wake:
                self._wake.notify_all()

    def _succeeded(self, topic: Topic[Any], entry: Entry, flight: int, source: Any, value: Any) -> None:
        with self._wake:
            if not isinstance(source, LocalPoller):
                self._backend.answered()
            if entry.flight != flight:
                return
            entry.backoff.reset()
            interval = source.interval(self._pace)
            if self._noticing() and getattr(source, "quiet", False):
                interval = self._pace.calm  # at once: what is new will be noticed
        self._publish(topic, entry, flight, value=value, interval=interval, ended=True)
        self._save()

    def _failed(self, topic: Topic[Any], entry: Entry, flight: int, problem: Problem, lost: bool) -> None:
        with self._wake:
            if lost:
                wait = self._backend.lost(problem)
            elif entry.flight == flight:
                wait = entry.backoff.next()
                if throttled(problem):
                    self._backend.throttled(wait)
            else:
                return
        until = self._clock.time() + wait if throttled(problem) else None
        self._publish(topic, entry, flight, error=problem, interval=wait, ended=True, throttled_until=until)

    def _publish(
        self,
        topic: Topic[Any],
        entry: Entry,
        flight: int,
        *,
        value: Any = None,
        error: Problem | None = None,
        interval: float | None = None,
        complete: bool = True,
        ended: bool = False,
        throttled_until: float | None = None,
    ) -> None:
        with self._wake:
            if entry.flight != flight or self._closed:
                return
            now = self._clock.time()
            known = entry.snapshot
            if ended:
                wait = self._wait(interval, failed=error is not None)
                entry.flight = 0
                if entry.again:
                    wait = 0.0
                entry.due = None if wait is None else self._clock.monotonic() + wait
                next_at = None if wait is None else now + wait
            else:
                next_at = known.next_at
            if error is not None:
                snapshot = replace(
                    known,
                    error=error,
                    stale=known.value is not None,
                    next_at=next_at,
                    throttled_until=throttled_until,
                )
            else:
                snapshot = replace(
                    known, value=value, fetched_at=now, error=None, stale=False, complete=complete, next_at=next_at,
                    throttled_until=None, more=getattr(entry.poller, "more", False), noticed=self._noticing(),
                )  # fmt: skip
            entry.snapshot = snapshot
            entry.tell()

    def _wait(self, interval: float | None, *, failed: bool) -> float | None:
        """Seconds to the next poll: the poller's own, never shorter than what hidden or the person's interval asks for."""
        if interval is None or failed:
            return interval
        if self._interval is not None and interval > 0:
            interval = self._interval
        if self._hidden:
            interval = max(interval, self._pace.hidden)
        return interval * (1 + self._random() / 10)

    def _report_overdue(self, topic: Topic[Any]) -> None:
        problem = Problem(
            f"No answer for {PATIENCE:.0f} s.",
            "What is shown is the last known state; the call goes on.",
            "slow",
        )
        with self._wake:
            entry = self._entries.get(topic)
            if entry is None or not entry.overdue or not entry.flight:
                return
            entry.snapshot = replace(entry.snapshot, error=problem, stale=entry.snapshot.value is not None)
            if not isinstance(entry.poller, LocalPoller):
                self._backend.unanswered(problem)
            entry.tell()
        self._tell_status()

    def _run(self) -> None:
        """Start the scheduling thread, or wake it."""
        if self._threads and self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="hub", daemon=True)
            self._thread.start()
        self._wake.notify_all()

    def _loop(self) -> None:
        while not self._closed:
            with self._wake:
                wait = self.step()
                if not self._closed:
                    self._wake.wait(wait)

    # -- leaving, telling, keeping -------------------------------------------------------------------------------------

    def _unsubscribe(self, topic: Topic[Any], number: int) -> None:
        with self._wake:
            self._entries.leave(topic, number)

    def _set(self, *, paused: bool) -> None:
        with self._wake:
            self._paused = paused
            self._wake.notify_all()
        self._tell_status()

    def _tell_status(self) -> None:
        status = self.status()
        for listener in list(self._status_listeners.values()):
            try:
                listener(status)
            except Exception:
                _log.exception("a listener of the hub's status failed")

    def _save(self, *, force: bool = False) -> None:
        if self._remembered is None:
            return
        with self._wake:
            shots = self._entries.whole()
            now = self._clock.monotonic()
        self._remembered.keep(shots, now, force=force)

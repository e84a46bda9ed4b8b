"""What a person has made their own: keys, themes, columns and views. The application is made of this and of what is in `console.app`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from textual import on
from textual.keys import key_to_character

from console import keymap as keymaps
from console import theme, themefiles
from console.keymap import Keymap
from console.memory import Memory
from console.messages import FilesChanged
from console.trail import Place
from console.travelling import Travelling
from console.view import View
from console.watching import Watcher


class Customized(Travelling, inherit_bindings=False):
    """An application that reads a person's files, again when they change, and remembers how they look at lists."""

    low_bandwidth = False

    def __init__(self, memory: Memory, keymap_file: Path | None, themes_dir: Path | None) -> None:
        super().__init__()
        self.memory = memory
        self.keymap = Keymap()
        keymaps.use(self.keymap)
        self._keymap_file, self._themes_dir = keymap_file, themes_dir
        self.own_themes: tuple[str, ...] = ()
        self._watcher: Watcher | None = None
        for shipped in theme.OWN:
            self.register_theme(shipped)

    def begin_with_theme(self, name: str) -> None:
        """The first theme: the given one, or what was chosen last unless the line or the environment decides."""
        kept = self.memory.get("theme")
        told = self.low_bandwidth or os.environ.get("MLCONSOLE_THEME") or os.environ.get("NO_COLOR")
        if kept not in theme.NAMES or told:
            kept = theme.default(slow=self.low_bandwidth)
        self.theme = name or str(kept)

    def redraw(self) -> None:
        """Draw the frame of the screen again."""
        raise NotImplementedError

    # Files

    def read_files(self) -> None:
        """Read the keymap and the themes, and from now on again whenever they change."""
        if self._keymap_file is not None:
            self.read_keymap()
        self.read_themes(begin=True)
        if self._keymap_file is not None or self._themes_dir is not None:
            self._watcher = Watcher(self._watched_files, lambda: self.post_message(FilesChanged()))
            self._watcher.start()

    def _watched_files(self) -> list[Path]:
        """The files that count while the console runs."""
        keymap = [self._keymap_file] if self._keymap_file is not None else []
        return keymap + (themefiles.files(self._themes_dir) if self._themes_dir is not None else [])

    @on(FilesChanged)
    def _files_changed(self) -> None:
        if self._keymap_file is not None:
            self.read_keymap()
        self.read_themes()

    def on_unmount(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()

    # Themes

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.VARIABLES

    def themes(self) -> Sequence[str]:
        """The names of the themes that there are."""
        return (*theme.NAMES, *self.own_themes)

    def read_themes(self, *, begin: bool = False) -> None:
        """Read the person's own themes; the one in use is drawn anew. What is wrong with them is told."""
        if self._themes_dir is None:
            return
        found = themefiles.read(self._themes_dir, theme.SHIPPED)
        names = tuple(one.name for one in found.themes)
        changed = [one for one in found.themes if self.available_themes.get(one.name) != one]
        for gone in set(self.own_themes) - set(names):
            if self.theme == gone:
                self.theme = theme.default(slow=self.low_bandwidth)
            self.unregister_theme(gone)
        for one in changed:
            self.register_theme(one)
            if one.name == self.theme:
                self.mutate_reactive(Customized.theme)
        self.own_themes = names
        wanted = os.environ.get("MLCONSOLE_THEME") or self.memory.get("theme")
        if begin and wanted in names and not self.low_bandwidth:
            self.theme = str(wanted)
        if found.problems:
            self.complain("A theme cannot be used", [f"{problem}." for problem in found.problems])
        elif changed and self.theme in {one.name for one in changed}:
            hard = [text for text in found.warnings if text.startswith(f"{self.theme}.toml")]
            self.flash(hard[0] if hard else f"✓ Theme {self.theme}.", "wait" if hard else "ok")

    def use_theme(self, name: str) -> None:
        """Change the colours; ``dark`` and ``light`` are our own themes."""
        known = self.themes()
        full = name if name in known else f"mlconsole-{name}"
        if full not in known:
            names = ", ".join(name.removeprefix("mlconsole-") for name in known)
            self.complain("No such theme", [f"There is no theme {name!r}.", f"Themes: {names}."])
            return
        self.theme = full
        self.memory.put(full, "theme")

    def action_theme(self) -> None:
        known = self.themes()
        here = known.index(self.theme) if self.theme in known else 0
        self.use_theme(known[(here + 1) % len(known)])

    # Keys

    def use_keymap(self, keymap: Keymap) -> None:
        """Other keys, from now on."""
        self.keymap = keymap
        keymaps.use(keymap)
        self.set_keymap(dict(keymap.changed))
        self.redraw()

    def read_keymap(self) -> None:
        """Read the keymap file. With a mistake in it the keys stay what they are, and the mistake is told."""
        assert self._keymap_file is not None
        keymap, mistakes = keymaps.read(self._keymap_file)
        if mistakes:
            if len(mistakes) == 1:
                self.complain("The keys stay as they were", [f"{self._keymap_file.name}, {mistakes[0]}"])
            else:
                from console.screens.dialogs import MessageScreen

                lines = [str(mistake) for mistake in mistakes]
                dialog = MessageScreen(f"{self._keymap_file} is not used", ["Until these are mended the keys stay as they were:"], listed=lines)  # fmt: skip
                self.interrupt(lambda: self.push_screen(dialog))
        elif keymap != self.keymap:
            self.use_keymap(keymap)
            self.flash(f"✓ Keys are those of {self._keymap_file.name} now.")

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """A key that the focused field takes for writing is never an action's, whatever the keymap says."""
        if (
            priority
            and self.focused is not None
            and self.focused.check_consume_key(key, key_to_character(key))
        ):
            return False
        return await super()._check_bindings(key, priority)

    # The last place

    def visited(self, place: Place) -> None:
        """A screen has come to the top; the next console of this target begins there."""
        super().visited(place)
        self._keep(place)

    def turned(self, place: Place) -> None:
        """Another part of it is shown: the next console begins there, too."""
        super().turned(place)
        self._keep(place)

    def _keep(self, place: Place) -> None:
        seen = self._seen(place)
        kept = [seen.kind, seen.name, seen.section, seen.part] if place.kind != "home" else None
        self.memory.put(kept, "targets", self._target_name, "place")

    @property
    def last_place(self) -> Place | None:
        """Where the last console of this target was left."""
        kept = self.memory.get("targets", self._target_name, "place")
        if isinstance(kept, list) and len(kept) in (2, 3, 4) and all(isinstance(part, str) for part in kept):
            place = Place(*kept)
            return place if self.can_visit(place) else None
        return None

    def forget_last_place(self) -> None:
        """Begin at Home next time: a screen that ends the console would end the next one, too."""
        self.memory.put(None, "targets", self._target_name, "place")

    # Views

    @property
    def _target_name(self) -> str:
        """What is remembered is remembered for this: embedded, or AWS with its profile and region."""
        services = self.services
        return " ".join(part for part in (services.target, services.profile, services.region) if part)

    def remembered_view(self, place: str) -> View:
        """How the list of a place was looked at last time, on this target."""
        return View.from_dict(self.memory.get("targets", self._target_name, "lists", place))

    def remember_view(self, place: str, view: View) -> None:
        """Look at it so next time, too."""
        self.memory.put(view.as_dict(), "targets", self._target_name, "lists", place)

    def saved_views(self, place: str) -> dict[str, View]:
        """The views of a list that have a name."""
        saved = self.memory.get("views", place)
        return (
            {name: View.from_dict(value) for name, value in saved.items()} if isinstance(saved, dict) else {}
        )

    def save_view(self, place: str, name: str, view: View | None) -> None:
        """Give a view a name, or forget the view of a name (None)."""
        self.memory.put(None if view is None else view.as_dict() or {}, "views", place, name)

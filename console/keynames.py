"""How the keys of Textual are called where a person reads them."""

from __future__ import annotations

from textual.keys import key_to_character

NAMES = {
    "question_mark": "?", "colon": ":", "slash": "/", "enter": "Enter", "escape": "Esc", "up": "↑", "down": "↓",
    "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "tab": "Tab",
    "shift+tab": "Shift+Tab", "ctrl+q": "Ctrl+Q", "ctrl+c": "Ctrl+C", "ctrl+p": "Ctrl+P", "ctrl+l": "Ctrl+L", "ctrl+s": "Ctrl+S", "ctrl+z": "Ctrl+Z",
    "less_than_sign": "<", "greater_than_sign": ">", "space": "Space", "ctrl+d": "Ctrl+D", "ctrl+u": "Ctrl+U", "f1": "F1", "f2": "F2", "f3": "F3", "f9": "F9",
    "ctrl+n": "Ctrl+N", "left_square_bracket": "[", "right_square_bracket": "]", "backspace": "Backspace", "apostrophe": "'", "at": "@", "asterisk": "*", "ctrl+@": "Ctrl+Space", "ctrl+o": "Ctrl+O", "shift+up": "Shift+↑", "shift+down": "Shift+↓", "plus": "+", "minus": "-", "equals_sign": "=",
}  # fmt: skip


def key_name(key: str) -> str:
    """A key of Textual as a person reads it: ``?``, ``Enter``, ``Ctrl+X``, ``F5``."""
    if key in NAMES:
        return NAMES[key]
    *modifiers, last = key.split("+")
    if modifiers and last:
        return "+".join(
            [
                *(modifier.capitalize() for modifier in modifiers),
                key_name(last) if len(last) > 1 else last.upper(),
            ]
        )
    if len(key) > 1:
        return key_to_character(key) or key.capitalize()
    return key

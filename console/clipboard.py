"""A text into the clipboard of the person's own machine, through whatever stands between: SSH, tmux, GNU screen, one in the other.

OSC 52 asks the terminal for it, and is never answered. tmux (from 2.6 on) ignores a program that asks, unless ``set-clipboard`` is
``on``, but asks the terminal itself for what is loaded into its buffers: `copy`. GNU screen passes on what stands in a DCS of
at most 256 octets, and spills an OSC that is longer over the screen.
"""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence

LIMIT = 74_994
"""Octets of text that terminals take in one OSC 52 sequence of 100 000 characters of base64."""
PIECE = 250
"""Characters of a DCS that GNU screen 4 takes as a whole: its buffer has 256."""
WAIT = 2.0
"""Seconds that tmux is given: its server answers within milliseconds, or is stopped."""


def between(environment: Mapping[str, str] | None = None, *, terminal: str = "") -> Sequence[str]:
    """What stands between this program and the terminal, the nearest first: ``tmux``, ``screen``, both or nothing.

    Variables of both are there when one runs in the other: tmux is the nearest if ``terminal``, ours, is that of its pane.
    """
    variables = os.environ if environment is None else environment
    kind = variables.get("TERM", "")
    if variables.get("TMUX") and variables.get("STY"):
        pane = _tmux(variables, "display-message", "-p", "-t", variables.get("TMUX_PANE", ""), "#{pane_tty}")
        nearest_is_tmux = pane is not None and pane.strip() == terminal
        return ("tmux", "screen") if nearest_is_tmux else ("screen", "tmux")
    if variables.get("TMUX") or kind.startswith("tmux"):
        return ("tmux",)
    if variables.get("STY") or kind.startswith("screen"):  # the second: over SSH only TERM comes along
        return ("screen",)
    return ()


def sequence(text: str, layers: Sequence[str]) -> str:
    """The OSC 52 sequence for a text, wrapped for what stands between, the nearest first.

    Raises:
        ValueError: The text is longer than terminals accept.
    """
    data = text.encode(errors="replace")
    if len(data) > LIMIT:
        raise ValueError(f"{len(data):,} bytes are more than terminals take into the clipboard ({LIMIT:,}).")
    asked = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    for number, layer in enumerate(reversed(layers)):
        # The farthest tmux takes it as it is where set-clipboard is on, and passes it on where that is allowed.
        taken = asked if layer == "tmux" and number == 0 else ""
        asked = taken + (for_tmux(asked) if layer == "tmux" else for_screen(asked))
    return asked


def for_tmux(sequence: str) -> str:
    """A sequence that tmux passes on to its terminal, where ``allow-passthrough`` is on."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def for_screen(sequence: str) -> str:
    """A sequence that GNU screen passes on to its terminal, in pieces; none holds what would end it."""
    pieces, rest = [], sequence
    while rest:
        piece = rest[:PIECE]
        piece = piece.partition("\x1b\\")[0] + ("\x1b" if "\x1b\\" in piece else "")
        pieces.append(piece)
        rest = rest[len(piece) :]
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


def doubtful(text: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether nobody can tell if a text arrives: over SSH only ``TERM=screen`` comes along, which is what GNU screen at the other end
    calls itself, and what many a tmux there does. Each takes what would be spilled over the screen, or dropped, by the other; a short
    text is sent in both ways. ``screen.xterm-256color``, with a dot, is GNU screen's alone."""
    variables = os.environ if environment is None else environment
    kind = variables.get("TERM", "")
    named = variables.get("TMUX") or variables.get("STY") or kind.startswith("screen.")
    return kind.startswith("screen") and not named and len(sequence(text, ())) > PIECE


def copy(text: str, environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Copy a text; what the terminal has still to be sent for it, and how it goes there. Within tmux it may take `WAIT`.

    Raises:
        ValueError: The text is longer than terminals accept.
    """
    variables = os.environ if environment is None else environment
    layers = between(variables, terminal=_terminal())
    # A tmux in GNU screen would ask for the clipboard in a way that spills the text over the screen; -w is there from tmux 3.2 on.
    loads = variables.get("TMUX") and layers[-1] == "tmux"
    if loads and _tmux(variables, "load-buffer", "-w", "-", text=text) is not None:
        return "", "through tmux"
    asked = sequence(text, layers)
    if layers == ("screen",) and not variables.get("STY"):  # a tmux at home may call itself "screen", too
        plain = sequence(text, ())
        asked = (plain if len(plain) <= PIECE else "") + asked
    way = "if this is GNU screen" if doubtful(text, variables) else "through the terminal (OSC 52)"
    return asked, way


def _terminal() -> str:
    """The path of our own terminal."""
    with contextlib.suppress(OSError):
        return os.ttyname(0)
    return ""


def _tmux(variables: Mapping[str, str], *arguments: str, text: str = "") -> str | None:
    """What the tmux around prints, None if it cannot be asked."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["tmux", *arguments], input=text.encode(errors="replace"), capture_output=True, timeout=WAIT, check=False,
            env=dict(variables),
        )  # fmt: skip
        return None if done.returncode else done.stdout.decode(errors="replace")
    return None

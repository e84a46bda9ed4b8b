"""The fields of a form, one below the other."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll

from console import actions


class Fields(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Scrolls by itself to the field in focus, and by a page at a time.

    Up and Down are the form's: they go from field to field. A plain container would take them where it has something to scroll.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("fields"))

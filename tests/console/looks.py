"""In which sizes and themes every screen is pictured."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest


class Look(NamedTuple):
    """Columns and rows of the terminal, and a theme's name."""

    size: tuple[int, int]
    theme: str


_SIZES = ((80, 24), (120, 36), (160, 48))
_THEMES = {"mlconsole-dark": "", "mlconsole-light": "-light"}
_EVERY_TIME = {((80, 24), "mlconsole-dark"), ((160, 48), "mlconsole-light")}
"""The narrowest and the widest, in each theme; a picture takes about 0.8 s, and there are some 70 screens."""

LOOKS = [
    pytest.param(
        Look(size, theme),
        id=f"{size[0]}x{size[1]}{ending}",
        marks=() if (size, theme) in _EVERY_TIME else (pytest.mark.slow,),
    )
    for size, (theme, ending) in product(_SIZES, _THEMES.items())
]

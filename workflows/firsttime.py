"""Whether this is a person's first console, told once."""

from __future__ import annotations

import os

from workflows import locations


def first_time() -> bool:
    """True at the first call on this machine, False ever after. Where nothing can be remembered it is False: nobody wants to be welcomed each time."""
    folder = locations.state_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.close(os.open(folder / "welcomed", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return False
    return True

"""The statuses that training, transform and tuning jobs share."""

from __future__ import annotations

OPEN = ("InProgress", "Stopping")
"""A job in one of these is at work, and is taken up again after a restart."""
ENDED = ("Completed", "Failed", "Stopped")
"""A job stays in these."""

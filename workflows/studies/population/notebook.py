"""What the course's notebook printed for this study, on the same data: the first is the executed solution, the second a later rerun."""

from __future__ import annotations

SINGULAR = (19.592, 13.036, 11.718, 10.180, 7.991)
EXPLAINED = {1: 0.321, 5: 0.718, 7: 0.80167}
"""Cumulated share of the variance by number of components."""
COMPONENTS, K = 7, 8
SIZES = ((994, 595, 449, 390, 339, 218, 141, 92), (838, 772, 460, 411, 307, 229, 106, 95))
"""Members of the clusters, in two runs with the same settings."""

"""Whose name a Host header has: a page whose name was rebound to loopback sends its own."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a Host header, with or without port, names this machine: an address of loopback, or localhost."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False

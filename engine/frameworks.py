"""Whether the framework on this machine is the one that an image's tag names."""

from __future__ import annotations

from functools import cache

_DISTRIBUTIONS = {
    "pytorch": ("torch",),
    "scikit-learn": ("scikit-learn",),
    "xgboost": ("xgboost", "xgboost-cpu"),
}


@cache
def installed(framework: str) -> str:
    """The version of a framework on this machine, without a build's suffix; "" when it is not here."""
    from importlib import metadata  # loads the email package, which the engine's start does not need

    for name in _DISTRIBUTIONS.get(framework, ()):
        try:
            return metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            continue
    return ""


def note(framework: str, version: str) -> str:
    """A sentence for the container's log when another version runs than the tag names, "" when it is that one or the tag names none."""
    if not version:
        return ""
    here = installed(framework)
    if not here:
        return f"The image has {framework} {version}; it is not installed on this machine."
    wanted = version.split(".")
    if here.split(".")[: len(wanted)] == wanted:
        return ""
    return f"The image has {framework} {version}; this machine's {framework} {here} runs in its place."

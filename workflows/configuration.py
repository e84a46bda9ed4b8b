"""The person's options: command-line flags over environment (``MLCONSOLE_*``) over the TOML file over defaults.

Importing this module is cheap, and so is `load` while nothing is configured: pydantic is imported only when a file, a
variable or a flag has to be validated.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from workflows import locations

Target = Literal["embedded", "aws"]
InterfaceName = Literal["low", "high"]


class ConfigurationError(Exception):
    """A value that cannot be used; the text names where it stands, its key, and what to do."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What every command shares. Empty texts and None mean "not set: find out or use the default"."""

    target: Target = "embedded"
    profile: str = ""
    region: str = ""
    role: str = ""
    bucket: str = ""
    interface: InterfaceName = "low"
    data_dir: str = ""
    engine_port: int | None = None
    engine_account_id: str = ""
    engine_access_key: str = ""
    engine_secret_key: str = ""
    engine_time_scale: float | None = None
    notify_by: str = "bell,title,desktop"
    notify_webhook: str = ""
    read_only: str = ""
    targets: str = ""

    @property
    def looks_only(self) -> bool:
        """Whether nothing may be changed at its target: ``read_only`` names the target, ``aws:PROFILE``, or ``all``."""
        from workflows.safety.permission import forbids

        return forbids(self.read_only, self.target, self.profile)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a run's manifest. Keys of the engine and the webhook, which is a secret, too, stay out of it."""
        values = asdict(self)
        values.pop("engine_access_key")
        values.pop("engine_secret_key")
        values.pop("notify_webhook")
        values.pop("targets")  # a run works at one
        values.pop("read_only")  # what may be changed is asked when it is to be changed
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Configuration:
        """The configuration that `as_dict` wrote; unknown members are dropped."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


def load(flags: dict[str, Any] | None = None, *, file: Path | None = None) -> Configuration:
    """The configuration in force. ``flags`` with the value None count as not given.

    Raises:
        ConfigurationError: A value is out of its range, a key is unknown, or the file is not TOML.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    path = file or locations.config_file()
    in_environment = variables()
    plain = (
        in_environment.keys() <= {"data_dir", "read_only"} and in_environment.get("read_only", "all") == "all"
    )
    if not given and plain and not path.exists():
        return Configuration(**in_environment)  # type: ignore[arg-type]
    from workflows.options import validated

    return validated(given, path)


def variables() -> dict[str, str]:
    """The environment variables that set an option, by option name."""
    found = {}
    for field in fields(Configuration):
        value = os.environ.get(variable(field.name))
        if value is not None:
            found[field.name] = value
    return found


def variable(option: str) -> str:
    """The environment variable of an option, for example MLCONSOLE_TARGET."""
    return f"MLCONSOLE_{option.upper()}"

"""Validation of the configuration with pydantic-settings; imported only when there is something to validate."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from workflows.configuration import Configuration, ConfigurationError, variable
from workflows.notices import unusable
from workflows.targets.entries import parse
from workflows.tomllines import line_of

TABLES = ("engine", "notify")
SECRETS = ("notify_webhook", "engine_access_key", "engine_secret_key")
"""Options whose values no message repeats."""
ALLOWED = {
    "region": "a region is written as eu-west-1",
    "bucket": "a bucket has 3 to 63 small letters, digits, dots and dashes",
    "engine_account_id": "it has 12 digits",
    "engine_access_key": "it has 16 to 128 letters and digits",
    "notify_by": "it is none, or some of bell, title and desktop, with commas",
    "read_only": "it is all, none, embedded, aws or aws:PROFILE, several with commas",
}
"""What a pattern means."""


class _Options(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MLCONSOLE_", extra="forbid", env_ignore_empty=True)

    target: Literal["embedded", "aws"] = "embedded"
    profile: str = ""
    region: str = Field(default="", pattern=r"^([a-z]{2}(-[a-z]+)+-\d+)?$")
    role: str = ""
    bucket: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$")
    interface: Literal["low", "high"] = "low"
    data_dir: str = ""
    engine_port: int | None = Field(default=None, ge=0, le=65535)
    engine_account_id: str = Field(default="", pattern=r"^(\d{12})?$")
    engine_access_key: str = Field(default="", pattern=r"^([A-Za-z0-9]{16,128})?$")
    engine_secret_key: str = ""
    engine_time_scale: float | None = Field(default=None, ge=0, le=1)
    notify_by: str = Field(
        default="bell,title,desktop", pattern=r"^(none|(bell|title|desktop)(,(bell|title|desktop))*)$"
    )
    notify_webhook: str = ""
    read_only: str = Field(
        default="", pattern=r"^((none|all|embedded|aws(:[^\s,*?]+)?)(,(all|embedded|aws(:[^\s,*?]+)?))*)?$"
    )

    targets: str = ""

    @field_validator("read_only", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        """``true`` and ``false`` are understood, too, and a list of targets."""
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return ",".join(value)
        return {"true": "all", "1": "all", "yes": "all", "false": "none", "0": "none", "no": "none"}.get(
            str(value).lower(), value
        )

    @field_validator("targets", "notify_by", mode="before")
    @classmethod
    def _joined(cls, value: Any) -> Any:
        """A list is understood, too."""
        return (
            ",".join(value)
            if isinstance(value, list) and all(isinstance(one, str) for one in value)
            else value
        )

    @field_validator("notify_by", mode="before")
    @classmethod
    def _close(cls, value: Any) -> Any:
        """Spaces after the commas mean nothing."""
        return value.replace(" ", "") if isinstance(value, str) else value

    @field_validator("notify_webhook")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if value and (why := unusable(value)):
            raise ValueError(why)
        return value

    @field_validator("targets")
    @classmethod
    def _each_a_target(cls, value: str) -> str:
        parse(value)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _File(settings_cls)


class _File(PydanticBaseSettingsSource):
    """The TOML file; members of its ``[engine]`` table are the options named ``engine_…``, and so for all `TABLES`."""

    path = Path()

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return _read(type(self).path)


def validated(flags: dict[str, Any], path: Path) -> Configuration:
    """The configuration from flags, environment and the file at ``path``.

    Raises:
        ConfigurationError: Names the source, the key, the value and what is allowed.
    """
    in_file = _read(path)
    _File.path = path
    try:
        return Configuration(**_Options(**flags).model_dump())
    except ValidationError as error:
        raise ConfigurationError(
            "; ".join(_sentence(item, flags, in_file, path) for item in error.errors())
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} is not TOML: {error}. Correct that line, or remove the file."
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    for table in TABLES:
        inner = data.pop(table, {})
        if not isinstance(inner, dict):
            raise ConfigurationError(f"{path}: {table} must be a table, written [{table}].")
        data |= {f"{table}_{name}": value for name, value in inner.items()}
    return data


def _sentence(item: Any, flags: dict[str, Any], in_file: dict[str, Any], path: Path) -> str:
    name = str(item["loc"][0]) if item["loc"] else ""
    table = next((table for table in TABLES if name.startswith(f"{table}_")), "")
    key = f"{table}.{name.removeprefix(f'{table}_')}" if table else name
    if name in flags:
        where = f"--{name.replace('_', '-')}"
    elif name in in_file and item["type"] == "extra_forbidden":
        known = ", ".join(field for field in _Options.model_fields)
        return f"{_at(path, key)}: there is no option {key!r}. Options: {known}"
    elif name in in_file and in_file[name] == item["input"]:
        where = f"{_at(path, key)}: {key}"
    else:
        where = f"the environment variable {variable(name)}"
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "string_pattern_mismatch":
        message = ALLOWED.get(name, message)
    wrong = "used" if name in SECRETS else repr(item["input"])
    return f"{where} cannot be {wrong}: {message[:1].lower()}{message[1:]}. Correct it or remove it."


def _at(path: Path, key: str) -> str:
    """The file, and the line where it can be told."""
    line = line_of(path.read_text(encoding="utf-8"), key)
    return f"{path}, line {line}" if line else str(path)

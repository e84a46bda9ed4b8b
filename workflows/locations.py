"""Where mlconsole keeps things on this machine: platformdirs paths, each movable by an environment variable."""

from __future__ import annotations

import os
from pathlib import Path

HOME = "MLCONSOLE_HOME"
"""Moves everything at once: ``config``, ``data``, ``cache`` and ``state`` lie below it."""


def config_dir() -> Path:
    """The configuration file, the keymap and own themes."""
    return _folder("MLCONSOLE_CONFIG_DIR", "config")


def store_dir() -> Path:
    """What must survive: the embedded SageMaker's objects, jobs and models lie below it.

    Its variable is MLCONSOLE_STORE_DIR; MLCONSOLE_DATA_DIR names a folder with real data sets instead.
    """
    return _folder("MLCONSOLE_STORE_DIR", "data")


data_dir = store_dir


def cache_dir() -> Path:
    """What can be fetched or computed again."""
    return _folder("MLCONSOLE_CACHE_DIR", "cache")


def state_dir() -> Path:
    """Logs, crash reports, runs, the last known state of the screens."""
    return _folder("MLCONSOLE_STATE_DIR", "state")


def engine_dir() -> Path:
    """The embedded SageMaker's data directory."""
    moved = os.environ.get("MLCONSOLE_ENGINE_DIR")
    return _absolute(moved) if moved else store_dir() / "engine"


def runs_dir() -> Path:
    """One folder per run of a study."""
    moved = os.environ.get("MLCONSOLE_RUNS_DIR")
    return _absolute(moved) if moved else state_dir() / "runs"


def rollouts_dir() -> Path:
    """Where rollouts are written down, a folder each."""
    return state_dir() / "rollouts"


def experiments_dir() -> Path:
    """One folder per A/B test: what it is and everything that happened in it."""
    moved = os.environ.get("MLCONSOLE_EXPERIMENTS_DIR")
    return _absolute(moved) if moved else store_dir() / "experiments"


def config_file() -> Path:
    """The TOML configuration file; it need not exist."""
    return config_dir() / "config.toml"


def keymap_file() -> Path:
    """The TOML file with a person's own keys; it need not exist."""
    moved = os.environ.get("MLCONSOLE_KEYMAP")
    return _absolute(moved) if moved else config_dir() / "keymap.toml"


def themes_dir() -> Path:
    """A person's own themes, one TOML file each; it need not exist."""
    moved = os.environ.get("MLCONSOLE_THEMES_DIR")
    return _absolute(moved) if moved else config_dir() / "themes"


def memory_file() -> Path:
    """What the console remembers: columns, saved views, commands, the last place; JSON."""
    return state_dir() / "console.json"


def imported_dir() -> Path:
    """One folder per data set that the person imported."""
    moved = os.environ.get("MLCONSOLE_IMPORTED_DIR")
    return _absolute(moved) if moved else store_dir() / "datasets"


def fetched_dir() -> Path:
    """One folder per data set that was fetched; the built-in samples lie beside them."""
    moved = os.environ.get("MLCONSOLE_FETCHED_DIR")
    return _absolute(moved) if moved else cache_dir() / "datasets"


def datasets_dir() -> Path | None:
    """The folder with real data sets that MLCONSOLE_DATA_DIR names, or None."""
    named = os.environ.get("MLCONSOLE_DATA_DIR")
    return _absolute(named) if named else None


def as_table() -> list[tuple[str, Path, str]]:
    """(what, path, the variable that moves it), in the order in which a person reads them."""
    return [
        ("config", config_dir(), "MLCONSOLE_CONFIG_DIR"),
        ("keymap", keymap_file(), "MLCONSOLE_KEYMAP"),
        ("themes", themes_dir(), "MLCONSOLE_THEMES_DIR"),
        ("data", store_dir(), "MLCONSOLE_STORE_DIR"),
        ("engine", engine_dir(), "MLCONSOLE_ENGINE_DIR"),
        ("cache", cache_dir(), "MLCONSOLE_CACHE_DIR"),
        ("state", state_dir(), "MLCONSOLE_STATE_DIR"),
        ("runs", runs_dir(), "MLCONSOLE_RUNS_DIR"),
        ("experiments", experiments_dir(), "MLCONSOLE_EXPERIMENTS_DIR"),
        ("imported", imported_dir(), "MLCONSOLE_IMPORTED_DIR"),
        ("fetched", fetched_dir(), "MLCONSOLE_FETCHED_DIR"),
    ]


def _folder(variable: str, below_home: str) -> Path:
    moved = os.environ.get(variable)
    if moved:
        return _absolute(moved)
    home = os.environ.get(HOME)
    if home:
        return _absolute(home) / below_home
    import platformdirs

    paths = {
        "config": platformdirs.user_config_path,
        "data": platformdirs.user_data_path,
        "cache": platformdirs.user_cache_path,
        "state": platformdirs.user_state_path,
    }
    try:
        return Path(paths[below_home]("mlconsole", appauthor=False))
    except RuntimeError as error:
        raise _homeless() from error


def _absolute(path: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise _homeless() from error


def _homeless() -> Exception:
    """What to tell a user without HOME and without an entry in the password file, as containers have them."""
    from workflows.problem import Problem

    return Problem(
        "This user has no home directory.",
        f"Set {HOME} (or HOME) to a folder that mlconsole may write to.",
        "no-home",
    )

"""The account id and key pair of an engine: given, or generated on first start and kept in a file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
import string
from pathlib import Path
from typing import NamedTuple

_KEY_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"


class Credentials(NamedTuple):
    """The account that an engine plays."""

    account_id: str
    access_key: str
    secret_key: str


def load(path: Path, *, account_id: str = "", access_key: str = "", secret_key: str = "") -> Credentials:
    """The credentials kept at ``path``, with what is given in their place; what is missing is generated and kept.

    The account id stays as it is once resources bear it in their ARNs: it is random on first start, unless given.

    Raises:
        ValueError: Something given does not have AWS's form, or the file cannot be read.
    """
    if account_id and not (account_id.isascii() and account_id.isdigit() and len(account_id) == 12):
        raise ValueError(f"an account id has 12 digits, {account_id!r} has not")
    if bool(access_key) != bool(secret_key):
        raise ValueError("give --access-key and --secret-key together")
    if access_key and not (access_key.isascii() and access_key.isalnum() and 3 <= len(access_key) <= 128):
        raise ValueError("an access key has 3 to 128 letters and digits")
    kept = _read(path)
    made = Credentials(
        account_id or kept.get("account_id") or str(secrets.randbelow(900_000_000_000) + 100_000_000_000),
        access_key
        or kept.get("access_key")
        or "AKIA" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16)),
        secret_key or kept.get("secret_key") or "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(40)),
    )
    if made._asdict() != kept:
        write_private(path, json.dumps(made._asdict(), indent=2) + "\n")
    return made


def _read(path: Path) -> dict[str, str]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(
            f"{path} is damaged ({error}); delete it to have new credentials generated"
        ) from error
    if not isinstance(loaded, dict):
        raise ValueError(f"{path} is damaged; delete it to have new credentials generated")
    return {name: value for name, value in loaded.items() if isinstance(value, str)}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

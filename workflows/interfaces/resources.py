"""Resources of sagemaker.core: find one, and read it as boto3 would describe it."""

from __future__ import annotations

from typing import Any

from workflows.interfaces.absence import absent

_WORDS = {"Mb": "MB", "Gb": "GB", "S3": "S3"}


def found(resource: Any, where: dict[str, Any], **name: str) -> Any:
    """The resource of a name, or None when there is none."""
    from botocore.exceptions import ClientError

    try:
        return resource.get(**name, **where)
    except ClientError as error:
        if absent(error):
            return None
        raise


def described(resource: Any) -> dict[str, Any]:
    """A resource's members under the names that the API has for them; what is not set is left out."""
    from sagemaker.core.utils.utils import serialize

    members: dict[str, Any] = serialize(dict(resource.__dict__))
    return {
        "".join(_WORDS.get(word, word) for word in (part.title() for part in name.split("_"))): value
        for name, value in members.items()
    }

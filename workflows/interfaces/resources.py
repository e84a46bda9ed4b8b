"""Resources of sagemaker.core: find one, and read it as boto3 would describe it."""

from __future__ import annotations

import re
from typing import Any

from workflows.interfaces.absence import absent


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
    """A resource's members under the names that the API has for them; what is not set is left out.

    The SDK's own `serialize` is not used: it drops zeros and False from nested structures, an objective value of 0 too.
    """
    from sagemaker.core.utils.utils import Unassigned, snake_to_pascal

    def document(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: document(item) for name, item in value.items()}
        if isinstance(value, list):
            return [document(item) for item in value]
        if hasattr(value, "model_fields_set"):
            return {
                re.sub("In(M|G)b$", r"In\1B", snake_to_pascal(name)): document(item)
                for name, item in vars(value).items()
                if item is not None and not isinstance(item, Unassigned)
            }
        return value

    members: dict[str, Any] = document(resource)
    return members

"""What is stored of REST APIs, and how it is found, with API Gateway's words for what is not there."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError
from engine.store import Exists, Filter, Missing, Resource

if TYPE_CHECKING:
    from engine.context import Engine

API = "rest-api"
"""Document: ``Api`` (what GetRestApi answers), ``Resources`` by id (with methods and integrations inside, as GetResource answers
them with ``embed=methods``), ``Responses`` (customised gateway responses by type), ``Validators`` by id."""
DEPLOYMENT = "rest-deployment"
"""Name ``API/ID``, parent the API. Document: ``Deployment`` (what GetDeployment answers), ``Snapshot`` (resources, responses and
media types as they were)."""
STAGE = "rest-stage"
"""Name ``API/STAGE``, parent the API. Document: what GetStage answers."""

_ALPHABET = string.ascii_lowercase + string.digits
Document = dict[str, Any]


def new_id(length: int = 10) -> str:
    """A random id: 10 characters for an API (52 bits, it is all that a public URL has to hide), 6 within one."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def refused(message: str) -> ServiceError:
    """``BadRequestException``."""
    return ServiceError("BadRequestException", message)


def missing(message: str) -> ServiceError:
    """``NotFoundException``."""
    return ServiceError("NotFoundException", message, 404)


def conflict(message: str) -> ServiceError:
    """``ConflictException``."""
    return ServiceError("ConflictException", message, 409)


def api(engine: Engine, api_id: str) -> Resource:
    """The API.

    Raises:
        ServiceError: ``NotFoundException``.
    """
    found = engine.store.find(API, api_id)
    if found is None:
        raise _no_api(engine, api_id)
    return found


def change(engine: Engine, api_id: str, alter: Callable[[Document], None]) -> Document:
    """Change an API's document in one transaction; the new document.

    Raises:
        ServiceError: ``NotFoundException``, or what ``alter`` raises.
    """
    try:
        return engine.store.update(API, api_id, alter, now=engine.clock.time()).document
    except Missing as error:
        raise _no_api(engine, api_id) from error


def resource(document: Document, resource_id: str) -> Document:
    """A resource within an API's document.

    Raises:
        ServiceError: ``NotFoundException``.
    """
    found: Document | None = document["Resources"].get(resource_id)
    if found is None:
        raise missing("Invalid Resource identifier specified")
    return found


def method(document: Document, resource_id: str, name: str) -> Document:
    """A method of a resource.

    Raises:
        ServiceError: ``NotFoundException``.
    """
    found: Document | None = resource(document, resource_id).get("resourceMethods", {}).get(name.upper())
    if found is None:
        raise missing("Invalid Method identifier specified")
    return found


def integration(document: Document, resource_id: str, name: str) -> Document:
    """A method's integration.

    Raises:
        ServiceError: ``NotFoundException``.
    """
    found: Document | None = method(document, resource_id, name).get("methodIntegration")
    if found is None:
        raise missing("Invalid Integration identifier specified")
    return found


def validator(document: Document, validator_id: str) -> Document:
    """A request validator.

    Raises:
        ServiceError: ``NotFoundException``.
    """
    found: Document | None = document.get("Validators", {}).get(validator_id)
    if found is None:
        raise missing("Invalid Request Validator identifier specified")
    return found


def deployment(engine: Engine, api_id: str, deployment_id: str) -> Resource:
    """A deployment of an API.

    Raises:
        ServiceError: ``NotFoundException``.
    """
    api(engine, api_id)
    found = engine.store.find(DEPLOYMENT, f"{api_id}/{deployment_id}")
    if found is None:
        raise missing("Invalid Deployment identifier specified")
    return found


def stage(engine: Engine, api_id: str, name: str) -> Resource:
    """A stage of an API.

    Raises:
        ServiceError: ``NotFoundException``.
    """
    api(engine, api_id)
    found = engine.store.find(STAGE, f"{api_id}/{name}")
    if found is None:
        raise missing("Invalid stage identifier specified")
    return found


def stages(engine: Engine, api_id: str) -> list[Document]:
    """An API's stages by name."""
    rows = engine.store.select(STAGE, [Filter("parent", "=", api_id)], sort_by="name")
    return [row.document for row in rows]


def create(engine: Engine, kind: str, name: str, document: Document, *, parent: str = "", taken: str) -> None:
    """Store something new.

    Raises:
        ServiceError: ``ConflictException`` with ``taken``.
    """
    try:
        engine.store.create(kind, name, document, now=engine.clock.time(), parent=parent)
    except Exists as error:
        raise conflict(taken) from error


def delete(engine: Engine, api_id: str) -> None:
    """Delete an API with its deployments and stages."""
    for kind in (STAGE, DEPLOYMENT):
        for row in engine.store.select(kind, [Filter("parent", "=", api_id)]):
            engine.store.delete(kind, row.name)
    engine.store.delete(API, api_id)


def _no_api(engine: Engine, api_id: str) -> ServiceError:
    return missing(f"Invalid API identifier specified {engine.settings.account_id}:{api_id}")

"""Lambda functions: created, read, listed, changed, deleted."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.functions import names, record
from engine.functions.names import LATEST, conflict, function_arn, invalid
from engine.functions.packages import Package
from engine.functions.record import ALIAS, FUNCTION, VERSION
from engine.http import Request
from engine.registry import operation
from engine.services.functions import checks, code
from engine.services.functions.paging import page
from engine.services.functions.publishing import publish
from engine.store import Exists, Resource

Params = dict[str, Any]
_KEPT = (
    "Role",
    "Handler",
    "Runtime",
    "Description",
    "Timeout",
    "MemorySize",
    "KMSKeyArn",
    "EphemeralStorage",
)
"""Members that a configuration has as they were sent."""


@operation("lambda", "CreateFunction")
async def create_function(engine: Engine, request: Request, params: Params) -> Params:
    """Keep the package, then the function; it can be invoked when the answer is there."""
    asked = names.reference(engine.settings, params["FunctionName"])
    if asked.qualifier:
        raise invalid("The function name must not have a qualifier.")
    checks.offered(params)
    if not params.get("Runtime") or not params.get("Handler"):
        raise invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    checks.runtime(params["Runtime"])
    checks.role(engine, params["Role"])
    checks.variables(params.get("Environment"))
    if engine.store.find(FUNCTION, asked.name) is not None:
        raise conflict(f"Function already exist: {asked.name}")
    async with engine.functions.packaging:
        package = await code.kept(engine, params["Code"], "CreateFunction")
        layers, digests = checks.layers(engine, params.get("Layers") or [], package.unpacked)
        configuration = _configuration(engine, asked.name, params, package, layers)
        document = {
            "Configuration": configuration,
            "Package": package.digest,
            "Unpacked": package.unpacked,
            "Layers": digests,
            "Tags": params.get("Tags") or {},
            "Reserved": None,
            "NextVersion": 1,
            "Policies": {},
            "EventConfigs": {},
        }
        try:
            engine.store.create(FUNCTION, asked.name, document, now=engine.clock.time())
        except Exists as error:
            raise conflict(f"Function already exist: {asked.name}") from error
    shown = publish(engine, asked.name) if params.get("Publish") else configuration
    return {
        **shown,
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "LastUpdateStatus": None,
    }


@operation("lambda", "GetFunction")
async def get_function(engine: Engine, request: Request, params: Params) -> Params:
    """A version's configuration, where its package can be fetched, and the function's tags and concurrency."""
    found = record.target(
        engine, names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    )
    home = record.function(engine, found.name).document
    reserved = home["Reserved"]
    return {
        "Configuration": _as_asked(found),
        "Code": {"RepositoryType": "S3", "Location": code.url(engine, found.package)},
        "Tags": home["Tags"] or None,
        "Concurrency": {"ReservedConcurrentExecutions": reserved} if reserved is not None else None,
    }


@operation("lambda", "GetFunctionConfiguration")
async def get_function_configuration(engine: Engine, request: Request, params: Params) -> Params:
    """A version's configuration."""
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    return _as_asked(record.target(engine, asked))


@operation("lambda", "ListFunctions")
async def list_functions(engine: Engine, request: Request, params: Params) -> Params:
    """Functions by name, with ``FunctionVersion=ALL`` every version of them."""
    rows: list[Resource] = engine.store.select(FUNCTION, sort_by="name", shared=True)
    items = [(row.name, row.document["Configuration"]) for row in rows]
    if params.get("FunctionVersion") == "ALL":
        items = [
            (f"{name}:", {**shown, "FunctionArn": f"{shown['FunctionArn']}:{LATEST}"})
            for name, shown in items
        ]
        for row in engine.store.select(VERSION, shared=True):
            number = int(row.document["Configuration"]["Version"])
            items.append((f"{row.parent}:{number:010d}", row.document["Configuration"]))
    return page(engine, request, params, items, "Functions")


@operation("lambda", "UpdateFunctionCode")
async def update_function_code(engine: Engine, request: Request, params: Params) -> Params:
    """Another package; ``DryRun`` only checks it."""
    asked = names.reference(engine.settings, params["FunctionName"])
    home = record.function(engine, asked.name).document
    checks.matches(params.get("RevisionId"), home["Configuration"])
    async with engine.functions.packaging:
        package = await code.kept(engine, params, "UpdateFunctionCode")
        arns = [layer["Arn"] for layer in home["Configuration"].get("Layers", ())]
        checks.layers(engine, arns, package.unpacked) if arns and _all_there(engine, arns) else None
        told = {"CodeSha256": package.sha256, "CodeSize": package.size}
        if params.get("Architectures"):
            told["Architectures"] = params["Architectures"]
        if params.get("DryRun"):
            return {**home["Configuration"], **told}

        def change(document: Params) -> None:
            checks.matches(params.get("RevisionId"), document["Configuration"])
            document["Configuration"] |= told | _touched(engine)
            document["Package"], document["Unpacked"] = package.digest, package.unpacked

        configuration = _changed(engine, asked.name, change)
    await engine.functions.forget(asked.name, LATEST)
    engine.functions.spawn(engine.functions.sweep())
    shown = publish(engine, asked.name) if params.get("Publish") else configuration
    return {**shown, "LastUpdateStatus": "InProgress"}


@operation("lambda", "UpdateFunctionConfiguration")
async def update_function_configuration(engine: Engine, request: Request, params: Params) -> Params:
    """Another configuration of $LATEST; what is not named stays."""
    asked = names.reference(engine.settings, params["FunctionName"])
    home = record.function(engine, asked.name).document
    checks.matches(params.get("RevisionId"), home["Configuration"])
    checks.offered(params)
    if params.get("Runtime"):
        checks.runtime(params["Runtime"])
    if params.get("Role"):
        checks.role(engine, params["Role"])
    checks.variables(params.get("Environment"))
    layers = None
    if params.get("Layers") is not None:
        layers = checks.layers(engine, params["Layers"], home["Unpacked"])

    def change(document: Params) -> None:
        configuration = document["Configuration"]
        checks.matches(params.get("RevisionId"), configuration)
        configuration |= {name: params[name] for name in _KEPT if params.get(name) is not None}
        if params.get("Environment") is not None:
            configuration.pop("Environment", None)
            configuration |= _environment(params)
        if params.get("TracingConfig"):
            configuration["TracingConfig"] = params["TracingConfig"]
        if params.get("LoggingConfig"):
            configuration["LoggingConfig"] = _logging(asked.name, params)
        if layers is not None:
            document["Layers"] = layers[1]
            configuration.pop("Layers", None)
            configuration |= {"Layers": layers[0]} if layers[0] else {}
        configuration |= _touched(engine)

    configuration = _changed(engine, asked.name, change)
    await engine.functions.forget(asked.name, LATEST)
    return {**configuration, "LastUpdateStatus": "InProgress"}


@operation("lambda", "DeleteFunction")
async def delete_function(engine: Engine, request: Request, params: Params) -> Params:
    """Delete a function with its versions and aliases, or one version that no alias leads to."""
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    record.function(engine, asked.name)
    if asked.qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if asked.qualifier:
        await _delete_version(engine, asked)
        return {"StatusCode": 204}
    for kind in (ALIAS, VERSION):
        for row in engine.store.select(kind):
            if row.parent == asked.name:
                engine.store.delete(kind, row.name)
    engine.store.delete(FUNCTION, asked.name)
    engine.functions.events.drop(asked.name)
    await engine.functions.forget(asked.name)
    engine.functions.spawn(engine.functions.sweep())
    return {"StatusCode": 204}


@operation("lambda", "GetFunctionCodeSigningConfig")
async def get_function_code_signing_config(engine: Engine, request: Request, params: Params) -> Params:
    """No function has one: what reads a function wholly (Terraform) asks for it."""
    name = names.reference(engine.settings, params["FunctionName"]).name
    record.function(engine, name)
    return {"CodeSigningConfigArn": "", "FunctionName": name}


@operation("lambda", "GetRuntimeManagementConfig")
async def get_runtime_management_config(engine: Engine, request: Request, params: Params) -> Params:
    """The runtime is what the engine runs on, and changes with it."""
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    return {"UpdateRuntimeOn": "Auto", "FunctionArn": record.target(engine, asked).arn}


async def _delete_version(engine: Engine, asked: names.Reference) -> None:
    if not record.is_version(asked.qualifier):
        raise invalid("Deletion of aliases is not currently supported. Use DeleteAlias to delete an alias.")
    for alias in record.aliases(engine, asked.name):
        weights = (alias.document.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        if asked.qualifier in (alias.document["FunctionVersion"], *weights):
            raise conflict(
                f"Cannot delete version {asked.qualifier}: the alias {alias.document['Name']} references it."
            )
    if not engine.store.delete(VERSION, f"{asked.name}:{asked.qualifier}"):
        return  # As on Lambda: deleting a version that is not there is no error.
    await engine.functions.forget(asked.name, asked.qualifier)
    engine.functions.spawn(engine.functions.sweep())


def _configuration(
    engine: Engine, name: str, params: Params, package: Package, layers: list[Params]
) -> Params:
    configuration = {
        "FunctionName": name,
        "FunctionArn": function_arn(engine.settings, name),
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "EphemeralStorage": {"Size": 512},
        **{key: params[key] for key in _KEPT if params.get(key) is not None},
        "CodeSha256": package.sha256,
        "CodeSize": package.size,
        "Version": LATEST,
        "TracingConfig": params.get("TracingConfig") or {"Mode": "PassThrough"},
        "State": "Active",
        "PackageType": "Zip",
        "Architectures": params.get("Architectures") or ["x86_64"],
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": _logging(name, params),
        **_environment(params),
        **_touched(engine),
    }
    return {**configuration, "Layers": layers} if layers else configuration


def _environment(params: Params) -> Params:
    variables = (params.get("Environment") or {}).get("Variables")
    return {"Environment": {"Variables": variables}} if variables else {}


def _logging(name: str, params: Params) -> Params:
    told = params.get("LoggingConfig") or {}
    return {"LogFormat": "Text", "LogGroup": told.get("LogGroup") or f"/aws/lambda/{name}"}


def _touched(engine: Engine) -> Params:
    return {
        "LastModified": record.moment(engine.clock.time()),
        "RevisionId": record.revision(),
        "LastUpdateStatus": "Successful",
    }


def _changed(engine: Engine, name: str, change: Any) -> Params:
    changed = engine.store.update(FUNCTION, name, change, now=engine.clock.time())
    configuration: Params = changed.document["Configuration"]
    return configuration


def _as_asked(found: record.Target) -> Params:
    """The configuration with the ARN that it was asked by: an alias's, a version's, or the function's own."""
    return {**found.configuration, "FunctionArn": found.arn}


def _all_there(engine: Engine, arns: list[str]) -> bool:
    """A deleted layer version goes on working in the functions that have it, and cannot be measured."""
    told = [names.layer(engine.settings, arn) for arn in arns]
    return all(engine.store.find(record.LAYER, record.layer_name(*one)) is not None for one in told)

"""Concurrency of functions, how their asynchronous invocations are tried again, and the account's limits."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.functions import names, record
from engine.functions.events import OLDEST_SECONDS, RETRIES
from engine.functions.names import LATEST, function_arn, invalid, missing
from engine.functions.packages import UNZIPPED_LIMIT, ZIP_LIMIT
from engine.functions.record import FUNCTION, LAYER, VERSION
from engine.functions.supervisor import ACCOUNT_LIMIT, UNRESERVED
from engine.http import Request
from engine.registry import operation
from engine.services.functions.paging import page

Params = dict[str, Any]
_CODE_STORAGE = 80_530_636_800


@operation("lambda", "PutFunctionConcurrency")
async def put_function_concurrency(engine: Engine, request: Request, params: Params) -> Params:
    """Reserve concurrency: the function may run so often at a time, whatever the others do; 0 stops it."""
    name = _function(engine, params)
    reserved = params["ReservedConcurrentExecutions"]
    if ACCOUNT_LIMIT - engine.functions.reserved(but=name) - reserved < UNRESERVED:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
            f"minimum value of [{UNRESERVED}]."
        )
    _change(engine, name, lambda document: document.update(Reserved=reserved))
    return {"ReservedConcurrentExecutions": reserved}


@operation("lambda", "GetFunctionConcurrency")
async def get_function_concurrency(engine: Engine, request: Request, params: Params) -> Params:
    """What is reserved, if anything."""
    document = record.function(engine, _function(engine, params)).document
    return {"ReservedConcurrentExecutions": document["Reserved"]}


@operation("lambda", "DeleteFunctionConcurrency")
async def delete_function_concurrency(engine: Engine, request: Request, params: Params) -> Params:
    """Reserve nothing."""
    _change(engine, _function(engine, params), lambda document: document.update(Reserved=None))
    return {}


@operation("lambda", "PutFunctionEventInvokeConfig")
async def put_function_event_invoke_config(engine: Engine, request: Request, params: Params) -> Params:
    """How often and how long asynchronous invocations are tried; what is not named has its default."""
    return _put(engine, params, {})


@operation("lambda", "UpdateFunctionEventInvokeConfig")
async def update_function_event_invoke_config(engine: Engine, request: Request, params: Params) -> Params:
    """As `put_function_event_invoke_config`; what is not named stays."""
    return _put(engine, params, _config(engine, params))


@operation("lambda", "GetFunctionEventInvokeConfig")
async def get_function_event_invoke_config(engine: Engine, request: Request, params: Params) -> Params:
    """How asynchronous invocations of a function, a version or an alias are tried."""
    return _config(engine, params)


@operation("lambda", "ListFunctionEventInvokeConfigs")
async def list_function_event_invoke_configs(engine: Engine, request: Request, params: Params) -> Params:
    """All such configurations of a function."""
    configs = record.function(engine, _function(engine, params)).document["EventConfigs"]
    return page(engine, request, params, list(configs.items()), "FunctionEventInvokeConfigs")


@operation("lambda", "DeleteFunctionEventInvokeConfig")
async def delete_function_event_invoke_config(engine: Engine, request: Request, params: Params) -> Params:
    """Back to two retries within six hours."""
    _config(engine, params)
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    _change(engine, asked.name, lambda document: document["EventConfigs"].pop(asked.qualifier or LATEST))
    return {}


@operation("lambda", "GetAccountSettings")
async def get_account_settings(engine: Engine, request: Request, params: Params) -> Params:
    """Limits, and what is used of them."""
    functions = engine.store.select(FUNCTION, shared=True)
    sizes = [
        row.document["Configuration"]["CodeSize"]
        for row in [*functions, *engine.store.select(VERSION, shared=True)]
    ]
    sizes += [row.document["Content"]["CodeSize"] for row in engine.store.select(LAYER, shared=True)]
    return {
        "AccountLimit": {
            "TotalCodeSize": _CODE_STORAGE,
            "CodeSizeUnzipped": UNZIPPED_LIMIT,
            "CodeSizeZipped": ZIP_LIMIT,
            "ConcurrentExecutions": ACCOUNT_LIMIT,
            "UnreservedConcurrentExecutions": ACCOUNT_LIMIT - engine.functions.reserved(),
        },
        "AccountUsage": {"TotalCodeSize": sum(sizes), "FunctionCount": len(functions)},
    }


def _function(engine: Engine, params: Params) -> str:
    name = names.reference(engine.settings, params["FunctionName"]).name
    record.function(engine, name)
    return name


def _change(engine: Engine, name: str, change: Any) -> None:
    def apply(document: Params) -> None:
        change(document)

    engine.store.update(FUNCTION, name, apply, now=engine.clock.time())


def _config(engine: Engine, params: Params) -> Params:
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    record.must_have(engine, asked)
    configs = record.function(engine, asked.name).document["EventConfigs"]
    found: Params | None = configs.get(asked.qualifier or LATEST)
    if found is None:
        arn = function_arn(engine.settings, asked.name, asked.qualifier or LATEST)
        raise missing(f"The function {arn} doesn't have an EventInvokeConfig")
    return found


def _put(engine: Engine, params: Params, kept: Params) -> Params:
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    record.must_have(engine, asked)
    destinations = params.get("DestinationConfig") or {}
    if any((destinations.get(when) or {}).get("Destination") for when in ("OnSuccess", "OnFailure")):
        raise invalid(
            "DestinationConfig: this engine does not send the results of asynchronous invocations on; leave it out."
        )
    config = {
        "LastModified": engine.clock.time(),
        "FunctionArn": function_arn(engine.settings, asked.name, asked.qualifier or LATEST),
        "MaximumRetryAttempts": RETRIES,
        "MaximumEventAgeInSeconds": OLDEST_SECONDS,
        **{name: kept[name] for name in kept if name.startswith("Maximum")},
        **{name: params[name] for name in params if name.startswith("Maximum") and params[name] is not None},
    }
    key = asked.qualifier or LATEST
    _change(engine, asked.name, lambda document: document["EventConfigs"].update({key: config}))
    return config

"""Rollouts through the SageMaker SDK v3: its resources make the configuration and update the endpoint.

The SDK has no alarms: they are CloudWatch's, and boto3's in both interfaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workflows.explain import explain
from workflows.interfaces.resources import described, found
from workflows.interfaces.rollouts.low import LowRollouts

if TYPE_CHECKING:
    from workflows.platform import Platform


class HighRollouts(LowRollouts):
    """See `workflows.interfaces.rollouts.base.Rollouts` for what each method does."""

    name = "high"

    def __init__(self, platform: Platform, session: Any) -> None:
        super().__init__(platform)
        self._session = session
        self._where: dict[str, Any] = {"session": platform.session, "region": platform.region}

    def make_model(self, document: Mapping[str, Any]) -> None:
        from sagemaker.core.resources import Model

        self._create(Model, "CreateModelRequest", "create_model", document)

    def make_configuration(self, document: Mapping[str, Any]) -> None:
        from sagemaker.core.resources import EndpointConfig

        self._create(EndpointConfig, "CreateEndpointConfigInput", "create_endpoint_config", document)

    def make_endpoint(self, document: Mapping[str, Any]) -> None:
        from sagemaker.core.resources import Endpoint

        self._create(Endpoint, "CreateEndpointInput", "create_endpoint", document)

    def update(self, document: Mapping[str, Any]) -> None:
        from sagemaker.core.resources import Endpoint
        from sagemaker.core.utils.code_injection.codec import transform

        with self._explained():
            if lossy(document):
                self._session.sagemaker_client.update_endpoint(**document)
                return
            asked = transform(dict(document), "UpdateEndpointInput")
            endpoint = Endpoint.get(asked.pop("endpoint_name"), **self._where)
            endpoint.endpoint_config_name = asked.pop("endpoint_config_name")
            endpoint.update(**asked)

    def weigh(
        self, endpoint: str, weights: Mapping[str, float], counts: Mapping[str, int] | None = None
    ) -> None:
        sizes = counts or {}
        if not all((*weights.values(), *sizes.values())):
            super().weigh(endpoint, weights, sizes)  # the SDK's serializer drops zeros
            return
        from sagemaker.core.resources import Endpoint
        from sagemaker.core.shapes import DesiredWeightAndCapacity

        with self._explained():
            Endpoint.get(endpoint, **self._where).update_weights_and_capacities(
                [
                    DesiredWeightAndCapacity(
                        variant_name=name,
                        **({"desired_weight": weights[name]} if name in weights else {}),
                        **({"desired_instance_count": sizes[name]} if name in sizes else {}),
                    )
                    for name in dict.fromkeys((*weights, *sizes))
                ],
                **self._where,
            )

    def describe(self, endpoint: str) -> dict[str, Any] | None:
        from sagemaker.core.resources import Endpoint

        return self._resource(Endpoint, endpoint_name=endpoint)

    def configuration(self, name: str) -> dict[str, Any] | None:
        from sagemaker.core.resources import EndpointConfig

        return self._resource(EndpointConfig, endpoint_config_name=name)

    def model_exists(self, name: str) -> bool:
        from sagemaker.core.resources import Model

        return self._resource(Model, model_name=name) is not None

    def delete_configuration(self, name: str) -> bool:
        from sagemaker.core.resources import EndpointConfig

        return self._delete(EndpointConfig, endpoint_config_name=name)

    def delete_model(self, name: str) -> bool:
        from sagemaker.core.resources import Model

        return self._delete(Model, model_name=name)

    def _create(self, resource: Any, shape: str, method: str, document: Mapping[str, Any]) -> None:
        from sagemaker.core.utils.code_injection.codec import transform

        with self._explained():
            if lossy(document):
                # The SDK's serializer drops zeros (a variant's weight, a capture's percentage); its session's client does not.
                getattr(self._session.sagemaker_client, method)(**document)
            else:
                resource.create(**transform(dict(document), shape), **self._where)

    def _resource(self, resource: Any, **name: str) -> dict[str, Any] | None:
        with self._explained():
            there = found(resource, self._where, **name)
        return described(there) if there is not None else None

    def _delete(self, resource: Any, **name: str) -> bool:
        with self._explained():
            there = found(resource, self._where, **name)
            if there is None:
                return False
            there.delete()
        return True

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What the SDK's client raises, as a `Problem`; what the SDK raises itself is left alone."""
        try:
            yield
        except Exception as error:
            if not hasattr(error, "response"):
                raise
            raise explain(error, self._gateway.target) from error


def lossy(value: Any) -> bool:
    """Whether the SDK would lose something of a document: its serializer drops zeros and False from nested structures."""
    if isinstance(value, Mapping):
        return any(lossy(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(lossy(item) for item in value)
    return not value and value not in ("", None)

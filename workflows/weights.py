"""Another split of an endpoint's traffic, and other numbers of instances: what that changes, told before it is done."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from workflows import costs
from workflows.observe.rows import EndpointDetail, VariantRow
from workflows.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantChange:
    """One variant before and after; shares are parts of the traffic, 0 to 1."""

    name: str
    weight: float
    new_weight: float
    share: float
    new_share: float
    count: int
    new_count: int
    instance_type: str = ""

    @property
    def changed(self) -> bool:
        """Whether anything of it is asked for anew."""
        return self.weight != self.new_weight or self.count != self.new_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What UpdateEndpointWeightsAndCapacities is to be asked for."""

    endpoint: str
    variants: tuple[VariantChange, ...]

    @property
    def weights(self) -> dict[str, float]:
        """Desired weights of the variants that get another one."""
        return {item.name: item.new_weight for item in self.variants if item.weight != item.new_weight}

    @property
    def counts(self) -> dict[str, int]:
        """Desired instance counts of the variants that get another one."""
        return {item.name: item.new_count for item in self.variants if item.count != item.new_count}

    def __bool__(self) -> bool:
        return any(item.changed for item in self.variants)

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence per variant whose traffic or instances change, and what the instances would cost on AWS."""
        told = []
        for item in self.variants:
            parts = []
            if item.share != item.new_share or item.weight != item.new_weight:
                weight = f"{item.weight:g}" + (
                    f" → {item.new_weight:g}" if item.weight != item.new_weight else ""
                )
                parts.append(f"weight {weight}, traffic {item.share:.1%} → {item.new_share:.1%}")
            if item.count != item.new_count:
                parts.append(f"instances {item.count} → {item.new_count}")
            if parts:
                told.append(f"{item.name}: {'; '.join(parts)}.")
        before = costs.hourly((item.instance_type, item.count) for item in self.variants)
        after = costs.hourly((item.instance_type, item.new_count) for item in self.variants)
        if self.counts and (before or after):
            told.append(f"On AWS its instances cost {before} before and {after} after (estimate).")
        return tuple(told)

    def as_dict(self) -> dict[str, object]:
        """As ``--json`` prints it."""
        return {
            "endpoint": self.endpoint,
            "variants": [
                {name: getattr(item, name) for name in item.__dataclass_fields__} for item in self.variants
            ],
        }


def change(
    detail: EndpointDetail, weights: Mapping[str, float], counts: Mapping[str, int] | None = None
) -> Change:
    """What other weights and instance counts would mean; variants that are not named keep theirs.

    Raises:
        Problem: There is no such variant, a value is not possible, or the endpoint is not in service.
    """
    sizes = counts or {}
    known = {variant.name: variant for variant in detail.variants}
    for name in (*weights, *sizes):
        if name not in known:
            raise Problem(
                f"Endpoint {detail.name} has no variant {name!r}.",
                f"Its variants: {', '.join(known) or 'none'}.",
                "variant",
            )
    for name, weight in weights.items():
        if not (weight >= 0 and math.isfinite(weight)):
            raise Problem(f"A weight of {weight:g} for {name} is not possible.", "Weights are 0 or more.", "weight")  # fmt: skip
    for name, size in sizes.items():
        if known[name].memory:
            raise Problem(
                f"Variant {name} is serverless: it has no instances.", "Its concurrency is scaled.", "count"
            )
        if size < 0:
            raise Problem(f"{size} instances of {name} are not possible.", "Give 0 or more.", "count")
    if detail.row.status != "InService":
        raise Problem(
            f"Endpoint {detail.name} is {detail.row.status}: weights and instances can be changed once it is InService.",
            "`mlconsole endpoints show " + detail.name + "` tells when.",
            "status",
        )
    new = {name: weights.get(name, variant.desired_weight) for name, variant in known.items()}
    if not any(new.values()):
        raise Problem(
            "With no weight at all nothing could be routed.", "Leave at least one variant a weight.", "weight"
        )
    old = {name: variant.desired_weight for name, variant in known.items()}
    return Change(
        endpoint=detail.name,
        variants=tuple(
            _variant(variant, old, new, sizes.get(name, variant.desired_count))
            for name, variant in known.items()
        ),
    )


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Each variant's part of the traffic: its weight over the sum of all; 0 where there is none."""
    total = sum(weights.values())
    return {name: weight / total if total else 0.0 for name, weight in weights.items()}


def _variant(
    variant: VariantRow, old: Mapping[str, float], new: Mapping[str, float], count: int
) -> VariantChange:
    name = variant.name
    return VariantChange(
        name=name,
        weight=old[name],
        new_weight=new[name],
        share=shares(old)[name],
        new_share=shares(new)[name],
        count=variant.desired_count,
        new_count=count,
        instance_type=variant.instance_type,
    )

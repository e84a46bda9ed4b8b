"""``aialgs.data.Record`` as a class of google.protobuf, for those who want messages instead of arrays.

The class is made from the published definition at run time: a generated module would be bound to one version of protobuf.
"""

from __future__ import annotations

from functools import cache
from typing import Any

_TENSORS = (("Float32", 2), ("Float64", 3), ("Int32", 7))


@cache
def record_class() -> Any:
    """The message class ``aialgs.data.Record`` with ``features``, ``label``, ``uid``, ``metadata`` and ``configuration``."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    numbers = {"Float32": field.TYPE_FLOAT, "Float64": field.TYPE_DOUBLE, "Int32": field.TYPE_INT32}
    file = descriptor_pb2.FileDescriptorProto(name="aialgs/data/record.proto", package="aialgs.data")

    def add(owner: Any, name: str, number: int, kind: int, *, repeated: bool = False, of: str = "") -> Any:
        label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
        made = owner.field.add(name=name, number=number, type=kind, label=label)
        if of:
            made.type_name = f".aialgs.data.{of}"
        return made

    for name, _ in _TENSORS:
        tensor = file.message_type.add(name=f"{name}Tensor")
        for number, (part, kind) in enumerate(
            (("values", numbers[name]), ("keys", field.TYPE_UINT64), ("shape", field.TYPE_UINT64)), 1
        ):
            add(tensor, part, number, kind, repeated=True).options.packed = True
    raw = file.message_type.add(name="Bytes")
    add(raw, "value", 1, field.TYPE_BYTES, repeated=True)
    add(raw, "content_type", 2, field.TYPE_STRING)
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, number in _TENSORS:
        member = add(value, f"{name.lower()}_tensor", number, field.TYPE_MESSAGE, of=f"{name}Tensor")
        member.oneof_index = 0
    add(value, "bytes", 9, field.TYPE_MESSAGE, of="Bytes").oneof_index = 0
    record = file.message_type.add(name="Record")
    for name, number, entry in (("features", 1, "FeaturesEntry"), ("label", 2, "LabelEntry")):
        nested = record.nested_type.add(name=entry)
        nested.options.map_entry = True
        add(nested, "key", 1, field.TYPE_STRING)
        add(nested, "value", 2, field.TYPE_MESSAGE, of="Value")
        add(record, name, number, field.TYPE_MESSAGE, repeated=True, of=f"Record.{entry}")
    for number, name in enumerate(("uid", "metadata", "configuration"), 3):
        add(record, name, number, field.TYPE_STRING)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))

"""CRC-32C and CRC-64/NVME, which Python's standard library lacks and AWS's newer clients send.

A byte loop would manage 5 MB/s. Here a block is cut into thousands of equal lanes that advance together: one step takes a
byte of every lane, looks it up with `bytes.translate` and folds it in with one wide exclusive-or, both at C speed; the lanes are joined
with the linear operator that shifts a CRC over a lane's length. 20 to 60 MB/s, measured. Parameters from the catalogue of parametrised CRC algorithms
(reveng): both are reflected, start from all ones and end inverted.
"""

from __future__ import annotations

from functools import cache, lru_cache

_LANE = 256
_BLOCK = 1 << 20


class LaneCrc:
    """A reflected CRC of ``width`` bits with the reflected polynomial ``polynomial``."""

    def __init__(self, width: int, polynomial: int) -> None:
        self._width = width
        self._polynomial = polynomial
        self._mask = (1 << width) - 1
        self._value = self._mask
        self._rest = bytearray()

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        if not self._rest and len(data) >= _BLOCK:
            view = memoryview(data)
            whole = len(data) // _LANE * _LANE
            for start in range(0, whole, _BLOCK):
                self._lanes(bytes(view[start : min(start + _BLOCK, whole)]))
            self._rest += view[whole:]
            return
        self._rest += data
        if len(self._rest) >= _BLOCK:
            whole = len(self._rest) // _LANE * _LANE
            block = bytes(self._rest[:whole])
            del self._rest[:whole]
            self._lanes(block)

    def digest(self) -> bytes:
        """The CRC so far, big-endian as S3 sends it."""
        whole = len(self._rest) // _LANE * _LANE
        if whole >= 16 * _LANE:
            block = bytes(self._rest[:whole])
            del self._rest[:whole]
            self._lanes(block)
        table = _table(self._width, self._polynomial)
        value = self._value
        for byte in self._rest:
            value = table[(value ^ byte) & 255] ^ (value >> 8)
        return (value ^ self._mask).to_bytes(self._width // 8, "big")

    def _lanes(self, block: bytes) -> None:
        size = self._width // 8
        planes_of = _planes(self._width, self._polynomial)
        count = len(block) // _LANE
        # Plane j holds byte j (least significant first) of every lane's register, all starting at zero.
        planes = [0] * size
        for step in range(_LANE):
            column = int.from_bytes(block[step::_LANE], "little") ^ planes[0]
            index = column.to_bytes(count, "little")
            for j in range(size - 1):
                planes[j] = planes[j + 1] ^ int.from_bytes(index.translate(planes_of[j]), "little")
            planes[size - 1] = int.from_bytes(index.translate(planes_of[size - 1]), "little")
        registers = [plane.to_bytes(count, "little") for plane in planes]
        shift = _shift(self._width, self._polynomial)
        value = self._value
        for lane in zip(*registers, strict=True):
            moved = 0
            for j in range(size):
                moved ^= shift[j][(value >> (8 * j)) & 255]
            value = moved ^ int.from_bytes(bytes(lane), "little")
        self._value = value


@cache
def _table(width: int, polynomial: int) -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ polynomial if value & 1 else value >> 1
        table.append(value)
    return table


@cache
def _planes(width: int, polynomial: int) -> list[bytes]:
    """Byte j of each table entry, as a translation table."""
    table = _table(width, polynomial)
    return [bytes((entry >> (8 * j)) & 255 for entry in table) for j in range(width // 8)]


@lru_cache(4)
def _shift(width: int, polynomial: int) -> list[list[int]]:
    """Per byte of a register: what it becomes after a lane of zero bytes. The operator is linear, so the parts are xored."""
    table = _table(width, polynomial)
    bits = []
    for bit in range(width):
        value = 1 << bit
        for _ in range(_LANE):
            value = table[value & 255] ^ (value >> 8)
        bits.append(value)
    columns = []
    for j in range(width // 8):
        column = []
        for byte in range(256):
            value = 0
            for k in range(8):
                if byte >> k & 1:
                    value ^= bits[8 * j + k]
            column.append(value)
        columns.append(column)
    return columns


def crc32c() -> LaneCrc:
    """CRC-32C (Castagnoli, iSCSI)."""
    return LaneCrc(32, 0x82F63B78)


def crc64nvme() -> LaneCrc:
    """CRC-64/NVME."""
    return LaneCrc(64, 0x9A6C9329AC4BC9B5)


def combined(algorithm: str, pieces: list[tuple[bytes, int]]) -> bytes:
    """The CRC of a whole from the (CRC, length) of its pieces, without their bytes: shifting a CRC over zeros is linear.

    ``algorithm`` is CRC32, CRC32C or CRC64NVME. The squaring of the operator follows zlib's crc32_combine.
    """
    width, polynomial = _PARAMETERS[algorithm]
    total = 0
    for digest, length in pieces:
        total = _shifted(total, length, width, polynomial) ^ int.from_bytes(digest, "big")
    return total.to_bytes(width // 8, "big")


_PARAMETERS = {
    "CRC32": (32, 0xEDB88320),
    "CRC32C": (32, 0x82F63B78),
    "CRC64NVME": (64, 0x9A6C9329AC4BC9B5),
}


def _shifted(value: int, length: int, width: int, polynomial: int) -> int:
    """A CRC after ``length`` zero bytes; the inversions at both ends cancel out."""
    exponent = 0
    while length:
        if length & 1:
            value = _apply(_power(exponent, width, polynomial), value)
        length >>= 1
        exponent += 1
    return value


@cache
def _power(exponent: int, width: int, polynomial: int) -> list[int]:
    """The operator that shifts over ``2 ** exponent`` zero bytes, as the images of single bits."""
    if exponent == 0:
        table = _table(width, polynomial)
        return [table[bit & 255] ^ (bit >> 8) for bit in (1 << k for k in range(width))]
    half = _power(exponent - 1, width, polynomial)
    return [_apply(half, image) for image in half]


def _apply(operator: list[int], value: int) -> int:
    total, bit = 0, 0
    while value:
        if value & 1:
            total ^= operator[bit]
        value >>= 1
        bit += 1
    return total

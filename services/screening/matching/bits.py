"""Vector operations on 128-bit codes, as LLVM vectors: lowered to AVX-512, AVX2 or NEON as the machine has it.

Codes lie in two uint64 arrays (`low`, `high`), padded so that 64 may be read from any multiple of 64.
"""

# ruff: noqa: PLR0917  compiled functions take their arguments by position
from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import types

from services.screening.matching.kernels import vector_operation
from services.screening.matching.llvm import data_of, load_lanes, splat

_BYTE, _WORD, _BIT = ir.IntType(8), ir.IntType(64), ir.IntType(1)
_LANES = 8
_BLOCK = 64


def _popcounts(builder: Any, vector: Any) -> Any:
    name = f"llvm.ctpop.v{_LANES}i64"
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(vector.type, (vector.type,)), name
    )
    return builder.call(function, (vector,))


def _distances(builder: Any, words: list[Any], index: Any, wanted: tuple[Any, Any]) -> Any:
    parts = [
        _popcounts(builder, builder.xor(load_lanes(builder, data, index, _LANES, _WORD), word))
        for data, word in zip(words, wanted, strict=True)
    ]
    return builder.add(*parts)


@vector_operation
def closer_than(typing: Any, low: Any, high: Any, at: Any, a: Any, b: Any, limit: Any) -> Any:
    """uint64 mask over `at .. at + 63`: codes less than `limit` bits from (a, b)."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = [data_of(context, builder, signature.args[i], args[i]) for i in range(2)]
        wanted = (splat(builder, args[3], _LANES), splat(builder, args[4], _LANES))
        bound, mask = splat(builder, args[5], _LANES), _WORD(0)
        for lane in range(0, _BLOCK, _LANES):
            near = _distances(builder, data, builder.add(args[2], _WORD(lane)), wanted)
            bits = builder.bitcast(builder.icmp_unsigned("<", near, bound), ir.IntType(_LANES))
            mask = builder.or_(mask, builder.shl(builder.zext(bits, _WORD), _WORD(lane)))
        return mask

    return types.uint64(low, high, types.int64, types.uint64, types.uint64, types.uint64), build


@vector_operation
def write_distances(typing: Any, low: Any, high: Any, at: Any, a: Any, b: Any, out: Any) -> Any:
    """Distances of the codes `at .. at + 63` from (a, b), as bytes into `out` at the same places."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = [data_of(context, builder, signature.args[i], args[i]) for i in range(2)]
        target = data_of(context, builder, signature.args[5], args[5])
        wanted = (splat(builder, args[3], _LANES), splat(builder, args[4], _LANES))
        for lane in range(0, _BLOCK, _LANES):
            index = builder.add(args[2], _WORD(lane))
            near = builder.trunc(_distances(builder, data, index, wanted), ir.VectorType(_BYTE, _LANES))
            place = builder.bitcast(builder.gep(target, [index]), near.type.as_pointer())
            builder.store(near, place).align = 1
        return context.get_dummy_value()

    return types.void(low, high, types.int64, types.uint64, types.uint64, out), build


def _comparison(operator: str) -> Any:
    def operation(typing: Any, values: Any, at: Any, bound: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            loaded = load_lanes(builder, data_of(context, builder, signature.args[0], args[0]), args[1], _BLOCK, _BYTE)
            return builder.bitcast(builder.icmp_unsigned(operator, loaded, splat(builder, args[2], _BLOCK)), _WORD)

        return types.uint64(values, types.int64, types.uint8), build

    return vector_operation(operation)


below = _comparison("<")
"""uint64 mask over the 64 bytes from `at` on: less than the bound."""
equal = _comparison("==")
"""uint64 mask over the 64 bytes from `at` on: equal to the bound."""


@vector_operation
def popcount(typing: Any, word: Any) -> Any:
    """Bits set in a uint64."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), build


@vector_operation
def trailing_zeros(typing: Any, word: Any) -> Any:
    """Position of the lowest bit set in a uint64."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], _BIT(0))

    return types.uint64(types.uint64), build

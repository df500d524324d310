"""Vector operations on pixels, 16 float32 lanes at a time, as LLVM vectors."""

# ruff: noqa: PLR0917  compiled functions take their arguments by position
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import types
from numpy.typing import NDArray

from services.screening.matching.kernels import vector_operation
from services.screening.matching.llvm import data_of, load_lanes, splat

_FLOAT, _WORD, _HALF = ir.FloatType(), ir.IntType(64), ir.IntType(16)
_LANES = 16
_ROW = ir.VectorType(_FLOAT, _LANES)
CELLS, BINS = 4, 8


def _constant(values: float | Sequence[float] | NDArray[np.float32]) -> Any:
    row = np.broadcast_to(np.asarray(values, np.float32), (_LANES,))
    return ir.Constant(_ROW, [ir.Constant(_FLOAT, float(value)) for value in row])


def _call(builder: Any, name: str, *args: Any) -> Any:
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(_ROW, [_ROW] * len(args)), name
    )
    return builder.call(function, args)


def _magnitude(builder: Any, row: Any) -> Any:
    return _call(builder, "llvm.fabs.v16f32", row)


def _smaller(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", one, other), one, other)


def _larger(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", one, other), one, other)


def _total(builder: Any, row: Any) -> Any:
    lanes = _LANES
    while lanes > 1:
        lanes //= 2
        kind = ir.VectorType(ir.IntType(32), lanes)
        halves = [
            builder.shuffle_vector(row, row, ir.Constant(kind, list(range(start, start + lanes))))
            for start in (0, lanes)
        ]
        row = builder.fadd(*halves)
    return builder.extract_element(row, ir.IntType(32)(0))


@vector_operation
def extrema(typing: Any, finer: Any, coarser: Any, at: Any, width: Any, threshold: Any) -> Any:
    """uint64 mask of the 16 pixels from `at` on: 3 x 3 extrema of coarser - finer, beyond the threshold."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        levels = [data_of(context, builder, signature.args[i], args[i]) for i in range(2)]

        def difference(shift: Any) -> Any:
            one, other = (load_lanes(builder, level, builder.add(args[2], shift), _LANES, _FLOAT) for level in levels)
            return builder.fsub(other, one)

        here = difference(_WORD(0))
        strong = builder.fcmp_ordered(">", _magnitude(builder, here), splat(builder, args[4], _LANES))
        start = builder.block
        with builder.if_then(builder.icmp_unsigned("!=", builder.bitcast(strong, _HALF), _HALF(0))):
            found = builder.bitcast(builder.and_(strong, _outermost(builder, here, difference, args[3])), _HALF)
            end = builder.block
        mask = builder.phi(_HALF)
        mask.add_incoming(_HALF(0), start)
        mask.add_incoming(found, end)
        return builder.zext(mask, _WORD)

    return types.uint64(finer, coarser, types.int64, types.int64, types.float32), build


def _outermost(builder: Any, here: Any, difference: Any, width: Any) -> Any:
    rows = [builder.neg(width), _WORD(0), width]
    shifts = [(row, column) for row in range(3) for column in (-1, 0, 1) if (row, column) != (1, 0)]
    around = [difference(builder.add(rows[row], _WORD(column))) for row, column in shifts]
    highest = lowest = around[0]
    for value in around[1:]:
        highest, lowest = _larger(builder, highest, value), _smaller(builder, lowest, value)
    zero = _constant(0)
    top = builder.and_(builder.fcmp_ordered(">=", here, highest), builder.fcmp_ordered(">", here, zero))
    bottom = builder.and_(builder.fcmp_ordered("<=", here, lowest), builder.fcmp_ordered("<", here, zero))
    return builder.or_(top, bottom)


def pooling(weights: NDArray[np.float32], rows: int) -> Any:
    """The operation `(turns, strengths, out)` that pools gradients into 4 x 4 cells of 8 directions.

    `weights` [4, 16]: how far each of the `rows` x `rows` samples counts for each cell along one axis. Gradients lie
    in rows of 16 lanes, `turns` in units of an eighth of a turn; `out` receives 128 float32, cell by cell.
    """

    def operation(typing: Any, turns: Any, strengths: Any, out: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = [data_of(context, builder, signature.args[i], args[i]) for i in range(3)]
            samples = [
                [load_lanes(builder, array, _WORD(_LANES * row), _LANES, _FLOAT) for row in range(rows)]
                for array in data[:2]
            ]
            for direction in range(BINS):
                votes = _direction_votes(builder, samples[0], samples[1], direction)
                for down in range(CELLS):
                    band = _weighted_sum(builder, votes, weights[down])
                    for across in range(CELLS):
                        value = _total(builder, builder.fmul(band, _constant(weights[across])))
                        place = (down * CELLS + across) * BINS + direction
                        builder.store(value, builder.gep(data[2], [_WORD(place)]))
            return context.get_dummy_value()

        return types.void(turns, strengths, out), build

    return vector_operation(operation)


def _direction_votes(builder: Any, turns: list[Any], strengths: list[Any], direction: int) -> list[Any]:
    votes = []
    for turn, strength in zip(turns, strengths, strict=True):
        apart = _magnitude(builder, builder.fsub(turn, _constant(direction)))
        apart = _smaller(builder, apart, builder.fsub(_constant(BINS), apart))
        votes.append(builder.fmul(strength, _larger(builder, _constant(0), builder.fsub(_constant(1), apart))))
    return votes


def _weighted_sum(builder: Any, rows: list[Any], weights: NDArray[np.float32]) -> Any:
    total = None
    for row, weight in zip(rows, weights, strict=False):
        if weight > 0:
            factor = _constant(weight)
            total = (
                builder.fmul(row, factor)
                if total is None
                else _call(builder, "llvm.fmuladd.v16f32", row, factor, total)
            )
    return total

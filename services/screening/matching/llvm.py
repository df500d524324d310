"""The few LLVM instructions that both kinds of vector operation are written with."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types


def data_of(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Pointer to an array's first element."""
    return context.make_array(kind)(context, builder, value).data


def load_lanes(builder: Any, pointer: Any, index: Any, lanes: int, element: Any) -> Any:
    """`lanes` elements from `index` on, at any alignment."""
    place = builder.bitcast(builder.gep(pointer, [index]), ir.VectorType(element, lanes).as_pointer())
    loaded = builder.load(place)
    loaded.align = 1
    return loaded


def splat(builder: Any, value: Any, lanes: int) -> Any:
    """A vector that repeats one value."""
    empty = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = builder.insert_element(empty, value, ir.IntType(32)(0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))

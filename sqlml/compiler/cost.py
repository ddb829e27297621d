"""Cost model: the nanoseconds per row of a model under each engine, by which `spark.sqlml.engine = auto` chooses.

Both costs are sums over a few kinds of work, each a count times the nanoseconds of one:

    COMPILED       the generated code: operations one by one, functions such as EXP, texts that are searched,
                   steps down ten trees at once, votes of leaves that are added up, entries of a map
    ONNXRUNTIME    the way to Python and back, by rows, columns and entries, and the session: numbers that
                   nodes write, functions, matrix products, steps down trees one by one

Costs common to both are left out: reading the columns, and the query around the call.

The number of rows is not known when a query is analysed. One-time costs are similar on both sides, a second or two,
except for large programs, which Spark and HotSpot compile for each query: that is COMPILING for each operation,
amortized over ROWS. A Python worker starts once and then serves all queries of its executor.

The numbers come from `tests/benchmarks/bench_engine_cost.py` on one core of a 2.6 GHz Xeon. It measures models under
both engines, fits the units to them and prints them beside these. Only the ratios matter, which are similar on other
machines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from onnx import ModelProto, NodeProto

from sqlml.compiler import forest_packing
from sqlml.compiler.operators import row_of
from sqlml.compiler.operators.operator import Cost
from sqlml.scoring.scorer import input_name
from sqlml.signature import TEXT, Signature

if TYPE_CHECKING:
    from sqlml.compiler.catalyst import Program

# Nanoseconds per unit of each kind of work.
COMPILED = {"operation": 0.3, "function": 5.0, "text": 5.0, "step": 0.8, "vote": 7.0, "entry": 30.0}
ONNXRUNTIME = {
    "row": 300.0,
    "number": 62.0,
    "text": 260.0,
    "entry": 80.0,
    "element": 0.1,
    "function": 2.3,
    "product": 0.1,
    "step": 7.0,
}
# Nanoseconds to compile an operation, once per query.
COMPILING = 700_000.0
# The number of rows over which COMPILING is amortized.
ROWS = 2_000_000
_FUNCTIONS = "ATAN|COS|EXP|LN|LOG|POWER|SIN|SQLML_POWER|SQLML_SIGMOID|SQRT|TANH"
# Calls that are counted as searched texts, steps and votes; any other call is one operation.
_OTHERS = "SQLML_FOREST|SQLML_PLACE|SQLML_SUM|SQLML_TABLE"
_IN_SQL = {
    "operation": re.compile(
        r" (?:[-+*/]|[<>=]+|AND|OR|IS|IN) |\b(?:CASE|NOT)\b|"
        rf"\b(?!(?:{_FUNCTIONS}|{_OTHERS})\()[A-Z][A-Z0-9_]*\("
    ),
    "function": re.compile(rf"\b(?:{_FUNCTIONS})\("),
    "text": re.compile(r"\bSQLML_PLACE\("),
}


def compiled_is_cheaper(function: str, onnx: bytes, program: Program, signature: Signature) -> bool:
    """Returns whether `auto` takes the compiled program.

    Args:
        function: a value of `sqlml.parser.functions.FUNCTIONS`.
    """
    work = by_program(function, program, signature)
    here = nanoseconds(work, COMPILED) + work["operation"] * COMPILING / ROWS
    return here <= nanoseconds(by_onnxruntime(function, onnx, program, signature), ONNXRUNTIME)


def nanoseconds(work: Mapping[str, float], costs: Mapping[str, float]) -> float:
    """Returns the cost of a row: the sum of count × unit cost."""
    return sum(count * costs[kind] for kind, count in work.items())


def by_program(function: str, program: Program, signature: Signature) -> dict[str, float]:
    """Counts each kind of work in COMPILED that the generated code does for a row."""
    text = "\n".join([*(definition.sql for definition in program.definitions), *program.numbers])
    found = {unit: len(pattern.findall(text)) for unit, pattern in _IN_SQL.items()}
    trees = _trees(program)
    return {
        **found,
        "step": sum(one.together for one in trees),
        "vote": sum(one.votes for one in trees),
        "entry": _entries(function, signature),
    }


def by_onnxruntime(function: str, onnx: bytes, program: Program, signature: Signature) -> dict[str, float]:
    """Counts each kind of work in ONNXRUNTIME for a row, on its way to a session, in it and back."""
    features = [signature.features[place] for place in program.features]
    varying = {input_name(feature.name) for feature in features}
    work = Counter(["row", *("text" if feature.kind == TEXT else "number" for feature in features)])
    for node in ModelProto.FromString(onnx).graph.node:
        # Nodes over constants alone are folded when the session starts.
        if not varying.isdisjoint(node.input):
            varying.update(node.output)
            work.update(_by_node(node, program.shapes))
    apart = sum(one.apart for one in _trees(program))
    return {**work, "step": apart, "entry": _entries(function, signature)}


def _by_node(node: NodeProto, shapes: Mapping[str, tuple[int, ...]]) -> Counter[str]:
    """The work of one node, by its operator's row."""
    row = row_of(node.domain, node.op_type)
    assert row is not None, "a program is made of operators with a rule"
    written = sum(_size(shapes, name) for name in node.output if name)
    if row.cost is Cost.NOTHING:
        return Counter()
    if row.cost is Cost.FUNCTION:
        return Counter(function=written)
    if row.cost is Cost.PRODUCT:
        rows = shapes[node.output[0]][0]
        return Counter(product=written * _size(shapes, node.input[0]) // max(rows, 1), element=written)
    if row.cost is Cost.LINEAR:
        return Counter(product=written * _size(shapes, node.input[0]), element=written)
    return Counter(element=written)


def _size(shapes: Mapping[str, tuple[int, ...]], name: str) -> int:
    return int(np.prod(shapes[name]))


def _trees(program: Program) -> list[forest_packing.Work]:
    return [forest_packing.work(array) for array in program.arrays if isinstance(array, bytes)]


def _entries(function: str, signature: Signature) -> int:
    """The number of entries of the map or struct that the function returns."""
    return len(signature.outputs) if function == "predict" else len(signature.labels) or len(signature.outputs)

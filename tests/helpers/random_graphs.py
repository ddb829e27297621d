"""Random graphs of the operators that the compiler takes, with rows of ordinary and special numbers.

A seed makes a graph four times: as it is; twice with each sum in the opposite order and each inexact function off by
some last digits, some of them up and then down, so that two of them cannot cancel out both times; and with the others
down and with sums from the first number to the last whose products are rounded first, where ONNX Runtime adds by fours
and fuses. How far apart ONNX Runtime's answers are is how exactly the graph says anything of a row at all: the order of
a sum is nobody's promise, and behind it a comparison may turn on the last digit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from helpers.compiled_models import Case
from helpers.random_tensors import ROWS, Maker, Tensor
from helpers.row_graphs import BOOL, DOUBLE, FLOAT, INT32, INT64, ML, STRING

_Step = Callable[[Maker], Tensor | None]
_REAL = (DOUBLE, FLOAT)


def _unary(kind: str, *elements: int, inexact: bool = False) -> _Step:
    def step(maker: Maker) -> Tensor | None:
        x = maker.pick(*elements)
        if x is None:
            return None
        found = maker.graph.node(kind, [x.name])
        if kind in ("Sigmoid", "Tanh"):
            return x._replace(name=maker.off_by_digits_of_one(found, x.element))
        return x._replace(name=maker.off(found, x.element) if inexact else found)

    return step


def _binary(kind: str, *elements: int, inexact: bool = False, result: int | None = None) -> _Step:
    def step(maker: Maker) -> Tensor | None:
        x = maker.pick(*elements)
        if x is None:
            return None
        others = [value for value in maker.values if value.element == x.element and value.width in (x.width, 1)]
        if maker.random.random() < 0.5:
            y = maker.constant([maker.numbers(x.width)], x.element)
        else:
            y = others[int(maker.random.integers(len(others)))].name
        operands = [x.name, y] if maker.random.random() < 0.7 else [y, x.name]
        found = maker.graph.node(kind, operands)
        element = x.element if result is None else result
        return Tensor(maker.off(found, element) if inexact else found, element, x.width)

    return step


def _cast(maker: Maker) -> Tensor | None:
    x = maker.pick(DOUBLE, FLOAT, INT64, INT32, BOOL)
    assert x is not None
    to = int(maker.random.choice([DOUBLE, FLOAT, INT64, INT32]))
    found = maker.graph.node("Cast", [x.name], to=to)
    if maker.rounded and to == INT64:
        # ONNX Runtime makes one cast of two. That of a number which the first type cannot hold is then another one.
        found = maker.graph.node("Max", [found, maker.constant(-(2**63), INT64)])
    return x._replace(name=found, element=to)


def _clip(maker: Maker) -> Tensor | None:
    x = maker.pick(DOUBLE, FLOAT, INT64)
    if x is None:
        return None
    low, high = sorted(maker.numbers(2))
    limits = [maker.constant(low, x.element), maker.constant(high, x.element)]
    left_out = int(maker.random.integers(4))
    names = ["" if left_out in (1, 3) else limits[0], "" if left_out in (2, 3) else limits[1]]
    return x._replace(name=maker.graph.node("Clip", [x.name, *names]))


def _concat(maker: Maker) -> Tensor | None:
    x = maker.pick(DOUBLE, FLOAT, INT64)
    y = None if x is None else maker.pick(x.element)
    if x is None or y is None or x.width + y.width > 8:
        return None
    axis = int(maker.random.choice([1, -1]))
    return Tensor(maker.graph.node("Concat", [x.name, y.name], axis=axis), x.element, x.width + y.width)


def _gather(maker: Maker) -> Tensor | None:
    x = maker.pick(DOUBLE, FLOAT, INT64, BOOL)
    assert x is not None
    places = maker.random.integers(-x.width, x.width, int(maker.random.integers(1, 4)))
    return x._replace(
        name=maker.graph.node("Gather", [x.name, maker.graph.constant(places)], axis=1), width=len(places)
    )


def _slice(maker: Maker) -> Tensor | None:
    x = maker.pick(DOUBLE, FLOAT, INT64)
    if x is None or x.width < 2:
        return None
    first = int(maker.random.integers(0, x.width - 1))
    bounds = [maker.graph.constant([value]) for value in (first, 9, 1, 2)]
    width = len(range(first, x.width, 2))
    return x._replace(name=maker.graph.node("Slice", [x.name, *bounds]), width=width)


def _where(maker: Maker) -> Tensor | None:
    test = maker.pick(BOOL)
    x = maker.pick(DOUBLE, FLOAT, INT64)
    if test is None or x is None or test.width not in (1, x.width):
        return None
    y = maker.constant([maker.numbers(x.width)], x.element)
    ways = [x.name, y] if maker.random.random() < 0.5 else [y, x.name]
    return x._replace(name=maker.graph.node("Where", [test.name, *ways]))


def _reduce(kind: str, *elements: int, inexact: bool = False) -> _Step:
    def step(maker: Maker) -> Tensor | None:
        x = maker.pick(*elements)
        if x is None:
            return None
        axis = int(maker.random.choice([1, -1]))
        if maker.rounded and inexact:
            width = maker.constant([[x.width if kind == "ReduceMean" else 1]], x.element)
            return Tensor(maker.graph.node("Div", [maker.sum(x), width]), x.element, 1)
        name = maker.turned(x) if inexact else x.name
        as_input = kind == "ReduceSum" or maker.opset >= 18
        if as_input:
            found = maker.graph.node(kind, [name, maker.graph.constant([axis])], keepdims=1)
        else:
            found = maker.graph.node(kind, [name], axes=[axis], keepdims=1)
        return Tensor(maker.off(found, x.element) if inexact else found, x.element, 1)

    return step


def _arg_max(maker: Maker) -> Tensor | None:
    x = maker.pick(*_REAL)
    if x is None:
        return None
    last = {"select_last_index": 1} if maker.random.random() < 0.2 else {}
    return Tensor(maker.graph.node("ArgMax", [x.name], axis=1, keepdims=1, **last), INT64, 1)


def _softmax(maker: Maker) -> Tensor | None:
    x = maker.pick(*_REAL)
    return None if x is None else x._replace(name=maker.off(maker.graph.node("Softmax", [x.name], axis=1), x.element))


def _matrix(maker: Maker) -> Tensor | None:
    x = maker.pick(*_REAL)
    if x is None:
        return None
    width = int(maker.random.integers(1, 4))
    weights = maker.numbers(x.width * width).reshape(x.width, width)[maker.order(x.width)]
    bias = maker.constant(maker.numbers(width), x.element)
    turn = int(maker.random.integers(2))
    given = "" if maker.rounded else maker.constant(weights.T if turn else weights, x.element)
    if turn or maker.random.random() < 0.5:
        alpha, beta = (float(value) for value in maker.numbers(2))
        more = [bias] if maker.random.random() < 0.7 else []
        if maker.rounded:
            found = maker.product(x, weights, alpha=alpha)
            if more:
                rest = maker.graph.node("Mul", [bias, maker.constant([beta], x.element)])
                found = maker.graph.node("Add", [found, rest])
            return Tensor(found, x.element, width)
        found = maker.graph.node("Gemm", [maker.turned(x), given, *more], transB=turn, alpha=alpha, beta=beta)
    elif maker.rounded:
        found = maker.product(x, weights)
    else:
        found = maker.graph.node("MatMul", [maker.turned(x), given])
    return Tensor(maker.off(found, x.element), x.element, width)


def _pow(maker: Maker) -> Tensor | None:
    x = maker.pick(*_REAL)
    if x is None:
        return None
    power = maker.constant([[maker.random.choice([0.0, 1.0, 2.0, 3.0, 0.5, -1.0, 1.5, np.inf])]], x.element)
    operands = [x.name, power] if maker.random.random() < 0.8 else [power, x.name]
    return x._replace(name=maker.off(maker.graph.node("Pow", operands), x.element))


def _encoder(maker: Maker) -> Tensor | None:
    x = maker.pick(STRING)
    if x is None:
        return None
    found = maker.graph.node(
        "LabelEncoder", [x.name], domain=ML, keys_strings=["a", "b", ""], values_int64s=[3, 1, 2], default_int64=-1
    )
    return Tensor(found, INT64, 1)


def _one_hot(maker: Maker) -> Tensor | None:
    x = maker.pick(STRING, INT64)
    if x is None or x.width != 1:
        return None
    cats: dict[str, Any] = {"cats_strings": ["b", "a"]} if x.element == STRING else {"cats_int64s": [1, 2, -1]}
    found = maker.graph.node("OneHotEncoder", [x.name], domain=ML, zeros=1, **cats)
    width = len(next(iter(cats.values())))
    shape = maker.graph.constant([-1, width])
    return Tensor(maker.graph.node("Reshape", [found, shape]), FLOAT, width)


def _scaler(maker: Maker) -> Tensor | None:
    x = maker.pick(*_REAL)
    if x is None:
        return None
    count = x.width if maker.random.random() < 0.7 else 1
    offset, scale = maker.numbers(count).tolist(), maker.numbers(count).tolist()
    return Tensor(maker.graph.node("Scaler", [x.name], domain=ML, offset=offset, scale=scale), FLOAT, x.width)


def _imputer(maker: Maker) -> Tensor | None:
    x = maker.pick(FLOAT)
    if x is None:
        return None
    replaced = float(maker.random.choice([np.nan, 0.0, 1.5]))
    instead = maker.numbers(x.width).tolist()
    found = maker.graph.node(
        "Imputer", [x.name], domain=ML, imputed_value_floats=instead, replaced_value_float=replaced
    )
    return x._replace(name=found)


def _normalizer(maker: Maker) -> Tensor | None:
    x = maker.pick(*_REAL)
    if x is None:
        return None
    norm = str(maker.random.choice(["MAX", "L1", "L2"]))
    found = maker.graph.node("Normalizer", [maker.turned(x)], domain=ML, norm=norm)
    turned = Tensor(maker.off(found, FLOAT), FLOAT, x.width)
    return turned._replace(name=maker.turned(turned))


def _linear(maker: Maker) -> Tensor | None:
    x = maker.pick(FLOAT)
    if x is None:
        return None
    weights, rest = maker.numbers(x.width)[maker.order(x.width)].tolist(), maker.numbers(1).tolist()
    if maker.rounded:
        total = maker.product(x, [[weight] for weight in weights])
        return Tensor(maker.graph.node("Add", [total, maker.constant([rest], FLOAT)]), FLOAT, 1)
    found = maker.graph.node(
        "LinearRegressor", [maker.turned(x)], domain=ML, coefficients=weights, intercepts=rest, targets=1
    )
    return Tensor(maker.off(found, FLOAT), FLOAT, 1)


def _tree(maker: Maker) -> Tensor | None:
    x = maker.pick(*_REAL)
    if x is None:
        return None
    feature = maker.random.integers(0, x.width, 3).tolist()
    modes = maker.random.choice(["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"], 3)
    known: dict[str, Any] = {
        "nodes_treeids": [0] * 7,
        "nodes_nodeids": list(range(7)),
        "nodes_featureids": [*feature, 0, 0, 0, 0],
        "nodes_modes": [*map(str, modes), *["LEAF"] * 4],
        "nodes_truenodeids": [1, 3, 5, 0, 0, 0, 0],
        "nodes_falsenodeids": [2, 4, 6, 0, 0, 0, 0],
        "nodes_missing_value_tracks_true": [*maker.random.integers(0, 2, 3).tolist(), 0, 0, 0, 0],
        "target_treeids": [0] * 4,
        "target_nodeids": [3, 4, 5, 6],
        "target_ids": [0] * 4,
        "n_targets": 1,
    }
    splits, votes = [*maker.numbers(3).tolist(), 0.0, 0.0, 0.0, 0.0], maker.numbers(4).tolist()
    if x.element == DOUBLE:
        from onnx import numpy_helper

        for name, numbers in (("nodes_values", splits), ("target_weights", votes)):
            known[f"{name}_as_tensor"] = numpy_helper.from_array(np.array(numbers))
    else:
        known |= {"nodes_values": splits, "target_weights": votes}
    return Tensor(maker.graph.node("TreeEnsembleRegressor", [x.name], domain=ML, **known), FLOAT, 1)


def _leaky(maker: Maker) -> Tensor | None:
    x = maker.pick(FLOAT)
    if x is None:
        return None
    given = {"alpha": float(maker.numbers(1)[0])} if maker.random.random() < 0.7 else {}
    return x._replace(name=maker.graph.node("LeakyRelu", [x.name], **given))


def _is_nan(maker: Maker) -> Tensor | None:
    x = maker.pick(*_REAL)
    return None if x is None else Tensor(maker.graph.node("IsNaN", [x.name]), BOOL, x.width)


_NUMBER = (*_REAL, INT64)
_ANY = (*_NUMBER, BOOL)
STEPS: tuple[_Step, ...] = (
    *(_unary(kind, *_NUMBER) for kind in ("Abs", "Neg", "Sign", "Identity")),
    *(_unary(kind, *_REAL, inexact=True) for kind in ("Exp", "Log", "Sigmoid", "Sqrt", "Tanh")),
    *(_unary(kind, *_REAL) for kind in ("Floor", "Relu")),
    *(_unary(kind, BOOL) for kind in ("Not",)),
    *(_binary(kind, *_NUMBER) for kind in ("Add", "Mul", "Sub", "Max", "Min")),
    _binary("Div", *_REAL, inexact=True),
    *(_binary(kind, BOOL) for kind in ("And", "Or")),
    *(_binary(kind, *_NUMBER, result=BOOL) for kind in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")),
    *(_reduce(kind, *_REAL, inexact=True) for kind in ("ReduceSum", "ReduceMean")),
    _reduce("ReduceMax", *_REAL),
    *(_arg_max, _cast, _cast, _clip, _concat, _encoder, _gather, _imputer, _is_nan, _leaky, _linear, _matrix, _matrix),
    *(_normalizer, _one_hot, _pow, _scaler, _slice, _softmax, _tree, _where, _where),
)


def made(seed: int, *, disturbed: int = 0) -> Case:
    """The graph of a seed, disturbed by UP, DOWN or ROUNDED."""
    maker = Maker(seed, disturbed=disturbed)
    maker.columns()
    wanted = int(maker.random.integers(1, 9))
    tried = 0
    while wanted and tried < 60:
        tried += 1
        found = STEPS[int(maker.random.integers(len(STEPS)))](maker)
        if found is not None:
            maker.values.append(found)
            wanted -= 1
    last = [value for value in maker.values if value.element != STRING][-1]
    rows = [maker.row() for _ in range(ROWS)]
    value = maker.graph.numbers(last.name, last.element, last.width)
    onnx, signature = maker.graph.finish([value], last.width)
    return Case(f"seed {seed}", onnx, signature, rows)


def least_difference(case: Case) -> float:
    """Two units in the last place of 1: of float32 where a part of the graph counts in it, else more than float64's."""
    nodes = onnx.load_from_string(case.onnx).graph.node
    single = any(
        node.domain == ML or any(one.name == "to" and one.i == FLOAT for one in node.attribute) for node in nodes
    )
    return float(2.0**-22) if single else 1e-9

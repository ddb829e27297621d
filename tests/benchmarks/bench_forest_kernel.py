"""The kernel for trees against ONNX Runtime and the libraries' own predictors: rows a second on one core, in turns.

Every answer is compared before anything is timed. Times are processor seconds, which other programs on the machine
disturb less than they do the time of day.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from sqlml.compiler.forest_packing import pack
from sqlml.compiler.node import Node
from sqlml.export.graph import Graph
from sqlml.export.trees import emit

COLUMNS, TRAINED, ROUNDS = 28, 20_000, 7


def _data(rows: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, COLUMNS))
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + (x[:, 3] > 0.5) * x[:, 4] + x[:, 5:12].sum(axis=1) / 4
    return x, y + 0.3 * random.normal(size=rows)


def _lightgbm(rows: Any) -> Any:
    import lightgbm

    from sqlml.export.lightgbm import ensemble

    model = lightgbm.LGBMRegressor(n_estimators=100, num_leaves=31, n_jobs=1, verbose=-1).fit(*_data(TRAINED, 1))
    return ensemble(model), "double", lambda: model.booster_.predict(rows, num_threads=1)


def _xgboost(rows: Any) -> Any:
    import xgboost

    from sqlml.export.xgboost import ensemble

    model = xgboost.XGBRegressor(n_estimators=100, max_depth=6, n_jobs=1).fit(*_data(TRAINED, 1))
    return ensemble(model), "float", lambda: model.predict(rows)


def _gradient_boosting(rows: Any) -> Any:
    from sklearn.ensemble import GradientBoostingRegressor

    from sqlml.export.sklearn.trees import ensemble

    model = GradientBoostingRegressor(n_estimators=20, max_depth=3).fit(*_data(TRAINED, 1))
    return ensemble(model), "rounded", lambda: model.predict(rows)


def _random_forest(rows: Any) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    from sqlml.export.sklearn.trees import ensemble

    model = RandomForestRegressor(n_estimators=500, max_depth=8, max_features=0.3, n_jobs=1).fit(*_data(TRAINED, 1))
    return ensemble(model), "rounded", lambda: model.predict(rows) * len(model.estimators_)


_MODELS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "LightGBM, 100 trees of 31 leaves": (_lightgbm, 100_000),
    "XGBoost, 100 trees of depth 6": (_xgboost, 100_000),
    "scikit-learn, 20 trees of depth 3": (_gradient_boosting, 400_000),
    "scikit-learn, 500 trees of depth 8": (_random_forest, 20_000),
}


@contextmanager
def _kernel(folder: Path, packed: bytes, rows: NDArray[np.float64]) -> Iterator[Callable[[], tuple[float, float]]]:
    """A JVM that scores all rows whenever it is asked: the processor seconds, and the sum of the answers."""
    from sqlml.spark.launch import jar

    classpath = f"{folder}:{jar()}"
    source = Path(__file__).parent / "ForestKernel.java"
    subprocess.run(["javac", "-nowarn", "-proc:none", "-d", folder, "-cp", classpath, source], check=True)
    (folder / "forest").write_bytes(packed)
    (folder / "rows").write_bytes(rows.astype("<f8").tobytes())
    files = str(folder / "forest"), str(folder / "rows")
    command = ["java", "-cp", classpath, "ForestKernel", *files, str(COLUMNS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None and process.stdout is not None
        asked, said = process.stdin, process.stdout

        def score() -> tuple[float, float]:
            asked.write("\n")
            asked.flush()
            seconds, total = said.readline().split()
            return float(seconds), float(total)

        yield score
        asked.close()


@pytest.mark.parametrize("name", _MODELS)
def test_forest_kernel(name: str, tmp_path: Path) -> None:
    make, count = _MODELS[name]
    rows, _ = _data(count, 2)
    found, kind, predict = make(rows)
    real: Any = np.float32 if kind == "float" else np.float64
    graph = Graph()
    total = emit(graph, "x", found, 1, real)
    (node,) = graph._nodes
    element = TensorProto.FLOAT if kind == "float" else TensorProto.DOUBLE
    inputs, outputs = ([helper.make_tensor_value_info(one, element, [None, None])] for one in ("x", total))
    sets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    model = helper.make_model(helper.make_graph([node], "g", inputs, outputs), opset_imports=sets, ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    given = rows.astype(real) if kind != "rounded" else rows.astype(np.float32).astype(np.float64)

    def by_onnxruntime() -> NDArray[Any]:
        answer: NDArray[Any] = session.run(None, {"x": given})[0][:, 0]
        return answer

    packed = pack(Node.of(node), kind)
    with _kernel(tmp_path, packed, rows) as score:
        expected, own = by_onnxruntime(), predict()
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-4)
        _, summed = score()
        np.testing.assert_allclose(summed, sum(expected.astype(np.float64).tolist()), rtol=1e-12)
        for _ in range(5):
            score()
        seconds: dict[str, list[float]] = {"kernel": [], "ONNX Runtime": [], "its own library": []}
        for _ in range(ROUNDS):
            seconds["kernel"].append(score()[0])
            for which, run in (("ONNX Runtime", by_onnxruntime), ("its own library", predict)):
                started = time.process_time()
                run()
                seconds[which].append(time.process_time() - started)
    medians = {which: statistics.median(each) for which, each in seconds.items()}
    print(f"\n{name}: {len(packed):,} bytes packed")
    for which, each in seconds.items():
        ratio = medians[which] / medians["kernel"]
        spread = f"{count / max(each) / 1e6:.3f}-{count / min(each) / 1e6:.3f}"
        print(f"  {which}: {count / medians[which] / 1e6:.3f} M rows/s ({spread}), {ratio:.2f} x the kernel's time")
    assert medians["kernel"] <= medians["ONNX Runtime"]

"""Pictures of a model: their numbers are scikit-learn's, and they are drawn into the MLflow run."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from plotly.offline import get_plotlyjs
from sklearn import metrics

from sqlml.estimators import curves
from sqlml.estimators.sklearn import training as sklearn
from sqlml.jobs.job import Fitted, Job
from sqlml.registry import Registry, plots
from sqlml.signature import Feature, Signature

_PNG = b"\x89PNG\r\n\x1a\n"
_FEATURES = (Feature("a", "double"), Feature("b", "string"), Feature("c", "double"))


def _table(rows: int = 400) -> pa.Table:
    dice = np.random.default_rng(0)
    a, b, c = dice.normal(size=rows), dice.choice(["x", "y", "z"], rows), dice.normal(size=rows)
    y = 3 * a + (b == "x") + dice.normal(size=rows)
    three = np.select([y > 1, y > -1], ["high", "middle"], "low")
    return pa.table({"a": a, "b": b, "c": c, "y": y, "yes": y > 0, "three": three})


def _fit(estimator: str, target: str = "yes", **changes: Any) -> Fitted:
    kind = {"y": "double", "yes": "boolean", "three": "string"}[target]
    task = "regression" if target == "y" else "classification"
    signature = Signature(task, _FEATURES, target, kind)
    given: dict[str, Any] = {"params": {}, "seed": 42, "test_fraction": 0.25, "tolerance": 1e-6, "curves": True}
    return sklearn.fit(Job(estimator, signature, **{**given, **changes}), _table(), lambda line: None)


def test_curves_of_two_classes_are_scikit_learns() -> None:
    dice = np.random.default_rng(1)
    actual = dice.random(3_000) < 0.3
    scores = np.clip(actual * 0.3 + dice.random(3_000) * 0.7, 0, 1)
    signature = Signature("classification", _FEATURES, "yes", "boolean", (False, True))
    found = curves.of(signature, actual.astype(np.int64), (scores > 0.5).astype(np.int64), np.c_[1 - scores, scores])
    (roc,) = found["roc"]
    assert roc["label"] == "true"
    assert roc["area"] == pytest.approx(metrics.roc_auc_score(actual, scores), abs=1e-12)
    assert metrics.auc(roc["x"], roc["y"]) == pytest.approx(roc["area"], abs=2e-3), "thinning keeps its shape"
    assert len(roc["x"]) == len(roc["y"]) <= curves.MOST_POINTS
    assert found["precision_recall"]["area"] == pytest.approx(metrics.average_precision_score(actual, scores))
    assert found["confusion"]["labels"] == ["false", "true"]
    assert found["confusion"]["counts"] == metrics.confusion_matrix(actual, scores > 0.5).tolist()
    assert all(0 <= share <= 1 for share in found["calibration"]["y"])
    one = curves.of(signature, np.ones(5, np.int64), np.ones(5, np.int64), np.full((5, 2), 0.5))
    assert one["confusion"]["counts"] == [[0, 0], [0, 5]]
    assert one["roc"] == [] and "calibration" not in one, "one class alone has no curve"


def test_fitted_models_bring_numbers_of_the_rows_they_were_measured_on() -> None:
    fitted = _fit("lightgbm")
    assert set(fitted.curves) == {"roc", "precision_recall", "calibration", "confusion", "importance"}
    assert fitted.curves["roc"][0]["area"] == pytest.approx(fitted.metrics["roc_auc"])
    assert sum(map(sum, fitted.curves["confusion"]["counts"])) == fitted.held_out
    assert fitted.curves["importance"]["kind"] == "gain"
    assert fitted.curves["importance"]["features"][0] == "a"
    assert sum(fitted.curves["importance"]["values"]) == pytest.approx(1)
    assert Fitted.from_json(fitted.to_json(), fitted.onnx) == fitted
    three = _fit("sklearn.random_forest", "three").curves
    assert [curve["label"] for curve in three["roc"]] == ["high", "low", "middle"]
    assert "precision_recall" not in three
    assert set(three["importance"]["features"]) == {"a", "b", "c"}, "one-hot columns are one feature"
    points = _fit("sklearn.ridge", "y").curves
    assert points["importance"]["kind"] == "|coefficient|"
    assert metrics.r2_score(y_true=points["points"]["actual"], y_pred=points["points"]["predicted"]) > 0.8
    permuted = _fit("sklearn.k_neighbors").curves["importance"]
    assert (permuted["kind"], permuted["features"][0]) == ("permutation", "a")
    # Decision functions are no probabilities: nothing to calibrate.
    assert "calibration" not in _fit("sklearn.linear_svm").curves
    assert _fit("sklearn.decision_tree", curves=False).curves == {}


def test_every_picture_is_drawn_and_the_page_needs_no_network(tmp_path: Path) -> None:
    two, numbers = _fit("xgboost").curves, _fit("sklearn.ridge", "y").curves
    two["confusion"]["labels"] = ["</script>", "b"]
    assert plots.draw(two, "a <b>", tmp_path / "two") == [
        *("roc", "precision_recall", "calibration", "confusion_matrix", "feature_importance"),
    ]
    assert plots.draw(numbers, "m", tmp_path / "n") == ["predicted_vs_actual", "residuals", "feature_importance"]
    for path in tmp_path.rglob("*.png"):
        assert path.read_bytes().startswith(_PNG)
        assert path.stat().st_size > 3_000
    page = (tmp_path / "two" / "plots.html").read_text(encoding="utf-8")
    assert "<title>a &lt;b&gt;</title>" in page
    assert not re.search(r"<(script|link)[^>]*(src|href)=", page)
    figures = re.search(r"for \(const figure of (\[.*\])\) \{", page)
    assert figures is not None and "</script>" not in figures[1]
    assert len(json.loads(figures[1])) == 5
    packed = re.search(r'<script id="library" type="text/plain">([^<]+)</script>', page)
    assert packed is not None and gzip.decompress(base64.b64decode(packed[1])).decode() == get_plotlyjs()
    assert len(page) < 2_000_000


def _logged(registry: Registry, found: dict[str, Any]) -> tuple[list[str], Any, str]:
    lines: list[str] = []
    with registry.training_run("m", "TRAIN", {}, "somebody") as run:
        run.log_plots(SimpleNamespace(fitted=SimpleNamespace(curves=found)), lines.append)  # type: ignore[arg-type]
    return lines, registry, run.run_id


def test_what_goes_wrong_with_a_picture_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    registry = Registry(f"sqlite:///{tmp_path}/r.db", str(tmp_path / "artifacts"))
    client = MlflowClient(f"sqlite:///{tmp_path}/r.db")
    good = _fit("sklearn.ridge", "y").curves

    lines, _, run_id = _logged(registry, good)
    assert lines == []
    assert [file.path for file in client.list_artifacts(run_id, "plots")] == [
        *("plots/feature_importance.png", "plots/plots.html", "plots/predicted_vs_actual.png", "plots/residuals.png"),
    ]

    for broken in ({"error": "ValueError: no picture"}, {**good, "importance": {"kind": 1}}):
        lines, _, run_id = _logged(registry, broken)
        assert len(lines) == 1 and lines[0].startswith("no plots: ")
        assert client.get_run(run_id).data.tags["sqlml.plots.error"] in lines[0]
        assert client.get_run(run_id).info.status == "FINISHED"

    plots._library.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    lines, _, run_id = _logged(registry, good)
    assert "Install it where the driver runs: pip install 'sqlml[plots]'" in lines[0]
    assert "sqlml.plots.error" not in client.get_run(run_id).data.tags

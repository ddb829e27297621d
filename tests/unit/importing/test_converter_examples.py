"""IMPORT MODEL of what skl2onnx's and onnxmltools' own documentation makes: the predictions are the model's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from helpers.converter_examples import EXAMPLES
from skl2onnx import to_onnx
from sklearn.neighbors import KNeighborsClassifier

from sqlml.errors import SqlmlError
from sqlml.importing import requested
from sqlml.importing.limits import Limits
from sqlml.importing.loading import opened
from sqlml.scoring.scorer import Scorer

# Their graphs name everything, so that IMPORT MODEL needs no option.
_COMPLETE = ("titanic", "recommendation")


@pytest.mark.parametrize("name", EXAMPLES)
def test_predictions_are_those_of_the_model(name: str) -> None:
    example = EXAMPLES[name]()
    assert bool(example.options) == (name not in _COMPLETE)
    limits = Limits(operators=example.operators)
    found = opened(example.graph.SerializeToString(), requested(**example.options), None, (), limits)
    assert found.signature.names == tuple(example.rows)
    columns = pa.Table.from_pandas(example.rows, preserve_index=False).columns
    said = Scorer(found.onnx, found.signature).label(columns).to_pylist()
    if isinstance(example.predictions[0], (int, str)):
        assert said == example.predictions
    else:
        numbers = [tuple(one.values()) if isinstance(one, dict) else one for one in said]
        assert np.allclose(numbers, example.predictions, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["texts", "gaussian_process"])
def test_operators_of_other_domains_need_the_administrator(name: str) -> None:
    example = EXAMPLES[name]()
    with pytest.raises(SqlmlError, match=rf"spark\.sqlml\.import\.operators = {min(example.operators)}"):
        opened(example.graph.SerializeToString(), requested(**example.options), None, ())


def test_distances_by_scan_say_what_to_do_instead() -> None:
    neighbors = KNeighborsClassifier().fit([[0.0], [1.0], [2.0], [3.0], [4.0]], [0, 0, 1, 1, 1])
    with pytest.raises(SqlmlError, match="it uses the operator Scan") as caught:
        opened(
            to_onnx(neighbors, np.zeros((1, 1), np.float32)).SerializeToString(), requested(features=["x"]), None, ()
        )
    assert "Give the fitted estimator to sqlml.register_model" in caught.value.hint

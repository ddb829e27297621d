"""The manual's table of scikit-learn's classifiers and regressors is what the conversion does. No JVM."""

from __future__ import annotations

import re

import pytest
from helpers import brought_estimators
from helpers.brought_estimators import ESTIMATORS, PAGE, SHAPES
from sklearn.exceptions import ConvergenceWarning

from sqlml.errors import SqlmlError

pytestmark = [
    pytest.mark.usefixtures("without_sandbox"),
    pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"),
]

_ROWS = {
    name: (writer, rest)
    for name, writer, rest in re.findall(
        r"^\| (\w+) \| (\w+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
}
# One of each kind; the others are nightly.
_SOME = ("DummyRegressor", "OneVsRestClassifier", "RANSACRegressor", "RegressorChain", "TunedThresholdClassifierCV")


def test_every_estimator_has_a_row() -> None:
    assert tuple(_ROWS) == ESTIMATORS


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in _SOME else pytest.mark.nightly) for name in ESTIMATORS]
)
@pytest.mark.parametrize("shape", SHAPES)
def test_as_the_table_says(name: str, shape: str) -> None:
    writer, rest = _ROWS[name]
    if writer == "refused":
        with pytest.raises(SqlmlError) as caught:
            brought_estimators.converted(name, shape)
        # Some reasons begin with the name of the whole pipeline.
        assert brought_estimators.reason(caught.value).split(" ")[1:4] == rest.split(" ")[1:4]
        return
    found = brought_estimators.converted(name, shape)
    assert found.fidelity.rows > 150 and found.fidelity.label_mismatches == 0
    assert found.fidelity.max_abs_diff <= float(rest.removeprefix("≤ "))

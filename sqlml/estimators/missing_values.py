"""Which estimators take missing numbers themselves: for those nothing is imputed unless the option `impute` says so."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlml.estimators.estimator import Estimator

# HistGradientBoosting holds out a tenth of more rows than this to stop early, and makes its bins of 200,000 rows.
_ROWS_IT_TAKES_WHOLE = 10_000
_ROWS_A_NUMBER = 8_000


def are_taken(estimator: Estimator, task: str, params: Mapping[str, Any]) -> bool:
    """Whether the estimator takes NaN itself with these hyperparameters.

    Imports scikit-learn where its release decides: extra trees take NaN since 1.6, a tree's criterion
    `absolute_error` does only in later ones.
    """
    if not estimator.missing_by_release:
        return estimator.missing
    from sqlml.estimators.sklearn.model import library_class

    kind = library_class(estimator.classes[task])
    known = inspect.signature(kind).parameters
    model = kind(**{name: value for name, value in params.items() if name in known})
    try:
        from sklearn.utils import get_tags
    except ImportError:  # scikit-learn 1.5
        return bool(model._get_tags()["allow_nan"])
    return bool(get_tags(model).input_tags.allow_nan)


def least_known(estimator: Estimator, rows: int, params: Mapping[str, Any]) -> int:
    """How many numbers a column needs so that its gaps are left to the estimator; one with fewer is imputed.

    HistGradientBoosting fails where the rows that it makes bins of have no number in a column. With as many numbers as
    this, a random choice of rows misses all of them in less than one of 10⁹ fits.
    """
    if estimator.noun != "hist_gradient_boosting":
        return 0
    whole = rows <= _ROWS_IT_TAKES_WHOLE and params.get("early_stopping") is not True
    return 1 if whole else 10 + rows // _ROWS_A_NUMBER

"""Support for missing numbers by estimator. Those that handle NaN themselves get no imputation unless the option
`impute` asks for it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlml.estimators.library_classes import library_class

if TYPE_CHECKING:
    from sqlml.estimators.estimator import Estimator

# Above this number of rows, HistGradientBoosting holds out a tenth for early stopping. It bins a sample of 200,000
# rows. `least_known` asks for one more known value per 8,000 rows.
_ROWS_IT_TAKES_WHOLE = 10_000
_ROWS_A_NUMBER = 8_000


def are_taken(estimator: Estimator, task: str, params: Mapping[str, Any]) -> bool:
    """True if the estimator handles NaN itself with these hyperparameters.

    Imports scikit-learn if its release decides: extra trees support NaN since 1.6, a tree's criterion `absolute_error`
    only in later releases.
    """
    if not estimator.missing_by_release:
        return estimator.missing
    kind = library_class(estimator, task)
    known = inspect.signature(kind).parameters
    model = kind(**{name: value for name, value in params.items() if name in known})
    try:
        from sklearn.utils import get_tags
    except ImportError:  # scikit-learn 1.5
        return bool(model._get_tags()["allow_nan"])
    return bool(get_tags(model).input_tags.allow_nan)


def least_known(estimator: Estimator, rows: int, params: Mapping[str, Any]) -> int:
    """The number of known values a column needs so that its gaps are left to the estimator; a column with fewer is
    imputed.

    HistGradientBoosting fails if a column has no number in the rows it bins. With this many numbers, a random sample of
    the rows misses all of them in less than one fit in 10⁹.
    """
    if estimator.noun != "hist_gradient_boosting":
        return 0
    whole = rows <= _ROWS_IT_TAKES_WHOLE and params.get("early_stopping") is not True
    return 1 if whole else 10 + rows // _ROWS_A_NUMBER

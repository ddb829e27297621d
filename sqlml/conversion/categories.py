"""Category codes: the columns that pandas calls categorical, as the libraries of boosted trees number them."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import numpy_helper
from sklearn.base import BaseEstimator, TransformerMixin

from sqlml.conversion.example import Example
from sqlml.errors import SqlmlError
from sqlml.export.graph import Graph
from sqlml.export.sklearn.blocks import Block, NoEmitterError
from sqlml.signature import TEXT

# Models that split on categories themselves.
_OF_CATEGORIES = ("HistGradientBoosting", "LGBM", "XGB")


class CategoryCodes(TransformerMixin, BaseEstimator):
    """A step before a model: the columns in the model's order, each category as its code.

    Attributes:
        columns: for each column of the matrix its index among the features, and its categories or None.
        unknown: the code of an unknown category: NaN, or -1 where the emitter lists it among a node's categories.
    """

    def __init__(self, columns: list[tuple[int, tuple[Any, ...] | None]], unknown: float) -> None:
        self.columns, self.unknown = columns, unknown


def before(model: Any, example: Example) -> CategoryCodes | None:
    """Returns the step that a model of categories needs; None for other models, and where there are no texts."""
    if not any(feature.kind == TEXT for feature in example.features):
        return None
    if not type(model).__name__.startswith(_OF_CATEGORIES):
        return None
    columns = [(index, example.categories.get(feature.name)) for index, feature in enumerate(example.features)]
    if type(model).__name__.startswith("HistGradientBoosting"):
        return CategoryCodes([(index, known and tuple(sorted(known))) for index, known in columns], -1.0)
    return CategoryCodes(columns, np.nan)


def check(model: Any, example: Example) -> None:
    """Raises SqlmlError SQLML_MODEL_REFUSED if the example's categories are not those that a model was fitted to.

    Their order gives the codes, and a category that the example's column lacks would be scored as an unknown one.
    """
    fitted = _fitted(model)
    given = [example.categories[one.name] for one in example.features if one.name in example.categories]
    if not fitted or [tuple(map(str, one)) for one in given] == fitted:
        return
    raise SqlmlError(
        "SQLML_MODEL_REFUSED",
        f"The {type(model).__name__} was fitted to the categories {_shown(fitted)}, and the example has"
        f" {_shown(given)}.",
        hint="Give a part of the training's frame: X.head(1000) keeps the categories of X.",
    )


def _fitted(model: Any) -> list[tuple[str, ...]]:
    """The categories of each categorical column that a model of boosted trees was fitted to, in the columns' order."""
    name = type(model).__name__
    found: list[Any] = []
    if name.startswith("LGBM"):
        found = model.booster_.pandas_categorical or []
    elif name.startswith("XGB") and hasattr(model, "get_booster"):
        columns = model.get_booster().get_categories(export_to_arrow=True).to_arrow()
        found = [values.to_pylist() for _, values in columns if values is not None]
    elif name.startswith("HistGradientBoosting") and getattr(model, "_preprocessor", None) is not None:
        found = [list(one) for one in model._preprocessor.named_transformers_["encoder"].categories_]
    return [tuple(str(category) for category in one if category == category) for one in found]


def _shown(categories: Any) -> str:
    return "; ".join(", ".join(map(str, one[:8])) + (", …" if len(one) > 8 else "") for one in categories) or "none"


def emit(graph: Graph, blocks: list[Block], model: CategoryCodes) -> Block:
    """Writes the codes: LabelEncoder of texts, [rows, columns] in double."""
    values = []
    for index, categories in model.columns:
        block = blocks[index]
        if not block.text:
            values.append(block.value)
            continue
        if categories is None or not all(isinstance(category, str) for category in categories):
            raise NoEmitterError("splits on a text that pandas does not call categorical")
        values.append(
            graph.ml(
                "LabelEncoder",
                block.value,
                keys_strings=list(categories),
                values_tensor=numpy_helper.from_array(np.arange(len(categories), dtype=np.float64)),
                default_tensor=numpy_helper.from_array(np.array([model.unknown])),
            )
        )
    return Block(graph.concat(values), len(values))

"""Every way to say which features a model has comes to the same."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

from sqlml.errors import SqlmlError
from sqlml.importing.columns import declared
from sqlml.importing.request import Column

_EXPECTED = (Column("age", "double"), Column("plan", "string"), Column("n", "bigint"), Column("ok", "boolean"))
_SCHEMA = Schema([ColSpec("double", "age"), ColSpec("string", "plan"), ColSpec("long", "n"), ColSpec("boolean", "ok")])
_PANDAS = pd.DataFrame({"age": [1.5], "plan": ["a"], "n": [1], "ok": [True]})


@pytest.mark.parametrize(
    "signature",
    [
        "age double, plan string, n BIGINT, ok boolean",
        "age: double,`plan` string,  n long , ok BOOLEAN",
        [("age", "double"), ("plan", "string"), ("n", "bigint"), ("ok", "boolean")],
        {"age": "double", "plan": "string", "n": "long", "ok": "boolean"},
        ModelSignature(inputs=_SCHEMA),
        _PANDAS,
        pa.Table.from_pandas(_PANDAS),
    ],
    ids=["ddl", "ddl with colons", "pairs", "dictionary", "mlflow", "pandas", "arrow"],
)
def test_forms(signature: Any) -> None:
    assert declared(signature) == _EXPECTED


def test_names_and_types_of_more_than_one_word() -> None:
    assert declared("`a ``b``, c` decimal(10, 2), d int") == (Column("a `b`, c", "decimal(10,2)"), Column("d", "int"))


@pytest.mark.parametrize(
    ("signature", "condition"),
    [
        ("age", "SQLML_OPTION_INVALID"),
        ("age double plan", "SQLML_OPTION_INVALID"),
        (42, "SQLML_OPTION_INVALID"),
        (["age"], "SQLML_OPTION_INVALID"),
        (
            ModelSignature(inputs=Schema([TensorSpec(pd.Series([1.0]).to_numpy().dtype, (-1, 4))])),
            "SQLML_OPTION_INVALID",
        ),
        ("age binary", "SQLML_FEATURE_UNUSABLE"),
        (pa.table({"a": [[1.0]]}), "SQLML_FEATURE_UNUSABLE"),
    ],
    ids=["no type", "no comma", "number", "no pair", "tensor", "binary", "list"],
)
def test_what_is_none(signature: Any, condition: str) -> None:
    with pytest.raises(SqlmlError) as caught:
        declared(signature)
    assert caught.value.condition == condition

"""What a feature counted as unused must stand: any finite value in it, and the answers are the same."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import numpy as np
import pyarrow as pa

from sqlml.compiler.feature_usage import used_features
from sqlml.scoring.scorer import Scorer
from sqlml.signature import BOOLEAN, DATE, TEXT, TIMESTAMP, Feature, Signature


def check_unused(onnx: bytes, signature: Signature, rows: pa.Table) -> tuple[bool, ...]:
    """Returns `used_features`, after its word was taken: other values, and none at all, change no output."""
    used = used_features(onnx, signature)
    if all(used):
        return used
    dice = random.Random(5)
    columns = [rows[feature.name] for feature in signature.features]
    for left_out in (False, True):
        answers = []
        for _ in range(2):
            given = [
                column if taken else _others(feature, rows.num_rows, dice)
                for feature, column, taken in zip(signature.features, columns, used, strict=True)
            ]
            answers.append(Scorer(onnx, signature).raw(given))
        if left_out:
            answers[1] = Scorer(onnx, signature, used).raw(
                [column for column, taken in zip(columns, used, strict=True) if taken]
            )
        for name, one in answers[0].items():
            np.testing.assert_array_equal(one, answers[1][name], err_msg=name)
    return used


def _others(feature: Feature, rows: int, dice: random.Random) -> pa.Array:
    moment = dt.datetime(1990, 1, 1)

    def other() -> Any:
        if feature.kind == TEXT:
            return dice.choice(["", "red", "blau", "no such text"])
        if feature.kind == BOOLEAN:
            return dice.random() < 0.5
        if feature.kind in (DATE, TIMESTAMP):
            then = moment + dt.timedelta(seconds=dice.randrange(-(10**9), 10**9))
            return then.date() if feature.kind == DATE else then
        return dice.choice([0.0, -1.0, dice.gauss(0.0, 1.0), dice.uniform(-1e12, 1e12), 1e-300])

    return pa.array([other() for _ in range(rows)])

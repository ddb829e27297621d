"""Options that depend on the target's labels, shared by all engines: class weights, and checks of held-out rows and
encodings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlml.errors import SqlmlError, did_you_mean
from sqlml.jobs.job import BALANCED, MOST_CLASSES, Job
from sqlml.jobs.preparation import TARGET
from sqlml.signature import NUMBER, Signature, kind_of


def of_classes(weights: str | dict[str, float], counts: Sequence[int], labels: tuple[Any, ...]) -> list[float]:
    """The weight of each class.

    Args:
        weights: `BALANCED`, or weights by label; other labels weigh 1.
        counts: the number of training rows of each class.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID for an unknown label, or if all weights are 0.
    """
    if weights == BALANCED:
        # scikit-learn's formula: rows / (classes · rows of the class).
        return [sum(counts) / (len(labels) * count) for count in counts]
    assert isinstance(weights, dict)
    found = [1.0] * len(labels)
    for position, weight in by_position("class_weights", weights, labels).items():
        found[position] = float(weight)
    if not any(found):
        raise SqlmlError(
            "SQLML_OPTION_INVALID", "class_weights are 0 for every label, so there is nothing to learn from."
        )
    return found


def by_position(option: str, weights: dict[Any, Any], labels: tuple[Any, ...]) -> dict[int, Any]:
    """Converts weights by label (case does not matter if it is unambiguous) to weights by label index."""
    lowered = [str(label).lower() for label in labels]
    # A name in lower case is only accepted if it stands for one label.
    positions = {name: index for index, name in enumerate(lowered) if lowered.count(name) == 1}
    positions |= {str(label): index for index, label in enumerate(labels)}
    found: dict[int, Any] = {}
    for label, weight in weights.items():
        index = positions.get(str(label), positions.get(str(label).lower()))
        if index is None:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"{option} names {label!r}, which is not a label of the target.",
                hint=did_you_mean(str(label), [str(known) for known in labels]),
            )
        found[index] = weight
    return found


def unusable_weights(job: Job) -> SqlmlError:
    """The error for a weight column with invalid values."""
    return SqlmlError(
        "SQLML_OPTION_INVALID",
        f"weight_column {job.weight_column} has values that are NULL, negative or infinite, or all of them are 0.",
        hint="Correct them in the query, such as by coalesce and greatest.",
    )


def counts_all_the_same(job: Job, kind: str) -> SqlmlError:
    """The error for weights of an estimator that does not support them."""
    option = "weight_column" if job.weight_column else "class_weights"
    return SqlmlError(
        "SQLML_OPTION_INVALID", f"{option} is not supported by {kind}, which gives all rows the same weight."
    )


def too_many_classes(signature: Signature) -> SqlmlError:
    """The error for a target with more distinct values than `MOST_CLASSES`."""
    hint = "Group the values in the query, such as all rare ones into one."
    if kind_of(signature.target_type) == NUMBER:
        hint = "Predict a number with OPTIONS (task = 'regression'), or group the values in the query."
    message = f"The target {signature.target} has more than {MOST_CLASSES} different values."
    return SqlmlError("SQLML_TARGET_INVALID", message, hint=hint)


def check_learned(job: Job, counts: Sequence[int], labels: tuple[Any, ...]) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID if the split column holds out all rows, or all rows of a class.

    Args:
        counts: the number of training rows of each class; one number without classes.
    """
    if not any(counts):
        raise SqlmlError("SQLML_OPTION_INVALID", f"split_column {job.split_column} holds out all rows.")
    for label, count in zip(labels, counts, strict=False):
        if not count:
            raise SqlmlError(
                "SQLML_OPTION_INVALID",
                f"split_column {job.split_column} holds out all rows of {label!r}.",
                hint="Hold out fewer rows, or leave out that label in the query.",
            )


def check_encodings(job: Job, labels: tuple[Any, ...]) -> None:
    """Raises SqlmlError SQLML_OPTION_INVALID for target encoding of a target without a mean."""
    if TARGET in job.encode.values() and (job.signature.target is None or len(labels) > 2):
        what = "none" if job.signature.target is None else f"one with {len(labels)} classes"
        raise SqlmlError(
            "SQLML_OPTION_INVALID",
            f"encode = 'target' needs a target that is a number or has two classes, but there is {what}.",
            hint="Use 'onehot' or 'ordinal'.",
        )

"""The order of an imported classifier's classes: matches each column of its scores to a label.

The order in which a graph lists its classes need not be the order of its scores: a LabelEncoder has keys, a Gather has
indices, a comparison may be inverted. Therefore the label output is compared with the largest score on many rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sqlml.errors import SqlmlError
from sqlml.export.graph import STRING
from sqlml.importing.request import Request

if TYPE_CHECKING:
    from sqlml.importing.outputs import Answer

# A difference of scores below this (relative above 1) is a tie, which is evidence for neither class.
_TIE = 1e-5


@dataclass(frozen=True)
class Probed:
    """The outputs of the end of a graph on generated scores that reach every class.

    Attributes:
        label: [rows, 1].
        score: [rows, k].
        assumed: whether label and scores were fed separately, as the two outputs of a classifier operator. Then only
            the operators behind that classifier are tested, and not the classifier.
    """

    label: NDArray[Any]
    score: NDArray[Any]
    assumed: bool


# Runs the end of the graph; takes the label output, the score output and the number of classes.
Probe = Callable[["Answer", "Answer", int], Probed | None]


@dataclass(frozen=True)
class Evidence:
    """The label output and the scores of the same rows.

    Attributes:
        labels: [rows].
        scores: [rows, classes]; the largest is the predicted class.
    """

    labels: list[Any]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, label: NDArray[Any], score: NDArray[Any], centered: bool) -> Evidence:
        """Builds the evidence from a label output and a score output, without rows that have NaN.

        Args:
            score: [rows, classes], or [rows, 1] for the second of two classes.
            centered: whether a single score is a logit or a margin, whose threshold is 0 and not 0.5.
        """
        scores = score.astype(np.float64)
        if scores.shape[1] == 1:
            scores = np.hstack([-scores if centered else 1.0 - scores, scores])
        kept = np.flatnonzero(~np.isnan(scores).any(axis=1))
        return cls(label.ravel()[kept].tolist(), scores[kept])

    def pairs(self) -> list[tuple[int, Any]]:
        """For each row without a tie: the column of the largest score, and the label."""
        if not len(self.scores):
            return []
        ordered = np.sort(self.scores, axis=1)
        clear = ordered[:, -1] - ordered[:, -2] > _TIE * np.maximum(1.0, np.abs(ordered[:, -1]))
        columns = self.scores.argmax(axis=1).tolist()
        return [(column, label) for column, label, one in zip(columns, self.labels, clear, strict=True) if one]

    def order(self) -> tuple[Any, ...] | None:
        """The label of each column where the rows determine all of them; else None."""
        found: dict[int, set[Any]] = {}
        for column, label in self.pairs():
            found.setdefault(column, set()).add(label)
        classes = self.scores.shape[1]
        if len(found) == classes and all(len(labels) == 1 for labels in found.values()):
            order = tuple(next(iter(found[column])) for column in range(classes))
            return order if len(set(order)) == classes else None
        return self._by_threshold() if classes == 2 else None

    def _by_threshold(self) -> tuple[Any, ...] | None:
        """The order of two classes under a tuned threshold: all rows above it have one label, all below the other."""
        values = sorted(set(self.labels))
        if len(values) != 2:
            return None
        second = self.scores[:, 1]
        one = np.array([label == values[0] for label in self.labels])
        if second[one].max() < second[~one].min():
            return values[0], values[1]
        if second[~one].max() < second[one].min():
            return values[1], values[0]
        return None

    def disagreement(self, known: tuple[Any, ...]) -> tuple[int, Any] | None:
        """The column and the label of the first row in which the largest score belongs to another label."""
        return next(((column, label) for column, label in self.pairs() if known[column] != label), None)

    def fits_some_order(self) -> bool:
        """Returns whether the labels could be ordered so that the largest score is mostly that of the label.

        They could not where a graph chooses the smallest of three scores by ArgMin, or has more labels than scores.
        """
        if len(set(self.labels)) > self.scores.shape[1]:
            return False
        labels: dict[int, Counter[Any]] = {}
        for column, label in self.pairs():
            labels.setdefault(column, Counter())[label] += 1
        most = {column: counted.most_common(1)[0] for column, counted in labels.items()}
        agreeing = sum(count for _, count in most.values())
        return len({label for label, _ in most.values()}) == len(most) and 2 * agreeing >= len(self.pairs())

    def mostly_agrees(self, known: tuple[Any, ...]) -> bool:
        pairs = self.pairs()
        return 2 * sum(known[column] == label for column, label in pairs) >= len(pairs)


def classes_in_order(
    label: Answer,
    score: Answer,
    values: tuple[NDArray[Any], NDArray[Any]],
    probed: Probed | None,
    request: Request,
    classes: int,
) -> tuple[Any, ...]:
    """The values of the label output in the order of the score columns.

    The trial rows and the probed end of the graph may prove the order. Where they do, every other source
    (the user's labels, a ZipMap) must agree. Otherwise the listed order is taken unless the rows contradict it.

    Args:
        values: the label [rows, 1] and the scores [rows, k] on the trial rows.
        probed: the same for the end of the graph alone.

    Raises:
        SqlmlError: SQLML_TARGET_INVALID, which asks for `labels`, where label and scores contradict each other.
    """
    centered = request.activation is not None
    rows = Evidence.of(*values, centered)
    end = None if probed is None else Evidence.of(probed.label, probed.score, centered)
    proved = _proved(rows, end, assumed=probed is not None and probed.assumed)
    named = _are_its_words(label, request.labels, {*rows.labels, *(proved or ())})
    doubt = partial(_doubt, label, score, classes, rows.fits_some_order())
    # Not proved: the listed order, which the rows must not contradict.
    if proved is None:
        known = request.labels if named else _listed(label, score, request.labels, classes)
        # The user's order is accepted in an unclear case, unless most rows contradict it.
        odd = None if named and rows.mostly_agrees(known) else rows.disagreement(known)
        if odd is not None:
            column, word = odd
            raise doubt(
                column, word, f"{'labels has' if named else 'the graph lists'} {known[column]!r} in that position"
            )
        return known
    # Proved: all other sources must agree.
    for order, by in _other_orders(score, proved, request.labels, named):
        for column, (word, other) in enumerate(zip(proved, order, strict=True)):
            if word != other:
                raise doubt(column, word, f"{by} {other!r} in that position", proved)
    return proved


def _other_orders(
    score: Answer, proved: tuple[Any, ...], labels: tuple[Any, ...], named: bool
) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yields the other sources of the order that have to agree with the proved one, each with words for a message."""
    numbers = tuple(range(len(proved)))
    if named:
        yield labels, "labels has"
        return  # the user has answered the question, so that a ZipMap's order no longer matters
    if labels and set(proved) == set(numbers):
        # The user's names may be meant in the order of the class numbers or of the columns: the two must be the same.
        yield numbers, "labels could be in the order of the classes, with class"
    if score.last == "ZipMap" and set(score.classes) == set(proved):
        yield score.classes, "its ZipMap has"


def _proved(rows: Evidence, end: Evidence | None, *, assumed: bool) -> tuple[Any, ...] | None:
    """The order that trial rows and the end of the graph agree on; None where neither decides or one contradicts."""
    orders = {order for order in (rows.order(), None if end is None else end.order()) if order is not None}
    found = next(iter(orders)) if len(orders) == 1 else None
    return None if assumed and found is not None and not rows.mostly_agrees(found) else found


def _are_its_words(label: Answer, labels: tuple[Any, ...], returned: set[Any]) -> bool:
    """Whether the user's labels are the values of the label output, rather than new names for them."""
    kinds = (str,) if label.dtype == STRING else (int,)
    return bool(labels) and all(type(one) in kinds for one in labels) and returned <= set(labels)


def _listed(label: Answer, score: Answer, labels: tuple[Any, ...], classes: int) -> tuple[Any, ...]:
    own = score.classes or label.classes
    return own if len(own) == classes else label_values(label, labels, classes)


def label_values(label: Answer, labels: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    """The values of a label output whose graph does not list them: the user's labels, or 0 … count-1."""
    numbers = tuple(range(count))
    if label.dtype == STRING:
        if labels and isinstance(labels[0], str):
            return labels
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The output {label.name} is a string, and the graph does not list its values.",
            hint="Give labels=['…', …], in the order of the probabilities.",
        )
    if count == 0:
        raise SqlmlError(
            "SQLML_TARGET_INVALID",
            f"The output {label.name} is the number of a class, and the graph does not list the classes.",
            hint="Give labels=['…', …], of which the first is the name of class 0.",
        )
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in labels)
    return labels if labels and whole and set(labels) != set(numbers) else numbers


def _doubt(
    label: Answer,
    score: Answer,
    classes: int,
    some_order: bool,
    column: int,
    word: Any,
    otherwise: str,
    order: tuple[Any, ...] = (),
) -> SqlmlError:
    which = f"labels=[{', '.join(map(repr, order))}]" if order else "labels=[…]"
    largest = f"In rows where column {column + 1} of {classes} of the output {score.name} is the largest"
    if not some_order:
        return SqlmlError(
            "SQLML_TARGET_INVALID",
            f"{largest}, the output {label.name} is {word!r}, and no order of the labels makes the largest score that"
            " of"
            " the label.",
            hint=f"Leave the scores out: outputs=['{label.name}'], with all classes in labels=[…].",
        )
    return SqlmlError(
        "SQLML_TARGET_INVALID",
        f"{largest}, the output {label.name} is {word!r}, but {otherwise}.",
        hint=f"Give {which} in the order of {score.name}, or use one of the outputs alone: outputs=['{score.name}']"
        " takes"
        f" the label from the scores, and outputs=['{label.name}'] leaves the scores out.",
    )

"""Columns between the steps of a pipeline of scikit-learn: numbers, or texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sqlml.export.graph import Graph


@dataclass(frozen=True)
class Block:
    """Some columns of one type: a tensor [rows, width] of doubles or of strings.

    `missing` is what NULL_TEXT stands for in the library: NaN, or None where the model was fitted to that.
    """

    value: str
    width: int
    text: bool = False
    missing: Any = float("nan")


Emit = Callable[[Graph, Sequence[Block], Any], Block]


class NoEmitterError(Exception):
    """A use of a transformer that its emitter does not cover; the text completes "X …"."""


def joined(graph: Graph, blocks: Sequence[Block]) -> Block:
    """All columns as one block.

    Raises:
        NoEmitterError: for numbers beside texts, which numpy joins as objects.
    """
    if len({block.text for block in blocks}) > 1:
        raise NoEmitterError("joins numbers and texts")
    width = sum(block.width for block in blocks)
    return replace(blocks[0], value=graph.concat([block.value for block in blocks]), width=width)


def numbers(graph: Graph, blocks: Sequence[Block]) -> Block:
    found = joined(graph, blocks)
    if found.text:
        raise NoEmitterError("computes with texts")
    return found


def columns(graph: Graph, blocks: Sequence[Block]) -> list[Block]:
    """Each column as a block of its own."""
    found = []
    for block in blocks:
        if block.width == 1:
            found.append(block)
            continue
        for index in range(block.width):
            value = graph.op("Gather", block.value, graph.constant([index], np.int64), axis=1)
            found.append(replace(block, value=value, width=1))
    return found

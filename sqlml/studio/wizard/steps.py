"""The definition of a wizard's step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui.element import Element

from sqlml.studio.screen import Screen
from sqlml.studio.wizard.draft import Draft

# Reports whether the step is complete.
Ready = Callable[[bool], None]


@dataclass(frozen=True)
class Step:
    """A step of the wizard.

    Attributes:
        question: its heading.
        fill: draws the step, runs its queries, and reports when it is complete.
        go_on: the label of the button that leads to it.
    """

    title: str
    question: str
    fill: Callable[[Screen, Draft, Element, Ready], Awaitable[None]]
    go_on: str = "Next"

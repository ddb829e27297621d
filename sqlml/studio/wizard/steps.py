"""What each step of the wizard is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui.element import Element

from sqlml.studio.screen import Screen
from sqlml.studio.wizard.draft import Draft

# Tells whether what the step needs is there.
Ready = Callable[[bool], None]


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        question: what it asks.
        fill: draws it, asks what it has to ask, and says when the next one can come.
        go_on: what the button says that leads to it.
    """

    title: str
    question: str
    fill: Callable[[Screen, Draft, Element, Ready], Awaitable[None]]
    go_on: str = "Next"

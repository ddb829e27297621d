"""A list of options, exactly one of which can be chosen, as toggle buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui.element import Element

from sqlml.studio.elements import button, element, text


@dataclass(frozen=True)
class Choice:
    """One option.

    Attributes:
        key: its value in the program.
        note: a text below its title.
    """

    key: Any
    title: str
    note: str = ""


class Options:
    """A list of toggle buttons.

    Args:
        label: the list's name for screen readers.
        on_pick: called with the key of the chosen option.
    """

    def __init__(self, label: str, on_pick: Callable[[Any], Awaitable[None] | None], classes: str = "") -> None:
        self._box: Element = element("div", f"options {classes}", role="group", aria_label=label)
        self._on_pick = on_pick
        self._choices: Sequence[Choice] = ()
        self._buttons: dict[Any, Element] = {}

    def fill(self, choices: Sequence[Choice], picked: Any = None) -> None:
        self._choices = choices
        self._box.clear()
        self._buttons = {}
        with self._box:
            for choice in choices:
                self._buttons[choice.key] = self._option(choice, choice.key == picked)

    def filter(self, wanted: str) -> int:
        """Shows only options whose title contains a text; returns their number."""
        shown = [choice for choice in self._choices if wanted.lower() in choice.title.lower()]
        keys = {choice.key for choice in shown}
        for key, made in self._buttons.items():
            made.set_visibility(key in keys)
        return len(shown)

    def _option(self, choice: Choice, picked: bool) -> Element:
        made: Element = button("", lambda: self._pick(choice.key), "option")
        made._props["aria-pressed"] = str(picked).lower()
        with made:
            text(choice.title, "option-title")
            if choice.note:
                text(choice.note, "note")
        return made

    def _pick(self, key: Any) -> Awaitable[None] | None:
        for one, made in self._buttons.items():
            made._props["aria-pressed"] = str(one == key).lower()
            made.update()
        return self._on_pick(key)

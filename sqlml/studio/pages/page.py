"""The definition of a page: its path, title and builder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlml.studio.screen import Studio


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        path: its URL path; parts in braces and the query string are arguments of the function that `builder` returns.
        builder: takes the shared `Studio`; returns the function that fills a visitor's page.
    """

    path: str
    title: str
    builder: Callable[[Studio], Callable[..., Any]]

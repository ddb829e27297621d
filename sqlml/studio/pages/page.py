"""What each page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlml.studio.screen import Studio


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        path: where it is; its parts in braces and its query are arguments of what the builder gives.
        builder: of what all pages share, the function that fills a visitor's page.
    """

    path: str
    title: str
    builder: Callable[[Studio], Callable[..., Any]]

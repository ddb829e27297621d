"""What benchmarks need that tests do not."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def driver_memory() -> str:
    """A million rows are collected through the JVM, by TRAIN and by hand alike."""
    return "4g"

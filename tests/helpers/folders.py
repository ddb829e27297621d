"""Where things lie that tests read or write."""

from __future__ import annotations

from pathlib import Path

# Of the repository.
ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
# SQL, and what every door must answer to it.
GOLDEN = TESTS / "golden"
FIXTURES = TESTS / "fixtures"

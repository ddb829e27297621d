"""orbital (Posit): a scikit-learn pipeline as SQL. It wants other versions of ONNX's packages than sqlml has, so it is
installed into an environment of its own, and this file is run there: `python orbital.py pipeline.joblib numbers texts`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.models import Trained

# The library whose object it reads has to be the same; the rest is what orbital asks for.
REQUIREMENTS = "orbital==0.6.0 scikit-learn=={sklearn} numpy=={numpy} pandas=={pandas}"
_SECONDS = 600


def python() -> Path:
    """The Python of an environment with orbital.

    Raises:
        RuntimeError: it cannot be installed here.
    """
    import numpy
    import pandas
    import sklearn
    from helpers.environments import packages

    versions = {"sklearn": sklearn.__version__, "numpy": numpy.__version__, "pandas": pandas.__version__}
    try:
        return packages("orbital", REQUIREMENTS.format(**versions).split())
    except AssertionError as error:
        raise RuntimeError(f"orbital cannot be installed: {str(error).strip().splitlines()[-1]}") from error


def select(trained: Trained) -> str:
    """The SELECT of the probability of 1 and of nothing else, with {table} and {name} for the names of both.

    Raises:
        RuntimeError: orbital has no SQL for the model.
    """
    place = trained.place / "orbital.sql"
    if not place.exists():
        data = trained.model.data
        arguments = [str(trained.place / "pipeline.joblib"), *map(",".join, (data.numbers, data.texts))]
        # Isolated: this file's own folder would hide the package whose name it has.
        command = [str(python()), "-I", __file__, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        if done.returncode:
            raise RuntimeError(f"orbital: {done.stderr.strip().splitlines()[-1]}")
        partial = place.with_suffix(".partial")
        partial.write_text(done.stdout, encoding="utf-8")
        partial.rename(place)
    text = place.read_text(encoding="utf-8").replace("{", "{{").replace("}", "}}")
    inner = text.replace("`orbital_source`", "{table}")
    return f"SELECT `output_probability.1` AS {{name}} FROM ({inner})"


def _export(pipeline: str, numbers: str, texts: str) -> str:
    import joblib
    import orbital
    from orbital.types import DoubleColumnType, StringColumnType

    features = {name: DoubleColumnType() for name in numbers.split(",")}
    features |= {name: StringColumnType() for name in texts.split(",") if name}
    parsed = orbital.parse_pipeline(joblib.load(pipeline), features=features)
    # The dialect of Databricks is Spark's; the one called pyspark wants a Spark of its own.
    return orbital.export_sql("orbital_source", parsed, dialect="databricks")


if __name__ == "__main__":
    print(_export(*sys.argv[1:]))

"""How often the query of a statement is parsed, by Spark and by our tokenizer: as often as there are reasons to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sqlml.parser import tokens

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MARK = "/* counted */"
_QUERY = f"SELECT {_MARK} id, 2 * id AS twice FROM range(40)"
_TRAIN = "TRAIN MODEL parsed USING linear_regression TARGET twice OPTIONS (test_fraction = 0)"
_PARSER = "org.apache.spark.sql.execution.SparkSqlParser"


@dataclass
class _Counts:
    """The texts that Spark's parser says it parses, in its debug log, and those that are tokenized."""

    written: Any
    tokenized: list[str]

    def of(self, mark: str) -> tuple[int, int]:
        parsed = str(self.written.toString()).split("\0")
        return sum(mark in text for text in parsed), sum(mark in text for text in self.tokenized)

    def clear(self) -> None:
        self.written.getBuffer().setLength(0)
        self.tokenized.clear()


@pytest.fixture
def counts(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Counts]:
    jvm: Any = spark.sparkContext._jvm
    log4j, level = jvm.org.apache.logging.log4j, jvm.org.apache.logging.log4j.Level
    found = _Counts(jvm.java.io.StringWriter(), [])
    layout = log4j.core.layout.PatternLayout.newBuilder().withPattern("%m\0").build()
    appender = log4j.core.appender.WriterAppender.createAppender(layout, None, found.written, "counts", False, True)
    appender.start()
    log4j.core.config.Configurator.setLevel(_PARSER, level.DEBUG)
    logger = log4j.LogManager.getLogger(_PARSER)
    logger.setAdditive(False)
    logger.addAppender(appender)
    tokenize = tokens._DIALECT.tokenize

    def counted(text: str) -> Any:
        found.tokenized.append(text)
        return tokenize(text)

    monkeypatch.setattr(tokens._DIALECT, "tokenize", counted)
    yield found
    logger.removeAppender(appender)
    logger.setAdditive(True)
    log4j.core.config.Configurator.setLevel(_PARSER, level.ERROR)


def test_a_query_is_parsed_once_for_each_reason(spark: SparkSession, counts: _Counts) -> None:
    # What runs, and how often Spark parses the query and a text with it is tokenized.
    runs = {
        f"EXPLAIN {_TRAIN} AS {_QUERY}": (1, 1),
        f"{_TRAIN} AS {_QUERY}": (1, 1),
        f"{_TRAIN.replace('TRAIN', 'CREATE', 1)} AS {_QUERY}": (1, 1),
        # The stored statement.
        "RETRAIN MODEL parsed": (1, 1),
        # The statement's own text; the stored one has the other query.
        f"RETRAIN MODEL parsed AS {_QUERY} WHERE id < 30": (1, 2),
        # The second time for the calls in it, which are made plain.
        f"{_TRAIN} AS {_QUERY} WHERE PREDICT(parsed, *) < 50": (1, 2),
        f"ENRICH TABLE ({_QUERY}) AS s WITH MODEL parsed MAP (id = s.id + 1) SHOW SQL": (1, 1),
        # The second time in CREATE VIEW, whose text Spark stores.
        f"ENRICH TABLE ({_QUERY}) AS s WITH MODEL parsed MAP (id = s.id + 1) CREATE VIEW parsed_view": (2, 2),
        # And in the SELECT whose types the function returns.
        f"ENRICH TABLE ({_QUERY}) WITH MODEL parsed CREATE TEMPORARY FUNCTION parsed_function": (2, 2),
    }
    found = {}
    for text in runs:
        counts.clear()
        spark.sql(text).collect()
        found[text] = counts.of(_MARK)
    spark.sql("DROP VIEW parsed_view")
    spark.sql("DROP TEMPORARY FUNCTION parsed_function")
    spark.sql("DROP MODEL parsed")
    assert found == runs


def test_a_transform_is_parsed_once(spark: SparkSession, counts: _Counts) -> None:
    spark.sql(f"{_TRAIN.replace('OPTIONS', 'TRANSFORM (id + 1 /* listed */ AS more) OPTIONS')} AS {_QUERY}").collect()
    assert (counts.of("/* listed */"), counts.of(_MARK)) == ((1, 1), (1, 1))
    counts.clear()
    # The version has it as text; Spark resolves it once for each call.
    spark.sql("SELECT PREDICT(parsed, id) FROM range(3)").collect()
    assert counts.of("/* listed */") == (1, 0)
    spark.sql("DROP MODEL parsed")


def test_the_query_that_finds_a_model_is_parsed_once(spark: SparkSession, counts: _Counts) -> None:
    spark.sql(f"{_TRAIN} AS {_QUERY}")
    spark.sql("EXPORT MODEL parsed INTO TABLE parsed_models")
    counts.clear()
    spark.sql(f"IMPORT MODEL parsed FROM (SELECT {_MARK} model FROM parsed_models)")
    assert counts.of(_MARK) == (1, 1)
    spark.sql("DROP TABLE parsed_models")
    spark.sql("DROP MODEL parsed")

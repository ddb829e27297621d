"""Golden files: `tests/golden/<topic>.sql` is said at every door, `<topic>.sql.out` is what each must answer.

A statement ends with a semicolon at the end of a line. Lines that begin with `--` before a statement are prose, or:

    -- !include sql/data/customers.sql   its statements run here, and are not part of the answer
    -- !keep <regular expression>        of the next statement's output or message, only what matches
    -- !only pyspark connect             the next statement is for these doors (the others cannot express it)
    -- !file-only pyspark                the whole file is

Determinism is the file's duty (ORDER BY, round()). What changes from run to run all the same is masked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import starmap, zip_longest
from pathlib import Path

from helpers.doors.result import Door, Failure, Result
from helpers.folders import ROOT

MASKED = "<masked>"
_MASKED_COLUMNS = {"seconds", "run_id", "created", "digest"}
# Metrics and differences depend on the last bits of sums, which depend on the processor.
_ROUNDED_COLUMNS = {"metrics", "fidelity", "score"}
_MASKED_TEXTS = (
    re.compile(r"\b[0-9a-f]{64}\b"),  # a digest
    re.compile(r"\b[0-9a-f]{32}\b"),  # a run
    re.compile(r"(?<='sqlml\.enrichment' = ')[0-9a-f]{16}"),
    re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"),
    re.compile(r"(?<=#)\d+L?"),  # Spark's expression numbers
    re.compile(r"\bpython \d[\d.]*, .*"),  # the versions of what trained a model
    re.compile(r"(?<=VERSION AS OF )\d{10,}|(?<=version )\d{10,}|(?<=ID )\d{10,}"),  # a snapshot of Iceberg
    re.compile(r"(?<=scikit-learn )\d[\w.]*|(?<=Spark MLlib )\d[\w.]*|(?<=skl2onnx )\d[\w.]*"),
)
_NUMBER = re.compile(r"(?<![\w\"])-?\d+\.\d+(?:E-?\d+)?")


@dataclass(frozen=True)
class Statement:
    text: str
    included: bool = False
    keep: str | None = None
    only: frozenset[str] = frozenset()

    def is_for(self, door: Door) -> bool:
        return not self.only or door.name in self.only


@dataclass(frozen=True)
class Answer:
    """One statement's answer as the `.out` file has it."""

    query: str
    schema: tuple[tuple[str, str | None], ...] = ()
    output: tuple[str, ...] = ()
    failure: Failure | None = None

    def text(self) -> str:
        if self.failure is not None:
            known = f"{self.failure.condition} {self.failure.sqlstate}{self.failure.place}"
            parts = ["-- !query", self.query, "-- !error", known, self.failure.message]
        else:
            schema = ", ".join(f"{name} {kind}" for name, kind in self.schema)
            parts = ["-- !query", self.query, "-- !schema", schema, "-- !output", *self.output]
        return "\n".join(parts) + "\n"


def read_statements(path: Path, included: bool = False) -> list[Statement]:
    statements: list[Statement] = []
    lines: list[str] = []
    file_only = frozenset[str]()
    directives: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not lines and line.startswith("-- !"):
            word, _, value = line.removeprefix("-- !").partition(" ")
            if word == "include":
                data = read_statements(ROOT / value.strip(), included=True)
                statements += [replace(statement, only=file_only) for statement in data]
            elif word == "file-only":
                file_only = frozenset(value.split())
            elif word in ("keep", "only"):
                directives[word] = value.strip()
            else:
                raise ValueError(f"{path}: unknown directive {line!r}")
        elif lines or (line.strip() and not line.startswith("--")):
            lines.append(line)
            if line.rstrip().endswith(";"):
                text = "\n".join(lines).rstrip().removesuffix(";")
                only = file_only or frozenset(directives.get("only", "").split())
                statements.append(Statement(text, included, directives.get("keep"), only))
                lines, directives = [], {}
    if lines:
        raise ValueError(f"{path}: the last statement has no semicolon: {lines}")
    return statements


def answer(statement: Statement, result: Result) -> Answer:
    """A door's result in the form of the golden file: masked, cut, one line a row."""
    if result.failure is not None:
        failure = result.failure
        if statement.keep is not None:
            failure = replace(failure, message=" ".join(re.findall(statement.keep, failure.message)))
        return Answer(statement.text, failure=failure)
    names = [name for name, _ in result.columns]
    # In a shell a text of several lines is several rows, of fewer cells.
    rows = ["\t".join(starmap(_mask, zip_longest(names[: len(row)], row, fillvalue=""))) for row in result.rows]
    if statement.keep is not None:
        rows = [found for row in rows for found in re.findall(statement.keep, row)]
    return Answer(statement.text, result.columns, tuple(line for row in rows for line in row.split("\n")))


def _mask(column: str, value: str) -> str:
    if column.lower() in _MASKED_COLUMNS and value != "NULL":
        return MASKED
    # A graph has its metrics in it, with all their digits; so its size depends on the processor too.
    if column.lower() == "bytes" and value.isdigit() and len(value) > 2:
        return MASKED
    if column.lower() in _ROUNDED_COLUMNS:
        return _NUMBER.sub(lambda found: str(round(float(found.group()), 4) + 0.0), value)
    for pattern in _MASKED_TEXTS:
        value = pattern.sub(MASKED, value)
    return value


def read_answers(path: Path) -> list[Answer]:
    # A blank line stands between two answers, and none after the last.
    text = path.read_text(encoding="utf-8") + "\n"
    blocks = re.split(r"^-- !query\n", text, flags=re.MULTILINE)[1:]
    return [_read_answer(block.removesuffix("\n\n")) for block in blocks]


def _read_answer(block: str) -> Answer:
    query, _, rest = block.partition("\n-- !error\n")
    if rest:
        known, _, message = rest.partition("\n")
        found = re.fullmatch(r"(\S*) (\S*)(?: at line (\d+), position (\d+))?", known)
        assert found, known
        place = (int(found[3]), int(found[4])) if found[3] else (None, None)
        return Answer(query, failure=Failure(found[1], found[2], message, *place))
    query, _, rest = block.partition("\n-- !schema\n")
    schema, _, output = rest.partition("\n-- !output")
    columns = tuple(_read_columns(schema))
    return Answer(query, columns, tuple(output.removeprefix("\n").split("\n")) if output else ())


def _read_columns(schema: str) -> Iterator[tuple[str, str | None]]:
    """`a int, b map<string,double>` → pairs; types have no blank, the names of golden files no comma."""
    for column in re.split(r", (?![^<(]*[>)])", schema) if schema else []:
        name, _, kind = column.rpartition(" ")
        yield name, kind


def write_answers(path: Path, answers: Sequence[Answer]) -> None:
    heading = "-- Written by `pytest --update-golden`: what every door must answer to the file beside this one.\n\n"
    path.write_text(heading + "\n".join(given.text() for given in answers), encoding="utf-8")


def differences(door: Door, expected: Answer, given: Answer) -> str:
    """What a door says that is not what it should say; '' when all is well. Compares what the door can show."""
    if expected.failure is not None or given.failure is not None:
        wanted, got = _comparable(door, expected), _comparable(door, given)
    else:
        wanted, got = _shown(door, expected), _shown(door, given)
    if wanted == got:
        return ""
    return f"{expected.query}\n  expected {wanted}\n  got      {got}"


def _comparable(door: Door, of: Answer) -> object:
    if of.failure is None:
        return of.output
    has_place = door.keeps_lines or "\n" not in of.query
    place = of.failure.place if has_place else ""
    return of.failure.condition, of.failure.sqlstate, of.failure.message, place


def _shown(door: Door, of: Answer) -> object:
    names = tuple(name for name, _ in of.schema)
    if not door.shows_types:
        # A shell prints no header over nothing.
        return (names if of.output else (), of.output)
    return names, tuple(_thrift_type(kind) if door.name == "pyhive" else kind for _, kind in of.schema), of.output


_THRIFT_TYPES = {"long": "bigint", "short": "smallint", "byte": "tinyint", "integer": "int", "void": "null"}


def _thrift_type(kind: str | None) -> str:
    """The Thrift protocol has no types inside types, and no precision in its names."""
    outer = re.split(r"[<(]", kind or "")[0]
    return _THRIFT_TYPES.get(outer, outer)

"""Statements and calls that nobody wrote, made of those that somebody may: every mistake has a condition and a place.

`SQLML_INTERNAL_ERROR` is what any other exception would be for a user, so none may come out of parsing and rewriting.
"""

from __future__ import annotations

import json
import random

import pytest
from helpers.folders import FIXTURES

from sqlml.errors import CONDITIONS, SqlmlError
from sqlml.parser.functions import rewrite
from sqlml.parser.tokens import tokenize
from sqlml.signature import Feature, Signature
from sqlml.spark.bridge import Bridge, _scripted
from sqlml.statements import HEADS, parse
from sqlml.statements.declare import Declare

_GRAMMAR = FIXTURES / "grammar"
_SEEDS = [
    line.split(" ⇒ ")[0].replace("⏎", "\n")
    for name in ("identity.sql", "errors.sql", "rewrite.sql")
    for line in (_GRAMMAR / name).read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("--")
]
# What the rules of the tokenizer, of numbers, texts and names are likely to differ about.
_ODD = (
    *("1e", "1e3.", "0.9EL", "1.5L", "2D", ".5", "1e999", "9" * 5_000, "0x", "0xZZ", "1_000", "²", "-", "+"),
    *("''", "'it''s'", "r'x'", '"d"', "X'0'", "b'1'", "``", "`a``b`", "'", '"', "`", "--", "/*", "*/", "'\\", "\\"),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        ",",
        ";",
        ":",
        "::",
        "?",
        "??",
        "@",
        "@@",
        "#",
        "$",
        "${x}",
        "=>",
        "->",
        "|>",
    ),
    *(
        "é",
        "\U0001f600",
        "\x00",
        "\u00a0",
        "\ufeff",
        "\n",
        "\t",
        "NULL",
        "TRUE",
        "IDENTIFIER",
        "IDENTIFIER(",
        ":n",
        "?",
    ),
    *("array(", "map(", "map('a',", "hparam_range(", "STRUCT<a:INT>", "FLOAT(99999999999999999999)", "*", "t.*", "/1"),
    *("* EXCEPT (a)", "GROUP BY 1", "HAVING", "OVER (", "FILTER (WHERE", "TABLE", "WITH (", "AS", "END", "BEGIN", "DO"),
)
_SIGNATURE = Signature("classification", (Feature("age", "double"),), "y", "string", ("no", "yes"), probabilities=True)
_VALUES = json.dumps({"named": {"n": "1.0E300D", "s": "'it\\'s'"}, "positional": ["NULL", "array(1, 2)"]})


def _pieces(text: str) -> list[str]:
    """The tokens of a text as they are written, with a blank between two."""
    try:
        return [text[token.start : token.end + 1] for token in tokenize(text)]
    except SqlmlError:
        return text.split()


_PIECES = [_pieces(seed) for seed in _SEEDS]
_WORDS = sorted({piece for pieces in _PIECES for piece in pieces} | {word for head in HEADS for word in head})


def _mutant(source: random.Random) -> str:
    pieces = [*source.choice(_PIECES)]
    for _ in range(source.choice((1, 1, 2, 3, 8))):
        at = source.randrange(len(pieces) + 1)
        match source.randrange(7):
            case 0:
                del pieces[at : at + source.randint(1, 3)]
            case 1:
                pieces.insert(at, source.choice(_ODD))
            case 2:
                pieces.insert(at, source.choice(_WORDS))
            case 3:
                pieces[at : at + 1] = [source.choice(_ODD)]
            case 4:
                pieces[at:at] = source.choice(_PIECES)[source.randrange(5) :]
            case 5:
                pieces[at : at + 2] = reversed(pieces[at : at + 2])
            case _:
                pieces[at:at] = pieces[at : at + source.randint(1, 9)] * source.choice((1, 1, 60))
    text = source.choice((" ", " ", " ", "\n", "")).join(pieces)
    return text if source.random() < 0.8 else f"BEGIN {text}; {source.choice(_SEEDS)}; END"


def _check_offset(condition: str, offset: int | None, text: str) -> None:
    # A text that is too long has no wrong place; and with an offset Spark would print all of it.
    if condition != "SQLML_STATEMENT_TOO_LONG":
        assert offset is not None
        assert 0 <= offset <= len(text)


def _check(text: str, bridge: Bridge) -> None:
    reply = bridge.parse(text, _VALUES)
    if reply is not None and (error := json.loads(reply).get("error")):
        assert error["condition"] != "SQLML_INTERNAL_ERROR", error["traceback"]
        _check_offset(error["condition"], error["offset"], text)
    statement = None
    for work in (
        lambda: rewrite(
            text, lambda reference: ("x y", "b"), lambda reference: _SIGNATURE, _scripted(text, _VALUES)[1]
        ),
        lambda: parse(text),
    ):
        try:
            statement = work()
        except SqlmlError as error:
            assert error.condition in CONDITIONS
            _check_offset(error.condition, error.offset, text)
            statement = None
    # DECLARE is kept nowhere, and its names in brackets are Spark's in what it shows.
    if statement is not None and not isinstance(statement, Declare):
        assert parse(statement.sql()) == statement, statement.sql()


@pytest.mark.parametrize(
    ("count", "seed"),
    # `make test` tries the same texts each time; by night they are others, and a failure says the seed.
    [
        pytest.param(1_500, 1, id="a_slice"),
        pytest.param(100_000, random.randrange(2**32), marks=pytest.mark.nightly, id="a_hundred_thousand"),
    ],
)
def test_no_text_is_an_internal_error(count: int, seed: int) -> None:
    bridge = Bridge(None)  # type: ignore[arg-type]  # Parsing asks no application.
    for number in range(count):
        text = _mutant(random.Random(f"{seed}/{number}"))
        try:
            _check(text, bridge)
        except Exception as error:
            error.add_note(f"mutant {seed}/{number}: {text!r}")
            raise

"""A sqlglot dialect with sqlml's SQL, for tools that parse every text with sqlglot before sending it, such as Superset.

    SQLGLOT_DIALECTS_EXTENSIONS = {"hive": SqlmlSpark}       # in superset_config.py

Plain sqlglot rejects `TRAIN MODEL` and has a PREDICT of its own, whose number of arguments it checks and whose text it
changes. In this dialect our statements pass unchanged, and PREDICT becomes its synonym ML_PREDICT:

    TRAIN MODEL m … AS SELECT …                    one opaque command, byte for byte
    SELECT PREDICT(m, a, b)                        → SELECT ML_PREDICT(m, a, b)
    SELECT PREDICT(MODEL m, a)                     → SELECT ML_PREDICT(m, a)
    SELECT * FROM PREDICT('m', TABLE(t))           → SELECT * FROM ML_PREDICT('m', TABLE(SELECT * FROM t))
    SELECT * FROM ML.PREDICT(MODEL m, TABLE t)     → SELECT * FROM ML_PREDICT(m, TABLE(SELECT * FROM t))

The tables in the last two become queries, so that a tool that checks which tables a text reads finds them. T-SQL's
`PREDICT(MODEL = …)` stays an error: sqlglot has no tree for it.

It needs sqlglot 28 to 30, the package's jar, which holds the first words of our statements, and no other module of
sqlml. Only `Dialect` is subclassed, and only tokens are changed: sqlglot's compiled build refuses subclasses of its
parser, generator and expressions.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlglot import Token, TokenType
from sqlglot.dialects.spark import Spark

_JAR = Path(__file__).parent / "spark" / "jars" / "sqlml.jar"


def _leading_words() -> Iterator[tuple[str, ...]]:
    """Yields the first words of each statement. The build writes them into the jar, for Spark's parser and for this.

    Raises:
        ImportError: in a source tree that was never built.
    """
    if not _JAR.is_file():
        raise ImportError(f"There is no {_JAR}: install the package with pip, or run python hatch_build.py.")
    with zipfile.ZipFile(_JAR) as jar:
        for line in jar.read("org/sqlml/heads.txt").decode().splitlines():
            # Spark has a DECLARE of its own; T-SQL's has an @.
            yield ("DECLARE", "@") if line == "DECLARE" else tuple(line.split())


COMMANDS = tuple(_leading_words())
# A function that sqlglot parses into an expression of its own → a synonym that it passes unchanged.
INERT = {"PREDICT": "ML_PREDICT"}
_CALLS = {"PREDICT", "ML_PREDICT", "PREDICT_PROBA", "ML_PREDICT_PROBA"}
_BEFORE_TABLE = {TokenType.FROM, TokenType.JOIN, TokenType.LATERAL}
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
_BEGIN_QUERY = {"SELECT", "FROM", "WITH", "VALUES", "TABLE"}
_QUOTED = {TokenType.STRING, TokenType.RAW_STRING, TokenType.IDENTIFIER}


class SqlmlSpark(Spark):
    """sqlglot's Spark dialect with the statements and functions of sqlml."""

    def tokenize(self, sql: str, *arguments: Any, **options: Any) -> list[Token]:
        tokens = super().tokenize(sql, *arguments, **options)
        return [token for statement in _statements(tokens) for token in _ours(statement, sql)]


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Splits the tokens into statements, each with the semicolon that ends it."""
    statement: list[Token] = []
    for token in tokens:
        statement.append(token)
        if token.token_type == TokenType.SEMICOLON:
            yield statement
            statement = []
    if statement:
        yield statement


def _ours(statement: list[Token], sql: str) -> list[Token]:
    """Turns a statement of ours into one command; rewrites the calls in any other."""
    # A token such as `ORDER BY` has two words.
    words = tuple(" ".join(_word(token) for token in statement[:4]).split())
    for head in COMMANDS:
        if words[: len(head)] == head:
            return _command(statement, sql)
    return _calls(statement)


def _command(statement: list[Token], sql: str) -> list[Token]:
    """Returns two tokens, like sqlglot's own tokenizer for `SHOW …`: the first word, and the rest as one text."""
    semicolon = [token for token in statement[-1:] if token.token_type == TokenType.SEMICOLON]
    first, *rest = statement[: len(statement) - len(semicolon)]
    command = _like(first, TokenType.COMMAND, _word(first), comments=first.comments)
    if not rest:
        return [command, *semicolon]
    return [command, _like(rest[0], TokenType.STRING, sql[rest[0].start : rest[-1].end + 1]), *semicolon]


def _calls(tokens: list[Token]) -> list[Token]:
    """Rewrites each call of PREDICT and its kin to a spelling that sqlglot passes unchanged."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        dotted = _word(tokens[at]) == "ML" and _is(tokens, at + 1, TokenType.DOT)
        name = at + 2 if dotted else at
        if not (_is(tokens, name + 1, TokenType.L_PAREN) and _word(tokens[name]) in _CALLS) or (
            at and tokens[at - 1].token_type == TokenType.DOT
        ):
            found.append(tokens[at])
            at += 1
            continue
        word = _word(tokens[name])
        of_table = dotted or (at > 0 and tokens[at - 1].token_type in _BEFORE_TABLE)
        found += [_like(tokens[at], TokenType.VAR, INERT.get(word, word)), tokens[name + 1]]
        at = name + 2
        # PREDICT(MODEL m, …); not PREDICT(model, …), PREDICT(model.of.mine, …), PREDICT(MODEL => 'm', …)
        if _is(tokens, at + 1) and _word(tokens[at]) == "MODEL" and _names(tokens[at + 1]):
            at += 1
        closing = _closing(tokens, at)
        found += _arguments(tokens[at:closing], of_table)
        at = closing
    return found


def _arguments(arguments: list[Token], of_table: bool) -> list[Token]:
    """Rewrites the arguments of a call; a table among them becomes a query: `TABLE(SELECT * FROM t)`.

    Args:
        of_table: True for a table-valued function, whose rows are the argument `TABLE t` or `(SELECT …)`.
    """
    found: list[Token] = []
    start = 0
    while start < len(arguments):
        end = _end(arguments, start)
        found += _argument(arguments[start:end], of_table)
        found += arguments[end : end + 1]
        start = end + 1
    return found


def _argument(tokens: list[Token], of_table: bool) -> list[Token]:
    named = 2 if _is(tokens, 1, TokenType.FARROW) else 0
    value = tokens[named:]
    if of_table and _is(value, 0, TokenType.L_PAREN):
        return [*tokens[:named], _like(value[0], TokenType.VAR, "TABLE"), *_calls(value)]  # BigQuery's query
    if len(value) < 2 or _word(value[0]) != "TABLE":
        return _calls(tokens)
    if value[1].token_type == TokenType.L_PAREN:
        source = value[2 : _closing(value, 2)]
    elif of_table:
        source = value[1:]
    else:
        return _calls(value[1:])  # sqlglot's own PREDICT(MODEL m, TABLE a)
    words = [TokenType.VAR, TokenType.L_PAREN]
    if source and _word(source[0]) not in _BEGIN_QUERY:
        words += [TokenType.SELECT, TokenType.STAR, TokenType.FROM]
    texts = ("TABLE", "(", "SELECT", "*", "FROM")
    before = [_like(value[0], kind, text) for kind, text in zip(words, texts, strict=False)]
    return [*tokens[:named], *before, *_calls(source), _like(value[-1], TokenType.R_PAREN, ")")]


def _end(tokens: list[Token], at: int) -> int:
    """Returns the index of the comma that ends an argument, or the number of tokens."""
    depth = 0
    for index in range(at, len(tokens)):
        depth += (tokens[index].token_type in _OPENING) - (tokens[index].token_type in _CLOSING)
        if depth == 0 and tokens[index].token_type == TokenType.COMMA:
            return index
    return len(tokens)


def _closing(tokens: list[Token], at: int) -> int:
    """Returns the index of the token that closes the parenthesis before `at`, or the number of tokens."""
    depth = 1
    for index in range(at, len(tokens)):
        depth += (tokens[index].token_type in _OPENING) - (tokens[index].token_type in _CLOSING)
        if depth == 0:
            return index
    return len(tokens)


def _word(token: Token) -> str:
    """Returns a bare word in upper case; '' for a quoted text or name."""
    return "" if token.token_type in _QUOTED else token.text.upper()


def _names(token: Token) -> bool:
    return token.token_type in _QUOTED or token.text.replace("_", "a").isalnum()


def _is(tokens: list[Token], at: int, kind: TokenType | None = None) -> bool:
    """Returns whether there is a token at this index, and of this kind."""
    return at < len(tokens) and (kind is None or tokens[at].token_type == kind)


def _like(token: Token, kind: TokenType, text: str, comments: list[str] | None = None) -> Token:
    """Returns a new token with the position of this one."""
    return Token(kind, text, token.line, token.col, token.start, token.end, comments or [])

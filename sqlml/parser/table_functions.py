"""Rewrites the table forms of PREDICT: a relation of the input's columns and the model's outputs.

    PREDICT('m', TABLE(t))                              Spark's own table functions
    ML.PREDICT(MODEL m, TABLE t)                        BigQuery
        (SELECT * EXCEPT (o), o.* FROM (SELECT *, predict_outputs('m', '{}', struct(*)) AS o FROM t))

    PREDICT(MODEL = m, DATA = t AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p          T-SQL
        (t AS d CROSS JOIN LATERAL
          (SELECT CAST(o.score AS DOUBLE) AS score
           FROM (SELECT predict_outputs('m', '{"columns": …}', struct(d.*)) AS o)) AS p)

`predict_outputs` is one call, so a model runs once for all of its outputs; and Spark turns a lateral join with one row
into a projection. The outputs are determined when Spark resolves that function, not here. The input's text is kept
byte for byte, and edits of the calls in it still apply; so nested forms cost time linear in their length.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlglot import Token, TokenType

from sqlml.errors import ParseError, did_you_mean
from sqlml.parser import tsql_predict
from sqlml.parser.call_tokens import (
    HELD,
    Call,
    Span,
    arguments,
    call_arguments,
    is_name,
    is_quoted,
    is_with,
    split_at_keys,
)
from sqlml.parser.generator import quote_identifier, quote_string
from sqlml.parser.query_parts import QueryParts
from sqlml.parser.references import ModelReference
from sqlml.parser.rewriter import Edit, Moved, Placed
from sqlml.parser.tokens import is_word
from sqlml.parser.tsql import model_argument
from sqlml.parser.tsql_predict import SignatureOf

_NAMES = ("ml_predict", "predict")
_SCHEMA = "ml"
_KEYS = ("MODEL", "DATA", "THRESHOLD", "KEEP_ORIGINAL_COLUMNS")
_OPTIONS = ("threshold", "keep_original_columns", "trial_id")
_RELATION_AFTER = {"FROM", "JOIN", "USING"}
_QUERY_STARTS = {"SELECT", "WITH", "FROM", "VALUES", "TABLE", "MAP", "REDUCE"}


def table_call(
    tokens: Sequence[Token],
    at: int,
    closings: Mapping[int, int],
    text: str,
    parts: QueryParts,
    signature_of: SignatureOf | None,
) -> list[Edit] | None:
    """Returns the edits of a call in the position of a relation; None if it is not such a call.

    Args:
        at: the index of the function's name; an opening parenthesis follows it.

    Raises:
        ParseError: a call that is meant as one of the forms but does not follow it; carries the offset.
    """
    if tokens[at].text.lower() not in _NAMES:
        return None
    first = at
    if at > 1 and tokens[at - 1].token_type == TokenType.DOT:
        if tokens[at - 2].text.lower() != _SCHEMA:
            return None
        first = at - 2
    if not _is_relation(tokens, first, parts):
        return None
    closing = closings[at + 1]
    items = call_arguments(tokens, at + 1, closings)
    if not items or not all(items) or tokens[closing].token_type != TokenType.R_PAREN:
        return None
    call = Call(tokens, first, at, closings, items, text)
    keys = split_at_keys(items, text, TokenType.EQ)
    if keys and (set(keys) & set(tsql_predict.KEYS) or is_with(tokens, closing)):
        return tsql_predict.edits(call, keys, signature_of)
    return _plain(call)


def _is_relation(tokens: Sequence[Token], first: int, parts: QueryParts) -> bool:
    """Returns whether a relation may start here: after FROM, JOIN or a comma of a FROM clause, also in parentheses."""
    while first > 0:
        before = tokens[first - 1]
        word = "".join(before.text.upper().split()[-1:])
        if before.token_type == TokenType.COMMA:
            return parts.in_from(first - 1)
        if before.token_type != TokenType.L_PAREN:
            # `a IS DISTINCT FROM predict(…)` compares.
            compares = word == "FROM" and first > 1 and tokens[first - 2].text.upper() == "DISTINCT"
            return not is_quoted(before) and word in _RELATION_AFTER and not compares
        if first > 1 and tokens[first - 2].text.upper() == "TABLE" and not is_quoted(tokens[first - 2]):
            return True
        first -= 1
    return False


# -- Spark's own form and BigQuery's -----------------------------------------------------------------------------------


def _plain(call: Call) -> list[Edit] | None:
    """Rewrites Spark's and BigQuery's forms.

    Finds the model and the data, by name or by position, then the options, and writes the subquery around the data.
    """
    named = split_at_keys(call.given, call.text, TokenType.FARROW)
    words = {id(word) for word, _ in named.values()}
    by_place = [argument for argument in call.given if id(argument[0]) not in words]
    # The model and the table; `meant` is set if the call cannot be another table function called predict.
    model, certain = named["MODEL"][1] if "MODEL" in named else None, "MODEL" in named
    if model is None:
        if not by_place:
            return None
        model = by_place.pop(0)
        if len(model) > 1 and model[0].text.upper() == "MODEL" and model[1].token_type != TokenType.DOT:
            model, certain = model[1:], True
    if "DATA" in named:
        data = named["DATA"][1]
    elif by_place and (certain or _is_table(by_place[0], call.text)):
        data = by_place.pop(0)
    elif certain:
        raise ParseError("The table is missing. Write TABLE(t) or (SELECT …).", offset=call.stop - 1)
    elif len(by_place) == 1 and is_name(by_place[0], call.text) and _names_model(model, call.text):
        # Spark would look for a column of that name.
        table = call.text[by_place[0][0].start : by_place[0][-1].end + 1]
        raise ParseError(f"PREDICT in FROM takes a table. Write TABLE({table}).", offset=by_place[0][0].start)
    else:
        return None  # A table function that is not ours.
    # The options, named or in a STRUCT.
    for key, (word, _) in named.items():
        if key not in _KEYS:
            raise ParseError(
                f"PREDICT has no argument {word.text}.", hint=did_you_mean(word.text, _KEYS), offset=word.start
            )
    options = {name.lower(): (word, value) for name, (word, value) in named.items() if name in _KEYS[2:]}
    for argument in by_place:
        options |= _struct(argument, call.text)
    threshold, keeps = _number(options, call.text), _keeps(options)
    # The subquery: a head before the relation, and its closing parentheses after it.
    relation = _relation(data, call)
    requested = json.dumps({} if threshold is None else {"threshold": threshold})
    start, stop = relation.start, relation.stop
    columns = f"* EXCEPT ({HELD}), {HELD}.*" if keeps else f"{HELD}.*"
    before = (
        f"(SELECT {columns} FROM (SELECT *, ",
        call.function(),
        model_argument(model, call.text),
        f", {quote_string(requested)}, struct(*)) AS {HELD} FROM ",
    )
    if isinstance(relation, Placed):
        # One edit for the whole call, because the relation's own text changes too.
        return [Edit(call.start, call.stop, (*before, relation, "))"))]
    return [Edit(call.start, start, before), Edit(stop, call.stop, "))")]


def _names_model(argument: Sequence[Token], text: str) -> bool:
    """Returns whether the argument is a bare name or a string literal."""
    is_text = len(argument) == 1 and argument[0].token_type in (TokenType.STRING, TokenType.RAW_STRING)
    return is_text or is_name(argument, text)


def _is_table(argument: Sequence[Token], text: str) -> bool:
    """Returns whether the argument is `TABLE(…)`, `TABLE t` or `(SELECT …)`."""
    first, second = argument[0], argument[1] if len(argument) > 1 else None
    if second is None:
        return False
    if first.token_type == TokenType.L_PAREN:
        return second.token_type == TokenType.L_PAREN or second.text.upper() in _QUERY_STARTS
    return is_word(first, text) and first.text.upper() == "TABLE"


def _relation(argument: Sequence[Token], call: Call) -> Moved | Placed:
    """The relation: a range of the user's text that is kept as it is (`Moved`), or a new spelling of it where
    BigQuery's is not Spark's (`Placed`)."""
    if not _is_table(argument, call.text):
        raise ParseError("Expected a table: TABLE(t), TABLE t or (SELECT …).", offset=argument[0].start)
    word = argument[0].text.upper() == "TABLE"
    rest = argument[1:] if word else argument
    if rest[0].token_type == TokenType.L_PAREN:
        assert isinstance(rest, Span), "a part of the call's arguments"
        end = call.closings[rest.start] - rest.start
        if end >= len(rest):
            raise ParseError("This parenthesis is not closed.", offset=rest[0].start)
        if end + 1 < len(rest):
            raise ParseError("Nothing can follow the table here.", offset=rest[end + 1].start)
        inner = rest[1:end]
        if not inner:
            raise ParseError("Expected a table's name or a query.", offset=rest[0].end + 1)
        query = inner[0].text.upper() in _QUERY_STARTS or inner[0].token_type == TokenType.L_PAREN
        if query or not word:
            return Moved(rest[0].start, rest[end].end + 1)
        rest = inner
    if is_name(rest, call.text):
        return _dotted(rest)
    if rest[-1].token_type == TokenType.R_PAREN:
        return Moved(rest[0].start, rest[-1].end + 1)  # a table function
    raise ParseError("Expected a table's name, or a query in parentheses.", offset=rest[0].start)


def _dotted(name: Sequence[Token]) -> Moved | Placed:
    """A table's name, kept as it is (`Moved`); BigQuery's `project.dataset.table` in one pair of quotes is quoted part
    by part (`Placed`)."""
    start, stop = name[0].start, name[-1].end + 1
    if len(name) > 1 or name[0].token_type != TokenType.IDENTIFIER or "." not in name[0].text:
        return Moved(start, stop)
    return Placed(".".join(map(quote_identifier, name[0].text.split("."))), start, stop)


def _struct(argument: Sequence[Token], text: str) -> dict[str, tuple[Token, Sequence[Token]]]:
    """Parses BigQuery's options, `STRUCT(0.7 AS threshold, TRUE AS keep_original_columns)`."""
    if argument[0].text.upper() != "STRUCT" or len(argument) < 3:
        raise ParseError("Expected options such as STRUCT(0.7 AS threshold).", offset=argument[0].start)
    found: dict[str, tuple[Token, Sequence[Token]]] = {}
    for item in arguments(argument, 1, len(argument) - 1):
        if len(item) < 3 or item[-2].text.upper() != "AS":
            raise ParseError("Expected a value, AS and a name.", offset=(item or argument)[0].start)
        name = item[-1]
        if name.text.lower() not in _OPTIONS:
            hint = did_you_mean(name.text, _OPTIONS[:2])
            raise ParseError(f"PREDICT has no option {name.text}.", hint=hint, offset=name.start)
        if name.text.lower() == "trial_id":
            raise ParseError(
                "trial_id is not supported, because only the best trial of a search is kept.", offset=name.start
            )
        found[name.text.lower()] = (name, item[:-2])
    return found


def _number(options: Mapping[str, tuple[Token, Sequence[Token]]], text: str) -> float | None:
    if "threshold" not in options:
        return None
    name, tokens = options["threshold"]
    first = tokens[0] if tokens else name
    try:
        (one,) = tokens
        number = float(one.text) if one.token_type == TokenType.NUMBER else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ParseError("threshold must be a number from 0 to 1, such as 0.7.", offset=first.start)
    return number


def _keeps(options: Mapping[str, tuple[Token, Sequence[Token]]]) -> bool:
    if "keep_original_columns" not in options:
        return True
    name, tokens = options["keep_original_columns"]
    if len(tokens) != 1 or tokens[0].token_type not in (TokenType.TRUE, TokenType.FALSE):
        raise ParseError("keep_original_columns must be TRUE or FALSE.", offset=(tokens or [name])[0].start)
    return tokens[0].token_type == TokenType.TRUE


# -- for Python --------------------------------------------------------------------------------------------------------


def over_frame(model: str, columns: Mapping[str, str] | None, threshold: float | None, frame: str) -> str:
    """Returns a query in one of the table forms, for a client that may be far from the server (`sqlml.predict`).

    Args:
        frame: the placeholder of the DataFrame, in braces: PySpark formats the query.

    Raises:
        SqlmlError: SQLML_INVALID_NAME.
        ValueError: columns and threshold together.
    """
    reference = quote_string(str(ModelReference.parse(model)))
    if not columns:
        option = "" if threshold is None else f", THRESHOLD => {threshold!r}"
        return f"SELECT * FROM PREDICT({reference}, TABLE({frame}){option})"
    if threshold is not None:
        raise ValueError("threshold cannot be combined with columns: it applies to the column predicted_<target>.")
    wanted = ", ".join(f"{quote_identifier(name)} {kind}" for name, kind in columns.items())
    wanted = wanted.replace("{", "{{").replace("}", "}}")
    return f"SELECT d.*, p.* FROM PREDICT(MODEL = {reference}, DATA = {frame} AS d) WITH ({wanted}) AS p"

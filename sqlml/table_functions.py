"""The table forms of PREDICT: a relation of the input's columns and the model's outputs.

    PREDICT('m', TABLE(t))                              Spark's own table functions
    ML.PREDICT(MODEL m, TABLE t)                        BigQuery
        (SELECT * EXCEPT (o), o.* FROM (SELECT *, predict_outputs('m', '{}', struct(*)) AS o FROM t))

    PREDICT(MODEL = m, DATA = t AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p          T-SQL
        (t AS d CROSS JOIN LATERAL
          (SELECT CAST(o.score AS DOUBLE) AS score
           FROM (SELECT predict_outputs('m', '{"columns": …}', struct(d.*)) AS o)) AS p)

`predict_outputs` is one call, so a model is run once for all of its outputs; and Spark turns a lateral join with one
row into a projection. What outputs there are is decided when Spark resolves that function, not here. The input stays
where the user wrote it, byte for byte, with the calls in it; so forms within each other cost no more than their length.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import Token, TokenType

from sqlml.calls import CLOSING, OPENING, Edit, Moved, Placed, arguments, is_name, quoted_model, split_at_keys
from sqlml.errors import ParseError, SqlmlError, did_you_mean
from sqlml.grammar import is_word
from sqlml.names import ModelReference
from sqlml.outputs import bind
from sqlml.printing import quote_identifier, quote_string
from sqlml.signature import Signature
from sqlml.tsql import Alias, ResultColumn, alias, result_columns, value

SignatureOf = Callable[[str], Signature | None]
"""From a model's reference to its signature; None where that cannot be told now."""

_NAMES = ("ml_predict", "predict")
_SCHEMA = "ml"
# What holds all outputs, until they are columns of their own; no column is called so by chance.
_HELD = "`sqlml outputs`"

_TSQL_KEYS = ("MODEL", "DATA", "RUNTIME")
_KEYS = ("MODEL", "DATA", "THRESHOLD", "KEEP_ORIGINAL_COLUMNS")
_OPTIONS = ("threshold", "keep_original_columns", "trial_id")
_RELATION_AFTER = {"FROM", "JOIN", "USING"}
# The words that begin a part of a query: a comma belongs to the last of them before it.
_PARTS = {"SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "WINDOW", "QUALIFY", "LIMIT"}
_QUERY_STARTS = {"SELECT", "WITH", "FROM", "VALUES", "TABLE", "MAP", "REDUCE"}


def table_call(
    tokens: Sequence[Token], at: int, closings: Mapping[int, int], text: str, signature_of: SignatureOf | None
) -> list[Edit] | None:
    """The edits of a call that stands for a table; None where it is no such call.

    Args:
        at: the index of the function's name; an opening parenthesis follows it.

    Raises:
        ParseError: a call that is meant as one of the forms and is none; carries the place.
    """
    if tokens[at].text.lower() not in _NAMES:
        return None
    first = at
    if at > 1 and tokens[at - 1].token_type == TokenType.DOT:
        if tokens[at - 2].text.lower() != _SCHEMA:
            return None
        first = at - 2
    closing = closings[at + 1]
    given = arguments(tokens, at + 1, closing)
    if not given or not all(given) or tokens[closing].token_type != TokenType.R_PAREN:
        return None
    if not _is_relation(tokens, first):
        return None
    call = _Call(tokens, first, at, closing, given, text)
    keys = split_at_keys(given, text, TokenType.EQ)
    if keys and (set(keys) & set(_TSQL_KEYS) or _is_with(tokens, closing)):
        return _tsql(call, keys, signature_of)
    return _plain(call)


@dataclass(frozen=True)
class _Call:
    tokens: Sequence[Token]
    first: int
    name: int
    closing: int
    given: Sequence[Sequence[Token]]
    text: str

    @property
    def start(self) -> int:
        return self.tokens[self.first].start

    @property
    def stop(self) -> int:
        return self.tokens[self.closing].end + 1

    def function(self) -> Placed:
        return Placed("predict_outputs(", self.start, self.tokens[self.name].end + 1)


def _is_relation(tokens: Sequence[Token], first: int) -> bool:
    """Whether a table may stand at a place: after FROM, JOIN, a comma of a FROM clause, or parentheses around it."""
    while first > 0:
        before = tokens[first - 1]
        word = before.text.upper().split()[-1] if before.text else ""
        if before.token_type == TokenType.COMMA:
            return _in_from(tokens, first - 1)
        if before.token_type != TokenType.L_PAREN:
            # `a IS DISTINCT FROM predict(…)` compares.
            compares = word == "FROM" and first > 1 and tokens[first - 2].text.upper() == "DISTINCT"
            return not _quoted(before) and word in _RELATION_AFTER and not compares
        if first > 1 and tokens[first - 2].text.upper() == "TABLE" and not _quoted(tokens[first - 2]):
            return True
        first -= 1
    return False


def _in_from(tokens: Sequence[Token], comma: int) -> bool:
    depth = 0
    for at in range(comma - 1, -1, -1):
        token = tokens[at]
        depth += (token.token_type in CLOSING) - (token.token_type in OPENING)
        if depth < 0:
            return False
        if depth == 0 and not _quoted(token):
            word = "".join(token.text.upper().split()[:1])
            if word == "FROM":
                return not (at and tokens[at - 1].text.upper() == "DISTINCT")
            if word in _PARTS:
                return False
    return False


def _quoted(token: Token) -> bool:
    return token.token_type in (TokenType.STRING, TokenType.RAW_STRING, TokenType.IDENTIFIER)


def _is_with(tokens: Sequence[Token], closing: int) -> bool:
    return (
        closing + 2 < len(tokens)
        and tokens[closing + 1].text.upper() == "WITH"
        and tokens[closing + 2].token_type == TokenType.L_PAREN
    )


# -- Spark's own form and BigQuery's -----------------------------------------------------------------------------------


def _plain(call: _Call) -> list[Edit] | None:
    named = split_at_keys(call.given, call.text, TokenType.FARROW)
    by_place = [argument for argument in call.given if argument[0] not in [key for key, _ in named.values()]]
    model, meant = named["MODEL"][1] if "MODEL" in named else None, "MODEL" in named
    if model is None:
        if not by_place:
            return None
        model = by_place.pop(0)
        if len(model) > 1 and model[0].text.upper() == "MODEL" and model[1].token_type != TokenType.DOT:
            model, meant = model[1:], True
    if "DATA" in named:
        data = named["DATA"][1]
    elif by_place and (meant or _is_table(by_place[0], call.text)):
        data = by_place.pop(0)
    elif meant:
        raise ParseError("The table is missing: TABLE(t) or (SELECT …).", offset=call.stop - 1)
    else:
        return None  # A function of somebody else's.
    for key, (word, _) in named.items():
        if key not in _KEYS:
            raise ParseError(
                f"PREDICT has no argument {word.text}.", hint=did_you_mean(word.text, _KEYS), offset=word.start
            )
    options = {name.lower(): (word, value) for name, (word, value) in named.items() if name in _KEYS[2:]}
    for argument in by_place:
        options |= _struct(argument, call.text)
    threshold, keeps = _number(options, call.text), _keeps(options)
    relation = _relation(data, call.text)
    asked = json.dumps({} if threshold is None else {"threshold": threshold})
    start, stop = relation.start, relation.stop
    columns = f"* EXCEPT ({_HELD}), {_HELD}.*" if keeps else f"{_HELD}.*"
    before = (
        f"(SELECT {columns} FROM (SELECT *, ",
        call.function(),
        _model(model, call.text),
        f", {quote_string(asked)}, struct(*)) AS {_HELD} FROM ",
    )
    if isinstance(relation, Placed):
        # In the head's own text, because it is no longer as it was written.
        return [Edit(call.start, call.stop, (*before, relation, "))"))]
    return [Edit(call.start, start, before), Edit(stop, call.stop, "))")]


def _is_table(argument: Sequence[Token], text: str) -> bool:
    """`TABLE(…)`, `TABLE t`, `(SELECT …)`."""
    first, second = argument[0], argument[1] if len(argument) > 1 else None
    if second is None:
        return False
    if first.token_type == TokenType.L_PAREN:
        return second.token_type == TokenType.L_PAREN or second.text.upper() in _QUERY_STARTS
    return is_word(first, text) and first.text.upper() == "TABLE"


def _relation(argument: Sequence[Token], text: str) -> Moved | Placed:
    """The range of the user's text that Spark reads as a relation; Placed where BigQuery's spelling is not Spark's."""
    if not _is_table(argument, text):
        raise ParseError("A table is TABLE(t), TABLE t or (SELECT …).", offset=argument[0].start)
    word = argument[0].text.upper() == "TABLE"
    rest = argument[1:] if word else argument
    if rest[0].token_type == TokenType.L_PAREN:
        end = _closing(rest)
        if end + 1 < len(rest):
            raise ParseError("Nothing may follow the table here.", offset=rest[end + 1].start)
        inner = rest[1:end]
        if not inner:
            raise ParseError("A table's name or a query expected.", offset=rest[0].end + 1)
        query = inner[0].text.upper() in _QUERY_STARTS or inner[0].token_type == TokenType.L_PAREN
        if query or not word:
            return Moved(rest[0].start, rest[end].end + 1)
        rest = inner
    if is_name(rest, text):
        return _dotted(rest)
    if rest[-1].token_type == TokenType.R_PAREN:
        return Moved(rest[0].start, rest[-1].end + 1)  # a table function
    raise ParseError("A table's name or a query in parentheses expected.", offset=rest[0].start)


def _dotted(name: Sequence[Token]) -> Moved | Placed:
    """A table's name; BigQuery has `project.dataset.table` in one pair of quotes."""
    start, stop = name[0].start, name[-1].end + 1
    if len(name) > 1 or name[0].token_type != TokenType.IDENTIFIER or "." not in name[0].text:
        return Moved(start, stop)
    return Placed(".".join(map(quote_identifier, name[0].text.split("."))), start, stop)


def _closing(tokens: Sequence[Token]) -> int:
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.token_type in OPENING) - (token.token_type in CLOSING)
        if depth == 0:
            return at
    return len(tokens) - 1


def _struct(argument: Sequence[Token], text: str) -> dict[str, tuple[Token, Sequence[Token]]]:
    """`STRUCT(0.7 AS threshold, TRUE AS keep_original_columns)`."""
    if argument[0].text.upper() != "STRUCT" or len(argument) < 3:
        raise ParseError("STRUCT(0.7 AS threshold) expected.", offset=argument[0].start)
    found: dict[str, tuple[Token, Sequence[Token]]] = {}
    for item in arguments(argument, 1, len(argument) - 1):
        if len(item) < 3 or item[-2].text.upper() != "AS":
            raise ParseError("A value AS a name expected.", offset=(item or argument)[0].start)
        name = item[-1]
        if name.text.lower() not in _OPTIONS:
            hint = did_you_mean(name.text, _OPTIONS[:2])
            raise ParseError(f"PREDICT has no option {name.text}.", hint=hint, offset=name.start)
        if name.text.lower() == "trial_id":
            raise ParseError("A search's other trials are not kept, so trial_id has no counterpart.", offset=name.start)
        found[name.text.lower()] = (name, item[:-2])
    return found


def _number(options: Mapping[str, tuple[Token, Sequence[Token]]], text: str) -> float | None:
    if "threshold" not in options:
        return None
    name, given = options["threshold"]
    first = given[0] if given else name
    try:
        (one,) = given
        number = float(one.text) if one.token_type == TokenType.NUMBER else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ParseError("threshold is a number from 0 to 1, such as 0.7.", offset=first.start)
    return number


def _keeps(options: Mapping[str, tuple[Token, Sequence[Token]]]) -> bool:
    if "keep_original_columns" not in options:
        return True
    name, given = options["keep_original_columns"]
    if len(given) != 1 or given[0].token_type not in (TokenType.TRUE, TokenType.FALSE):
        raise ParseError("keep_original_columns is TRUE or FALSE.", offset=(given or [name])[0].start)
    return given[0].token_type == TokenType.TRUE


# -- T-SQL's -----------------------------------------------------------------------------------------------------------


def _tsql(
    call: _Call, keys: Mapping[str, tuple[Token, Sequence[Token]]], signature_of: SignatureOf | None
) -> list[Edit]:
    known = {id(word) for word, _ in keys.values()}
    for argument in call.given:
        if id(argument[0]) not in known:
            raise ParseError("MODEL = …, DATA = … AS d or RUNTIME = ONNX expected.", offset=argument[0].start)
    for key, (word, _) in keys.items():
        if key not in _TSQL_KEYS:
            hint = did_you_mean(key, _TSQL_KEYS)
            raise ParseError(f"PREDICT has no argument {word.text}.", hint=hint, offset=word.start)
    for key, example in (("MODEL", "MODEL = churn"), ("DATA", "DATA = customers AS d")):
        if key not in keys:
            raise ParseError(f"{key} is missing: {example}.", offset=call.stop - 1)
        if not keys[key][1]:
            raise ParseError(f"{key} has no value: {example}.", offset=keys[key][0].end + 1)
    _check_runtime(keys)
    data, inputs = _data(keys["DATA"][1], call.text)
    columns, outputs, stop = _result(call)
    model = keys["MODEL"][1]
    _check_outputs(model, columns, call.text, signature_of)
    asked = json.dumps({"columns": {column.name: column.type for column in columns}}, ensure_ascii=False)
    casts: list[Placed | str] = []
    for column in columns:
        name = quote_identifier(column.name)
        casts += [
            "" if not casts else ", ",
            Placed(f"CAST({_HELD}.{name} AS {column.type}) AS {name}", column.start, column.stop),
        ]
    after = (
        " CROSS JOIN LATERAL (SELECT ",
        *casts,
        " FROM (SELECT ",
        call.function(),
        _model(model, call.text),
        f", {quote_string(asked)}, struct({inputs.quoted}.*)) AS {_HELD})) AS ",
        outputs.quoted + ")",
    )
    return [Edit(call.start, data.start, "("), Edit(data.stop, stop, after)]


def _check_runtime(keys: Mapping[str, tuple[Token, Sequence[Token]]]) -> None:
    if "RUNTIME" in keys:
        word, given = keys["RUNTIME"]
        if len(given) != 1 or given[0].text.upper() != "ONNX":
            raise ParseError(
                "RUNTIME = ONNX is the only one there is.", offset=given[0].start if given else word.end + 1
            )


def _data(argument: Sequence[Token], text: str) -> tuple[Moved, Alias]:
    """`dbo.t AS d`: the range of both, and the alias. A table that has none goes by its own name."""
    if is_name(argument, text):
        return Moved(argument[0].start, argument[-1].end + 1), Alias(quote_identifier(argument[-1].text))
    if len(argument) < 3 or argument[-2].text.upper() != "AS" or _quoted(argument[-2]):
        raise ParseError("DATA needs an alias: DATA = customers AS d.", offset=argument[-1].end + 1)
    found, _ = alias(argument, len(argument) - 1, text, "an alias")
    return Moved(argument[0].start, argument[-1].end + 1), found


def _result(call: _Call) -> tuple[list[ResultColumn], Alias, int]:
    """`WITH (score FLOAT) AS p`: its columns, its alias, and where it ends."""
    tokens, closing = call.tokens, call.closing
    if not _is_with(tokens, closing):
        raise ParseError(
            "WITH (column type, …) AS alias expected after PREDICT(MODEL = …): WITH (score FLOAT) AS p.",
            offset=call.stop,
        )
    opening = closing + 2
    end = opening + _closing(tokens[opening:])
    if tokens[end].token_type != TokenType.R_PAREN:
        raise ParseError("WITH ( is never closed.", offset=tokens[opening].start)
    columns = result_columns(arguments(tokens, opening, end), call.text, tokens[opening].end + 1)
    at = end + 1
    if at < len(tokens) and tokens[at].text.upper() == "AS" and not _quoted(tokens[at]):
        at += 1
    found, stop = alias(tokens, at, call.text, "AS alias", tokens[end].end + 1)
    return columns, found, stop


def _check_outputs(
    model: Sequence[Token], columns: Sequence[ResultColumn], text: str, signature_of: SignatureOf | None
) -> None:
    """Says so at the column where the model has no such output; Spark would show the call."""
    reference = value(model, text).reference
    signature = signature_of(reference) if signature_of and reference else None
    for column in columns if signature else ():
        assert signature is not None
        try:
            bind(reference or "", signature, column.name, column.type, alone=len(columns) == 1)
        except SqlmlError as error:
            raise error.at(column.start) from None


def _model(argument: Sequence[Token], text: str) -> Moved | Placed:
    """The model as `predict_outputs` takes it: a text, bytes, a variable, a scalar subquery."""
    start, stop = argument[0].start, argument[-1].end + 1
    if is_name(argument, text):
        return Placed(quoted_model(argument), start, stop)
    new = value(argument, text).new
    return Moved(start, stop) if new is None else Placed(new, start, stop)


# -- for Python --------------------------------------------------------------------------------------------------------


def over_frame(model: str, columns: Mapping[str, str] | None, threshold: float | None, frame: str) -> str:
    """A query of one of the forms, for a client that may be far from the server.

    Args:
        frame: what stands for the table.

    Raises:
        SqlmlError: SQLML_INVALID_NAME.
        ValueError: columns and threshold together.
    """
    reference = quote_string(str(ModelReference.parse(model)))
    if not columns:
        option = "" if threshold is None else f", THRESHOLD => {threshold!r}"
        return f"SELECT * FROM PREDICT({reference}, TABLE({frame}){option})"
    if threshold is not None:
        raise ValueError("A threshold decides on predicted_<target>, which is not among columns of one's own.")
    wanted = ", ".join(f"{quote_identifier(name)} {kind}" for name, kind in columns.items())
    return f"SELECT d.*, p.* FROM PREDICT(MODEL = {reference}, DATA = {frame} AS d) WITH ({wanted}) AS p"

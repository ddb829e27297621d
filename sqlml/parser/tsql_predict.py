"""Rewrites T-SQL's table form `PREDICT(MODEL = m, DATA = t AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p`.

The result is the lateral join that `sqlml.parser.table_functions` shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from sqlglot import Token, TokenType

from sqlml.binding.outputs import bind, offered
from sqlml.errors import ParseError, SqlmlError, did_you_mean
from sqlml.parser.call_tokens import HELD, Call, arguments, is_name, is_quoted, is_with
from sqlml.parser.generator import quote_identifier, quote_string
from sqlml.parser.rewriter import Edit, Moved, Placed
from sqlml.parser.tsql import Alias, ResultColumn, alias, model_argument, result_columns, value
from sqlml.parser.tsql_names import edits as quoted_names
from sqlml.parser.tsql_names import joined
from sqlml.signature import Signature

SignatureOf = Callable[[str], Signature | None]
"""From a model's reference to its signature; None where that cannot be told now."""

KEYS = ("MODEL", "DATA", "RUNTIME")


def edits(
    call: Call, keys: Mapping[str, tuple[Token, Sequence[Token]]], signature_of: SignatureOf | None
) -> list[Edit]:
    """Returns the edits of one call.

    Checks the keys, then parses MODEL, DATA and the WITH list, and writes the lateral join around the data.

    Raises:
        ParseError: a call that does not follow T-SQL's grammar, at its offset.
    """
    known = {id(word) for word, _ in keys.values()}
    for argument in call.given:
        if id(argument[0]) not in known:
            raise ParseError("Expected MODEL = …, DATA = … AS d or RUNTIME = ONNX.", offset=argument[0].start)
    for key, (word, _) in keys.items():
        if key not in KEYS:
            hint = did_you_mean(key, KEYS)
            raise ParseError(f"PREDICT has no argument {word.text}.", hint=hint, offset=word.start)
    for key, example in (("MODEL", "MODEL = churn"), ("DATA", "DATA = customers AS d")):
        if key not in keys:
            raise ParseError(f"The argument {key} is missing. Write {example}.", offset=call.stop - 1)
        if not keys[key][1]:
            raise ParseError(f"The argument {key} has no value. Write {example}.", offset=keys[key][0].end + 1)
    _check_runtime(keys)
    # The three parts: DATA with its alias, the WITH list with its alias, the model.
    source = joined(keys["DATA"][1], call.text, quotes=True)
    data, inputs = _data(source, call.text)
    columns, outputs, stop = _result(call)
    # A text in double quotes alone is a model's reference, like one in single quotes, and not a name.
    model = joined(keys["MODEL"][1], call.text, quotes=len(keys["MODEL"][1]) > 1)
    _check_variable(call, model)
    _check_outputs(model, columns, call.text, signature_of)
    requested = json.dumps({"columns": {column.name: column.type for column in columns}}, ensure_ascii=False)
    # One CAST per column, at which Spark's errors about it are shown.
    casts: list[Placed | str] = []
    for column in columns:
        name = quote_identifier(column.name)
        casts += [
            "" if not casts else ", ",
            Placed(f"CAST({HELD}.{name} AS {column.type}) AS {name}", column.start, column.stop),
        ]
    after = (
        " CROSS JOIN LATERAL (SELECT ",
        *casts,
        " FROM (SELECT ",
        call.function(),
        model_argument(model, call.text),
        f", {quote_string(requested)}, struct({inputs.quoted}.*)) AS {HELD})) AS ",
        outputs.quoted + ")",
    )
    names = quoted_names([*model, *source], call.text)
    return [Edit(call.start, data.start, "("), Edit(data.stop, stop, after), *names]


def _check_variable(call: Call, model: Sequence[Token]) -> None:
    """Refuses a variable in a stored view, which outlives the session. Spark would notice when the view is read."""
    head = [token.text.upper() for token in call.tokens[:5]]
    stored = head[:1] == ["CREATE"] and "VIEW" in head and not {"TEMPORARY", "TEMP"} & set(head)
    if stored and model[0].token_type == TokenType.PARAMETER:
        raise ParseError(
            "A view cannot use a variable as its model, because the variable is gone when the view is read.",
            hint="Name the model or write the query that returns it, or use CREATE TEMPORARY VIEW.",
            offset=model[0].start,
        )


def _check_runtime(keys: Mapping[str, tuple[Token, Sequence[Token]]]) -> None:
    if "RUNTIME" in keys:
        word, tokens = keys["RUNTIME"]
        if len(tokens) != 1 or tokens[0].text.upper() != "ONNX":
            raise ParseError(
                "The only runtime is ONNX: RUNTIME = ONNX.", offset=tokens[0].start if tokens else word.end + 1
            )


def _data(argument: Sequence[Token], text: str) -> tuple[Moved, Alias]:
    """Parses `dbo.t AS d`: the range of both, and the alias; a table without an alias goes by its own name."""
    if is_name(argument, text):
        return Moved(argument[0].start, argument[-1].end + 1), Alias(quote_identifier(argument[-1].text))
    if len(argument) < 3 or argument[-2].text.upper() != "AS" or is_quoted(argument[-2]):
        raise ParseError("DATA needs an alias, such as DATA = customers AS d.", offset=argument[-1].end + 1)
    found, _ = alias(argument, len(argument) - 1, text, "an alias")
    return Moved(argument[0].start, argument[-1].end + 1), found


def _result(call: Call) -> tuple[list[ResultColumn], Alias, int]:
    """Parses `WITH (score FLOAT) AS p`: its columns, its alias, and its end."""
    tokens, closing = call.tokens, call.closing
    if not is_with(tokens, closing):
        raise ParseError(
            "Expected WITH (column type, …) AS alias after PREDICT(MODEL = …), such as WITH (score FLOAT) AS p.",
            offset=call.stop,
        )
    opening = closing + 2
    end = call.closings[opening]
    if tokens[end].token_type != TokenType.R_PAREN:
        raise ParseError("The parenthesis after WITH is not closed.", offset=tokens[opening].start)
    columns = result_columns(arguments(tokens, opening, end, types=True), call.text, tokens[opening].end + 1)
    at = end + 1
    if at < len(tokens) and tokens[at].text.upper() == "AS" and not is_quoted(tokens[at]):
        at += 1
    name = joined(tokens[at : call.closings.get(at, at) + 1], call.text, quotes=True)
    found, stop = alias(name, 0, call.text, "AS alias", tokens[end].end + 1)
    return columns, found, stop


def _check_outputs(
    model: Sequence[Token], columns: Sequence[ResultColumn], text: str, signature_of: SignatureOf | None
) -> None:
    """Raises at the column for which the model has no output; without this Spark's error would point at the call."""
    reference = value(model, text).reference
    signature = signature_of(reference) if signature_of and reference else None
    if signature is None:
        return
    known = offered(signature)
    for column in columns:
        try:
            bind(reference or "", signature, known, column.name, column.type, alone=len(columns) == 1)
        except SqlmlError as error:
            raise error.at(column.start) from None

"""Rewrites calls of PREDICT and its kin to what Spark's parser resolves. `FUNCTIONS` is the one table of names.

Spark parses `PREDICT(…)` like any function, with three exceptions: a bare model name would be resolved as a column, and
`*` and named arguments would lose the names that binding needs. So the calls are found by token, and only those parts
are replaced:

    PREDICT(churn, a, b)           → PREDICT('churn', a, b)
    PREDICT(churn, *)              → PREDICT('churn', struct(*))
    PREDICT(churn, age => a + 1)   → PREDICT('churn', named_struct('age', a + 1))
    PREDICT(MODEL churn, TABLE a)  → PREDICT('churn', a)             what sqlglot makes of PREDICT(churn, a)

The rewrite is idempotent, because the stored text of a view comes back through it.

Spark does not expand a star in ORDER BY, GROUP BY, HAVING and join conditions, in UPDATE and DELETE, nor in the select
list of a query that is grouped by column ordinals. There, and only there, `*` becomes the model's features by name, for
which parsing asks the registry.

The table forms are in `sqlml.parser.table_functions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from sqlglot import Token, TokenType

from sqlml.errors import ParseError, SqlmlError
from sqlml.parser.call_tokens import Nesting, call_arguments, closings, is_name, is_with, quoted_model
from sqlml.parser.generator import quote_identifier, quote_string
from sqlml.parser.query_parts import QueryParts
from sqlml.parser.rewriter import Edit, Rewrite, apply
from sqlml.parser.table_functions import table_call
from sqlml.parser.tokens import LONGEST_STATEMENT, is_word, plain_text, tokenize
from sqlml.parser.tsql_predict import SignatureOf

# Name in SQL → the function that it calls.
FUNCTIONS: dict[str, str] = {
    "ml_predict": "predict",
    "ml_predict_proba": "predict_proba",
    "predict": "predict",
    "predict_outputs": "predict_outputs",
    "predict_proba": "predict_proba",
    "predict_provenance": "predict_provenance",
}

# The function that the table forms are rewritten to; its second argument lists the outputs.
_OUTPUTS = "predict_outputs"

# After one of these words, `predict(…)` names a relation, a function or a column list: it is no scalar call.
_NO_CALL_AFTER = {
    "AS",
    "EXISTS",
    "FROM",
    "FUNCTION",
    "INTO",
    "JOIN",
    "LATERAL",
    "OVERWRITE",
    "RECURSIVE",
    "TABLE",
    "VIEW",
    "WITH",
}
# Words that the tokenizer takes for names, but that an expression follows; after any other name `predict` is an alias.
_CALL_AFTER = {
    *("AGGREGATE", "DIV", "EXTEND", "ILIKE", "QUALIFY", "RETURN", "RLIKE", "REGEXP", "SET"),
    *("ELSEIF", "IF", "UNTIL", "WHILE"),  # of scripts
}

# The tokens between a model's name and its version or alias: / and @.
_AFTER_NAME = (TokenType.SLASH, TokenType.PARAMETER)

_CALL = re.compile(rf"\b(?:{'|'.join(FUNCTIONS)})\s*\(", re.IGNORECASE)

# A limit, because Spark resolves each call separately and asks for its model.
_MOST_CALLS = 1_000

Features = Callable[[str], Sequence[str]]
"""From a model's reference to the names of its features."""


def rewrite(
    text: str,
    features_of: Features | None = None,
    signature_of: SignatureOf | None = None,
    others: Sequence[Edit] = (),
) -> Rewrite | None:
    """Returns the text with every call made readable for Spark; None where there is nothing to change.

    Args:
        features_of: returns a model's features where Spark would not expand a star; without it the star stays.
        signature_of: returns a model's signature where columns of its outputs are named, so that errors point at the
            column; without it Spark's analysis reports them at the call.
        others: further edits of the text; calls inside them are ignored.

    Raises:
        ParseError: a call that makes no sense, such as a mixture of named and plain arguments.
        SqlmlError: SQLML_STATEMENT_TOO_LONG; SQLML_INVALID_NAME.
    """
    if len(text) > LONGEST_STATEMENT and not others and not _CALL.search(plain_text(text)):
        return None  # Our names occur in literals or comments at most, so the text is Spark's, however long.
    try:
        tokens = tokenize(text)
    except ParseError:
        return None  # Spark's own error message is better.
    # Find the calls, but those inside other edits.
    closing = closings(tokens)
    changed = {offset for edit in others for offset in range(edit.start, edit.stop)}
    found = (at for at in range(len(tokens) - 1) if _is_named_so(tokens, at, text) and tokens[at].start not in changed)
    calls = list(islice(found, _MOST_CALLS + 1))
    if len(calls) > _MOST_CALLS:
        raise ParseError(f"A statement can call PREDICT at most {_MOST_CALLS:,} times.", offset=tokens[calls[-1]].start)
    if not calls and not others:
        return None
    # Rewrite each: as a table form where a relation may stand, else as a scalar call.
    parts, tsql = QueryParts(tokens), Nesting(tokens, closing)
    edits: list[Edit] = [*others]
    for at in calls:
        if is_with(tokens, closing[at + 1]):
            tsql.enter(at)
        table = table_call(tokens, at, closing, text, parts, signature_of)
        if table is not None:
            edits += table
        elif _is_call(tokens, at, closing):
            edits += _call(tokens, at + 1, closing, text, features_of if parts.stars_stay(at) else None)
    return apply(text, edits) if edits else None


def _is_named_so(tokens: Sequence[Token], at: int, text: str) -> bool:
    return (
        tokens[at].text.lower() in FUNCTIONS
        and is_word(tokens[at], text)
        and tokens[at + 1].token_type == TokenType.L_PAREN
    )


def _is_call(tokens: Sequence[Token], at: int, closings: Mapping[int, int]) -> bool:
    """Returns whether a name before a parenthesis is a scalar call, judged by the tokens around it."""
    before = tokens[at - 1] if at else None
    # `a IS DISTINCT FROM predict(…)` compares; any other FROM is followed by a relation.
    compared = at > 1 and tokens[at - 2].text.upper() == "DISTINCT"
    if before is not None and not compared and (before.text.upper() in _NO_CALL_AFTER or _ends_relation(before)):
        return False
    # `WITH a AS (…), predict(x) AS (…)` names a common table expression.
    closing = closings[at + 1]
    after = tokens[closing + 1 : closing + 3]
    return not (len(after) == 2 and after[0].text.upper() == "AS" and after[1].token_type == TokenType.L_PAREN)


def _ends_relation(before: Token) -> bool:
    """Returns whether a name after this token is an alias, as in `VALUES (1, 2) predict (a, b)`, or part of a name."""
    if before.token_type == TokenType.VAR:
        return before.text.upper() not in _CALL_AFTER
    return before.token_type in (TokenType.DOT, TokenType.R_PAREN, TokenType.IDENTIFIER)


def _call(
    tokens: Sequence[Token], opening: int, closings: Mapping[int, int], text: str, features_of: Features | None
) -> list[Edit]:
    """The edits of one scalar call: of its model, then of its features."""
    closing = closings[opening]
    arguments = call_arguments(tokens, opening, closings)
    if not arguments or not all(arguments) or tokens[closing].token_type != TokenType.R_PAREN:
        # Spark's own message about an empty argument or an open parenthesis is as good as ours.
        return []
    model, features = arguments[0], list[Sequence[Token]](arguments[1:])
    if tokens[opening - 1].text.lower() == _OUTPUTS:
        # A call that a rewrite of ours made: the model is a text, a variable or a subquery, never a bare name.
        return _features(features[1:], tokens[closing], text) if features[1:] else []
    edits = _model(model, text)
    if not features:
        return edits
    if edits and edits[0].new == "" and _follows_table(features[0], text):
        edits.append(Edit(features[0][0].start, features[0][1].start, ""))
        features[0] = features[0][1:]  # `TABLE *` and `TABLE a => x` are then a star and a named argument
    excluded = _excluded(features[0], text) if features_of is not None and len(features) == 1 else None
    if features_of is not None and excluded is not None:
        return [*edits, _expanded(model, features[0], excluded, features_of)]
    return edits + _features(features, tokens[closing], text)


def _excluded(argument: Sequence[Token], text: str) -> frozenset[str] | None:
    """The lower-case names that `*`, `t.*` or `* EXCEPT (a, b)` leave out; None for any other argument."""
    if not _is_star(argument):
        return None
    star = next(at for at, token in enumerate(argument) if token.token_type == TokenType.STAR)
    after = argument[star + 1 :]
    if not after:
        return frozenset()
    names, commas = after[2:-1:2], after[3:-1:2]
    listed = (
        len(after) % 2 == 0
        and len(after) > 3
        and after[0].text.upper() == "EXCEPT"
        and after[1].token_type == TokenType.L_PAREN
        and after[-1].token_type == TokenType.R_PAREN
        and all(token.token_type == TokenType.COMMA for token in commas)
        and all(is_name([token], text) for token in names)
    )
    return frozenset(token.text.lower() for token in names) if listed else None


def _expanded(model: Sequence[Token], star: Sequence[Token], excluded: frozenset[str], features_of: Features) -> Edit:
    """Expands `*` to `named_struct('age', age, …)`, and `t.*` to `named_struct('age', t.age, …)`."""
    reference = model[-1].text if len(model) <= 2 else "".join(token.text for token in model)
    before = star[: next(at for at, token in enumerate(star) if token.token_type == TokenType.STAR)]
    qualifier = "".join("." if token.token_type == TokenType.DOT else quote_identifier(token.text) for token in before)
    try:
        names = [name for name in features_of(reference) if name.lower() not in excluded]
    except SqlmlError as error:
        raise error.at(model[0].start) from None
    pairs = ", ".join(f"{quote_string(name)}, {qualifier}{quote_identifier(name)}" for name in names)
    return Edit(star[0].start, star[-1].end + 1, f"named_struct({pairs})")


def _follows_table(argument: Sequence[Token], text: str) -> bool:
    """Returns whether the argument is `TABLE a`, which sqlglot writes before the first feature; `TABLE(t)` is not."""
    return (
        len(argument) > 1
        and is_word(argument[0], text)
        and argument[0].text.upper() == "TABLE"
        and argument[1].token_type != TokenType.L_PAREN
    )


def _model(argument: Sequence[Token], text: str) -> list[Edit]:
    """Edits the first argument: a bare name becomes a text; `MODEL name` and `MODEL => name` lose their keyword."""
    edits = []
    if len(argument) > 1 and is_word(argument[0], text) and argument[0].text.upper() == "MODEL":
        named = argument[1].token_type == TokenType.FARROW
        rest = argument[2:] if named else argument[1:]
        if rest and (named or rest[0].token_type != TokenType.DOT):
            edits.append(Edit(argument[0].start, rest[0].start, ""))
            argument = rest
    if len(argument) > 3 and argument[0].text.upper() == "IDENTIFIER" and argument[1].token_type == TokenType.L_PAREN:
        # IDENTIFIER(:m) becomes (:m): the text is a model's reference already.
        return [*edits, Edit(argument[0].start, argument[1].start, "")]
    _check_quotes(argument, text)
    if not is_name(argument, text):
        return edits
    return [*edits, Edit(argument[0].start, argument[-1].end + 1, quoted_model(argument))]


def _check_quotes(argument: Sequence[Token], text: str) -> None:
    """Raises ParseError for an unquoted `churn/3` or `churn@champion`, which Spark would parse as arithmetic or a
    variable."""
    at = len(argument) - 2
    if at > 0 and argument[at].token_type in _AFTER_NAME and is_name(argument[:at], text):
        shown = text[argument[0].start : argument[-1].end + 1]
        what = "A version" if argument[at].token_type == TokenType.SLASH else "An alias"
        raise ParseError(f"{what} of a model needs quotes. Write {quote_string(shown)}.", offset=argument[0].start)


def _features(features: Sequence[Sequence[Token]], closing: Token, text: str) -> list[Edit]:
    """Wraps features with a star in struct(…), and named ones in named_struct(…)."""
    named = [len(argument) > 1 and argument[1].token_type == TokenType.FARROW for argument in features]
    starred = [_is_star(argument) for argument in features]
    if not any(named) and not any(starred):
        return []
    odd = next((at for at, name in enumerate(named) if not name), None)
    if any(named) and odd is not None:
        raise ParseError(
            "Either all features or none must be written as name => expression.",
            offset=features[odd][0].start,
        )
    start = features[0][0].start
    if not any(named):
        return [Edit(start, start, "struct("), Edit(closing.start, closing.start, ")")]
    edits = []
    for at, argument in enumerate(features):
        if len(argument) < 3:
            raise ParseError("Expected an expression after =>.", offset=argument[-1].end + 1)
        key = ("named_struct(" if at == 0 else "") + f"{quote_string(argument[0].text)}, "
        edits.append(Edit(argument[0].start, argument[2].start, key))
    return [*edits, Edit(closing.start, closing.start, ")")]


def _is_star(argument: Sequence[Token]) -> bool:
    """Returns whether the argument is `*`, `t.*` or `* EXCEPT (…)`. The star of a product follows an operand, not a
    dot."""
    at = 0
    while at + 1 < len(argument) and argument[at + 1].token_type == TokenType.DOT:
        at += 2
    return at < len(argument) and argument[at].token_type == TokenType.STAR

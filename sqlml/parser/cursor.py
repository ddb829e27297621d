"""A recursive-descent cursor over the tokens of one statement: the primitives that every statement's parser is made of.

It knows names, literals, options and pieces of SQL, but no statement. Every error carries its offset in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import Token, TokenType

from sqlml.errors import ParseError
from sqlml.parser import literals
from sqlml.parser.references import ModelReference, alias_name, model_name
from sqlml.parser.tokens import is_word, tokenize

_OPENS = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSES = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
_POSITIVE = re.compile(r"0*[1-9][0-9]{0,8}\Z")
# No sensible value nests lists and calls deeper, and Python limits recursion.
_MOST_NESTED = 50


@dataclass(frozen=True)
class Option:
    """`key = value` in OPTIONS or TAGS. The offset is for messages and takes no part in equality."""

    name: str
    value: Any
    offset: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Column:
    """A column's name as the user wrote it. The offset is for messages."""

    name: str
    offset: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Piece:
    """A part of the user's text that Spark will parse, verbatim. The offset takes no part in equality."""

    text: str
    offset: int = field(default=0, compare=False)


class Cursor:
    """Walks the tokens of one statement. `accept…` returns whether it moved; `expect…` raises ParseError if it
    cannot."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokenize(text)
        self._at = 0
        self._nested = 0

    def rewind(self) -> None:
        """Goes back to the first token."""
        self._at = 0

    # -- looking ---------------------------------------------------------------------------------------------------

    @property
    def offset(self) -> int:
        """The offset of the next token; of the end of the text after the last token."""
        token = self._token()
        return token.start if token else len(self.text.rstrip())

    def at_end(self) -> bool:
        """Returns whether only semicolons follow."""
        rest = range(self._at, len(self._tokens))
        return all(self._tokens[at].token_type == TokenType.SEMICOLON for at in rest)

    def sees_symbol(self, kind: TokenType) -> bool:
        """Returns whether the next token is this symbol."""
        token = self._token()
        return token is not None and token.token_type == kind

    def sees(self, *words: str) -> bool:
        """Returns whether the next tokens are these keywords."""
        ahead = self._tokens[self._at : self._at + len(words)]
        return len(ahead) == len(words) and all(
            is_word(token, self.text) and token.text.upper() == word for token, word in zip(ahead, words, strict=True)
        )

    # -- keywords and symbols --------------------------------------------------------------------------------------

    def accept(self, *words: str) -> bool:
        """Moves past these keywords if they are next; returns whether they were."""
        if not self.sees(*words):
            return False
        self._at += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Moves past these keywords.

        Raises:
            ParseError: they are not next.
        """
        if not self.accept(*words):
            raise self.error(" ".join(words))

    def accept_symbol(self, kind: TokenType) -> bool:
        """Moves past a symbol if it is next; returns whether it was."""
        token = self._token()
        if token is None or token.token_type != kind:
            return False
        self._at += 1
        return True

    def expect_symbol(self, kind: TokenType, shown: str) -> None:
        """Moves past a symbol, or raises ParseError; `shown` is the symbol in the message."""
        if not self.accept_symbol(kind):
            raise self.error(shown)

    def error(self, expected: str, hint: str = "") -> ParseError:
        """Returns a ParseError at the next token: "Expected …, found …"."""
        token = self._token()
        found = "but the statement ends here" if token is None else f"found {self._source(token)!r}"
        if not hint and token is not None and token.token_type in (TokenType.COLON, TokenType.PLACEHOLDER):
            hint = "A parameter can stand only where a literal can, and it needs a value: spark.sql(…, args=…)."
        return ParseError(f"Expected {expected}, {found}.", offset=self.offset, hint=hint)

    # -- pieces of statements --------------------------------------------------------------------------------------

    def model_name(self) -> str:
        """Parses a model's name, in lower case with its dots."""
        offset = self.offset
        parts = [*self._names("a model's name")]
        while self.accept_symbol(TokenType.DOT):
            parts.append(self._identifier("a name after the dot"))
        return model_name(".".join(parts), offset)

    def model_reference(self) -> ModelReference:
        """Parses `churn`, `churn VERSION 3`, `churn ALIAS champion`, `'churn/3'` or `'churn@champion'`."""
        offset = self.offset
        if self._sees_string():
            return ModelReference.parse(self.string(), offset)
        name = self.model_name()
        if self.accept("VERSION"):
            return ModelReference(name, version=self.positive_integer("a version number"))
        if self.accept("ALIAS"):
            alias_offset = self.offset
            return ModelReference.parse(f"{name}@{self._identifier('an alias')}", alias_offset)
        return ModelReference(name)

    def alias(self) -> str:
        """Parses an alias of a version."""
        offset = self.offset
        return alias_name(self._identifier("an alias"), offset)

    def column(self) -> Column:
        """Parses a column's name."""
        offset = self.offset
        return Column(".".join(self._names("a column's name")), offset)

    def columns(self) -> tuple[Column, ...]:
        """Parses `( column, … )`."""
        self.expect_symbol(TokenType.L_PAREN, "(")
        names = [self.column()]
        while self.accept_symbol(TokenType.COMMA):
            names.append(self.column())
        self.expect_symbol(TokenType.R_PAREN, ") or a comma")
        return tuple(names)

    def dotted(self, what: str) -> str:
        """Parses identifiers with dots between them and joins them with dots."""
        return ".".join(self.identifiers(what))

    def identifiers(self, what: str) -> tuple[str, ...]:
        """Parses identifiers with dots between them: the name of a table."""
        parts = [*self._names(what)]
        while self.accept_symbol(TokenType.DOT):
            parts.append(self._identifier(what))
        return tuple(parts)

    def string(self) -> str:
        """Parses a quoted text; a doubled quote inside it stands for one quote, as in Spark."""
        if not self._sees_string():
            raise self.error("a string literal")
        token = self._next()
        text = token.text
        while (following := self._token()) and self._sees_string() and following.start == token.end + 1:
            token = self._next()
            text += self.text[token.start] + token.text
        return text

    def keys(self) -> tuple[str, ...]:
        """Parses `( key, … )`; a key as in `options`."""
        self.expect_symbol(TokenType.L_PAREN, "(")
        found = [self._key()]
        while self.accept_symbol(TokenType.COMMA):
            found.append(self._key())
        self.expect_symbol(TokenType.R_PAREN, ") or a comma")
        return tuple(found)

    def number(self) -> int | float:
        """Parses a number with an optional sign."""
        offset, value = self.offset, self.value()
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ParseError("Expected a number.", offset=offset)
        return value

    def positive_integer(self, what: str) -> int:
        """Parses an integer of at least 1."""
        token = self._token()
        if token is None or token.token_type != TokenType.NUMBER or not _POSITIVE.match(token.text):
            raise self.error(what)
        return int(self._next().text)

    def options(self) -> tuple[Option, ...]:
        """Parses `( key = value, … )`; a key is a word or a quoted text. An empty list is allowed."""
        self.expect_symbol(TokenType.L_PAREN, "(")
        found: dict[str, Option] = {}
        while not self.accept_symbol(TokenType.R_PAREN):
            if found:
                self.expect_symbol(TokenType.COMMA, ") or a comma")
            offset = self.offset
            key = self._key()
            if key.lower() in found:
                raise ParseError(f"The key {key} is given twice.", offset=offset)
            self.expect_symbol(TokenType.EQ, "=")
            found[key.lower()] = Option(key, self.value(), offset)
        return tuple(found.values())

    def value(self) -> Any:
        """Parses a literal, a `[list]`, a `{'key': value}`, a call or a bare word; `true`, `false` and `null` are
        values."""
        if self._nested >= _MOST_NESTED:
            raise ParseError(f"Lists and calls are nested more than {_MOST_NESTED} levels deep.", offset=self.offset)
        self._nested += 1
        found = self._value()
        self._nested -= 1
        return found

    def _value(self) -> Any:
        if self._sees_string():
            return self.string()
        if self.accept_symbol(TokenType.L_BRACKET):
            return tuple(self._until(TokenType.R_BRACKET, "]", self.value))
        if self.accept_symbol(TokenType.L_BRACE):
            return dict(self._until(TokenType.R_BRACE, "}", self._pair))
        negative = self.accept_symbol(TokenType.DASH)
        token = self._token()
        if token is not None and token.token_type == TokenType.NUMBER:
            return -self._number() if negative else self._number()
        if negative or token is None or not is_word(token, self.text):
            raise self.error("a value")
        word = self._next().text
        if self.accept_symbol(TokenType.L_PAREN):
            return literals.called(word.lower(), tuple(self._until(TokenType.R_PAREN, ")", self.value)), token.start)
        return {"true": True, "false": False, "null": None}.get(word.lower(), word)

    def parenthesised(self, what: str) -> Piece:
        """Returns the text between balanced parentheses, verbatim."""
        self.expect_symbol(TokenType.L_PAREN, "(")
        start, first, depth = self.offset, self._at, 0
        while depth > 0 or not self.sees_symbol(TokenType.R_PAREN):
            token = self._token()
            if token is None:
                raise self.error(")")
            depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
            self._at += 1
        if self._at == first:
            raise self.error(what)
        stop = self._tokens[self._at - 1].end + 1
        self._at += 1
        return Piece(self.text[start:stop], start)

    def item(self, what: str, *, angled: bool = False) -> Piece:
        """Returns the text up to the next comma or closing parenthesis of this level, verbatim.

        Args:
            what: the item's name in the error message.
            angled: angle brackets nest too, as in a type; otherwise the item is an expression.
        """
        start, first, depth = self.offset, self._at, 0
        while (token := self._token()) is not None:
            ends = token.token_type in (TokenType.COMMA, TokenType.R_PAREN, TokenType.SEMICOLON)
            if depth == 0 and ends:
                break
            depth += (token.token_type in _OPENS) - (token.token_type in _CLOSES)
            if angled:
                source = self._source(token)
                depth += source.count("<") - source.count(">")
            self._at += 1
        if self._at == first:
            raise self.error(what)
        return Piece(self.text[start : self._tokens[self._at - 1].end + 1], start)

    @property
    def index(self) -> int:
        """The index of the next token."""
        return self._at

    def tokens(self, first: int, stop: int) -> list[Token]:
        """Returns the tokens with the indices from `first` up to, not including, `stop`."""
        return self._tokens[first:stop]

    def piece(self, start: int) -> Piece:
        """Returns the text from an offset up to the last token read, verbatim."""
        return Piece(self.text[start : self._tokens[self._at - 1].end + 1], start)

    def query(self) -> tuple[str, int]:
        """Returns the rest of the text verbatim, without closing semicolons, and its offset."""
        start = self.offset
        tokens = self._tokens[self._at :]
        while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
            tokens.pop()
        if not tokens:
            raise self.error("a query")
        for token in tokens:
            if token.token_type == TokenType.SEMICOLON:
                raise ParseError(
                    "Only one statement can run at a time, and another one follows the semicolon.", offset=token.start
                )
        self._at = len(self._tokens)
        return self.text[start : tokens[-1].end + 1], start

    def expect_end(self) -> None:
        """Raises ParseError unless only semicolons follow."""
        if self.at_end():
            return
        if self.accept_symbol(TokenType.SEMICOLON):
            raise ParseError(
                "Only one statement can run at a time, and another one follows the semicolon.", offset=self.offset
            )
        raise self.error("the end of the statement")

    # -- inside ----------------------------------------------------------------------------------------------------

    def _token(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _source(self, token: Token) -> str:
        return self.text[token.start : token.end + 1]

    def _sees_string(self) -> bool:
        token = self._token()
        return token is not None and token.token_type in (TokenType.STRING, TokenType.RAW_STRING)

    def _identifier(self, what: str) -> str:
        token = self._token()
        if token is None or not (token.token_type == TokenType.IDENTIFIER or is_word(token, self.text)):
            raise self.error(what)
        return self._next().text

    def _names(self, what: str) -> Sequence[str]:
        """An identifier, or the parts of `IDENTIFIER('a.b')`, which lets a parameter supply a name."""
        following = self._tokens[self._at + 1 : self._at + 2]
        if not (self.sees("IDENTIFIER") and following and following[0].token_type == TokenType.L_PAREN):
            return [self._identifier(what)]
        self._at += 2
        offset, text = self.offset, self.string()
        self.expect_symbol(TokenType.R_PAREN, ")")
        return literals.identifiers(text, offset)

    def _number(self) -> int | float:
        """Parses a number with an optional type suffix, `0.5D`, which sqlglot's tokenizer emits as a cast."""
        token = self._next()
        kind = self._token()
        if kind is None or kind.token_type != TokenType.DCOLON or kind.start != token.start:
            return literals.number(token.text, token.start)
        self._at += 1
        return literals.number(token.text, token.start, self._next().token_type)

    def _until(self, closing: TokenType, shown: str, item: Any) -> Iterator[Any]:
        """Yields comma-separated items up to the closing symbol."""
        first = True
        while not self.accept_symbol(closing):
            if not first:
                self.expect_symbol(TokenType.COMMA, f"{shown} or a comma")
            first = False
            yield item()

    def _key(self) -> str:
        return self.string() if self._sees_string() else self._identifier("an option's name")

    def _pair(self) -> tuple[str, Any]:
        key = self.string()
        self.expect_symbol(TokenType.COLON, ":")
        return key, self.value()

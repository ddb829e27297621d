"""The SQL generator of ENRICH TABLE: plain, readable Spark SQL, which SHOW SQL returns and all other forms run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlml.enrichment.columns import read_by, unqualified
from sqlml.enrichment.mapping import SIMILAR, Mapped, Proposal
from sqlml.enrichment.outputs import PROVENANCE, Output
from sqlml.errors import SqlmlError
from sqlml.parser.generator import identifier, quote_identifier, quote_string, word


@dataclass(frozen=True)
class Enrichment:
    """A resolved ENRICH TABLE statement.

    Attributes:
        relation: the table as SQL, or a query in parentheses.
        reference: the model in function calls: `churn`, `churn/3`, `churn@champion`.
        columns: the table's columns and their types.
        qualifiers: the names that may qualify a column: the alias, or else the table's name.
    """

    relation: str
    alias: str | None
    reference: str
    proposal: Proposal
    outputs: tuple[Output, ...]
    provenance: bool
    columns: tuple[tuple[str, str], ...]
    qualifiers: tuple[str, ...]

    @property
    def select(self) -> str:
        """The SELECT with the table's columns, then the model's."""
        star = "*" if self.alias is None else f"{word(self.alias)}.*"
        lines = [star, *(f"{value} AS {word(name)}" for name, value in self._values(self._arguments()))]
        relation = self.relation if self.alias is None else f"{self.relation} AS {word(self.alias)}"
        return "SELECT\n  " + ",\n  ".join(lines) + f"\nFROM {relation}"

    def create_view(
        self, name: str, *, replace: bool, temporary: bool, comment: str, properties: Mapping[str, str]
    ) -> str:
        comments = {output.column: output.comment for output in self.outputs}
        if self.provenance:
            comments[PROVENANCE] = "Which version of the model said so, and when"
        names = [column for column, _ in self.columns] + list(comments)
        listed = [word(one) + (f" COMMENT {quote_string(comments[one])}" if one in comments else "") for one in names]
        # Spark allows no properties on a temporary view.
        kept = "" if temporary else f"\nTBLPROPERTIES ({_properties(properties)})"
        return (
            f"CREATE {'OR REPLACE ' * replace}{'TEMPORARY ' * temporary}VIEW {name} (\n  "
            + ",\n  ".join(listed)
            + f"\n)\nCOMMENT {quote_string(comment)}{kept}\nAS {self.select}"
        )

    def create_table(
        self, name: str, *, replace: bool, using: str | None, comment: str, properties: Mapping[str, str]
    ) -> str:
        kept = f"\nCOMMENT {quote_string(comment)}" if comment else ""
        kept += f"\nTBLPROPERTIES ({_properties(properties)})" if properties else ""
        return (
            f"CREATE {'OR REPLACE ' * replace}TABLE {name}{f' USING {using}' if using else ''}{kept}\nAS {self.select}"
        )

    def insert_into(self, name: str) -> str:
        return f"INSERT INTO {name} BY NAME\n{self.select}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of a function: the columns that the features' expressions read, in the features' order."""
        read = [name for one in self.proposal.mapped for name in self._reads(one)]
        return tuple(dict.fromkeys(read))

    def create_function(self, name: str, *, replace: bool, temporary: bool, comment: str, types: Sequence[str]) -> str:
        """The CREATE FUNCTION statement; a function of several outputs returns a struct.

        Args:
            types: the types of the outputs and of the provenance, in that order.

        Raises:
            SqlmlError: SQLML_NOT_SUPPORTED for a parameter in whose name Spark would substitute a variable.
        """
        kinds = dict(self.columns)
        variable = next((column for column in self.parameters if "${" in column), None)
        if variable is not None:
            # Spark parses a function's body with the function's settings, but its parameters with the caller's.
            raise SqlmlError(
                "SQLML_NOT_SUPPORTED",
                f"A function cannot have the parameter {quote_identifier(variable)}: Spark substitutes ${{…}} as a"
                " variable when the function is called.",
                hint=f"Give it another name: ENRICH TABLE (SELECT {quote_identifier(variable)} AS x, … FROM …).",
            )
        parameters = ", ".join(f"{word(column)} {_type(kinds[column])}" for column in self.parameters)
        values = self._values([self._bare(one) for one in self.proposal.mapped])
        if len(values) == 1:
            returned, body = types[0], values[0][1]
        else:
            fields = ", ".join(
                f"{quote_identifier(name)}: {kind}" for (name, _), kind in zip(values, types, strict=True)
            )
            returned = f"STRUCT<{fields}>"
            body = "struct(\n    " + ",\n    ".join(f"{value} AS {word(name)}" for name, value in values) + ")"
        return (
            f"CREATE {'OR REPLACE ' * replace}{'TEMPORARY ' * temporary}FUNCTION {name}({parameters})"
            f"\nRETURNS {_type(returned)}"
            f"\nCOMMENT {quote_string(comment)}\nRETURN\n  {body}"
        )

    # -- inside ------------------------------------------------------------------------------------------------------

    def _values(self, arguments: Sequence[str]) -> list[tuple[str, str]]:
        """Each new column's name and expression."""
        listed = "".join(f",\n    {argument}" for argument in arguments)
        values = [
            (output.column, output.expression(f"{output.function}({quote_string(self.reference)}{listed})"))
            for output in self.outputs
        ]
        if self.provenance:
            values.append((PROVENANCE, f"PREDICT_PROVENANCE({quote_string(self.reference)})"))
        return values

    def _arguments(self) -> list[str]:
        return [_argument(one, str(one.expression)) for one in self.proposal.mapped]

    def _reads(self, one: Mapped) -> tuple[str, ...]:

        return read_by(str(one.expression), [name for name, _ in self.columns], self.qualifiers)

    def _bare(self, one: Mapped) -> str:
        names = [name for name, _ in self.columns]
        return _argument(one, unqualified(str(one.expression), names, self.qualifiers))


def _argument(one: Mapped, expression: str) -> str:
    # `name => expression` takes only names that are not keywords of PREDICT's own.
    note = f" /* similar name, {one.score:g} */" if one.method == SIMILAR else ""
    return f"{identifier(one.feature.name)} => {expression}{note}"


def _type(kind: str) -> str:
    """A type in upper case, unless it has the names of struct fields."""
    return kind if "<" in kind else kind.upper()


def _properties(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{quote_string(key)} = {quote_string(value)}" for key, value in properties.items())

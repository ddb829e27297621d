"""Common subexpression elimination: arranges definitions into one SELECT over common table expressions.

A definition that is used once is inlined. One that is used more often, or would make an expression too deep for some
engine, becomes a column of a step: a CTE over the previous one that also carries the columns that later steps need.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from sqlml.compiler.names import column, identifier, unique
from sqlml.compiler.scope import Definition, Scope
from sqlml.compiler.values import BOOL

# SQLite and DuckDB take expressions of depth 1000; a Python call for each level has to fit as well.
_MOST_DEEP = 100
# T-SQL allows ten; the expression around a definition may have some of its own.
_MOST_CASES = 4
# An input (a column of the table with its cast) is inlined up to this many times.
_MOST_COPIES = 3
_OPERAND: dict[Any, int] = {
    exp.Or: 1,
    exp.And: 2,
    exp.Not: 3,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In), 4),
    exp.Add: 5,
    exp.Sub: 5,
    exp.Mul: 6,
    exp.Div: 6,
    exp.Neg: 7,
}


@dataclass
class _Settled:
    """A definition without placeholders: `reads` are the columns that it needs, `cases` the depth of nested CASE."""

    tree: exp.Expression
    depth: int
    cases: int
    reads: set[str]


def select(
    scope: Scope,
    outputs: Sequence[tuple[str, exp.Expression]],
    source: exp.Expression,
    kept: Sequence[str],
    *,
    taken: Iterable[str] = (),
    before: Sequence[exp.CTE] = (),
) -> exp.Select:
    """Returns one SELECT of some columns of the source and the outputs.

    Args:
        outputs: names and expressions, which refer to definitions by placeholders.
        source: a table, or a step of `before`.
        kept: columns of the source that precede the outputs.
        taken: names that no step and no column of a step may have.
        before: steps that come first.
    """
    steps = _Steps(scope, [*taken, *kept], kept)
    steps.count([tree for _, tree in outputs])
    steps.decide()
    return steps.select([(name, steps.settle(tree)) for name, tree in outputs], source, kept, before)


class _Steps:
    """The three phases: count the uses, decide what is inlined, then build the steps by level."""

    def __init__(self, scope: Scope, taken: Iterable[str], kept: Sequence[str]) -> None:
        self._dialect = scope.engine.name
        self._flat = scope.engine.flat
        self._materialized = scope.engine.materialized
        self._definitions = scope.definitions
        self._taken = list(taken)
        self._uses: Counter[int] = Counter()
        self._settled: dict[int, _Settled] = {}
        self._names: dict[int, str] = {}
        # The level of a column is the number of its step; a column of the table has level 0.
        self._levels: Counter[str] = Counter()
        self._columns: dict[str, exp.Expression] = {}
        # Column names are compared without regard to case; the spelling met first is used throughout.
        self._spelled = {name.casefold(): name for name in reversed(kept)}
        prefix = "v"
        while any(name.casefold().startswith(prefix) and name[len(prefix) :].isdigit() for name in self._taken):
            prefix += "_"
        self._prefix = prefix

    def count(self, roots: Sequence[exp.Expression]) -> None:
        """Counts the uses of each definition that the roots need."""
        waiting = list(roots)
        while waiting:
            for number in map(_number, waiting.pop().find_all(exp.Placeholder)):
                if not self._uses[number]:
                    waiting.append(self._definitions[number].tree)
                self._uses[number] += 1

    def decide(self) -> None:
        """Settles the definitions in order, and makes columns of those that are not inlined."""
        for number in sorted(self._uses):
            definition = self._definitions[number]
            found = self.settle(definition.tree)
            self._settled[number] = found
            if not self._in_place(number, definition, found):
                self._name(number, definition, found)

    def settle(self, tree: exp.Expression) -> _Settled:
        """Replaces each placeholder by the column or the inlined tree of its definition, and measures the result."""
        depth, cases, reads = 0, 0, set()
        for node in list(tree.walk()):
            if isinstance(node, exp.Case):
                cases = max(cases, _cases_around(node) + 1)
            if isinstance(node, exp.Column):
                reads.add(self._spelled.setdefault(node.name.casefold(), node.name))
            if not isinstance(node, exp.Placeholder):
                depth = max(depth, node.depth + 1)
                continue
            # A placeholder: the column of its definition if that is one, else its tree, copied if it is used again.
            number, above = _number(node), node.depth
            if number in self._names:
                name = self._names[number]
                new: exp.Expression = column(name, self._dialect)
                if self._definitions[number].type == BOOL:
                    new = exp.EQ(this=new, expression=exp.Literal(this="1", is_string=False))
                reads.add(name)
                depth = max(depth, above + 2)
            else:
                inner = self._settled[number]
                new = inner.tree.copy() if self._uses[number] > 1 else inner.tree
                reads |= inner.reads
                depth = max(depth, above + inner.depth)
                cases = max(cases, _cases_around(node) + inner.cases)
            if node is tree:
                tree = new
            else:
                node.replace(_in_parentheses(new, node))
        return _Settled(tree, depth, cases, reads)

    def _in_place(self, number: int, definition: Definition, found: _Settled) -> bool:
        if isinstance(found.tree, exp.Column):
            return True
        if found.depth > _MOST_DEEP or (self._flat and found.cases > _MOST_CASES):
            return False
        return self._uses[number] <= (_MOST_COPIES if definition.input else 1)

    def _name(self, number: int, definition: Definition, found: _Settled) -> None:
        """Makes a definition a column. A condition becomes 1 or 0, because not every engine has boolean columns."""
        name = f"{self._prefix}{len(self._names) + 1}"
        self._names[number] = name
        self._levels[name] = 1 + max((self._levels[read] for read in found.reads), default=0)
        if definition.type == BOOL:
            one, zero = (exp.Literal(this=digit, is_string=False) for digit in "10")
            found.tree = exp.Case(ifs=[exp.If(this=found.tree, true=one)], default=zero)
        self._columns[name] = found.tree

    # -- the steps -----------------------------------------------------------------------------------------------------

    def select(
        self,
        outputs: Sequence[tuple[str, _Settled]],
        source: exp.Expression,
        kept: Sequence[str],
        before: Sequence[exp.CTE],
    ) -> exp.Select:
        """Builds one CTE per level of columns, then the SELECT of the outputs over the last one."""
        by_name = {self._names[number]: self._settled[number] for number in self._names}
        last = 1 + max(self._levels.values(), default=0)
        needed = {*kept, *(read for _, settled in outputs for read in settled.reads)}
        # Column pruning from the last step back: a step carries what later ones read and it does not compute itself.
        steps: list[list[exp.Expression]] = []
        for level in range(last - 1, 0, -1):
            made = [name for name in self._columns if self._levels[name] == level]
            carried = sorted((name for name in needed if self._levels[name] < level), key=self._rank(kept))
            steps.append(
                [
                    *(column(name, self._dialect) for name in carried),
                    *(self._aliased(self._columns[name], name) for name in made),
                ]
            )
            needed = {*carried, *(read for name in made for read in by_name[name].reads)}
        # Each step reads from the one before it, the first from the source.
        ctes = list(before)
        name = unique("step", [*self._taken, *(cte.alias for cte in before)])
        for number, expressions in enumerate(reversed(steps), start=1):
            ctes.append(_cte(f"{name}_{number}", _from(expressions, source), self._materialized))
            source = exp.Table(this=exp.Identifier(this=f"{name}_{number}", quoted=False))
        shown = [
            *(column(name, self._dialect) for name in kept),
            *(self._aliased(settled.tree, name) for name, settled in outputs),
        ]
        found = _from(shown, source)
        if ctes:
            found = found.with_(ctes[0].alias, as_="SELECT 1", copy=False)
            found.args["with_" if "with_" in found.args else "with"].set("expressions", ctes)
        return found

    def _rank(self, kept: Sequence[str]) -> Callable[[str], tuple[int, str]]:
        """The sort key of carried columns: kept ones first, then in the order of their definitions."""
        order = {name: rank for rank, name in enumerate([*kept, *self._columns])}
        return lambda name: (order.get(name, -1), name)

    def _aliased(self, tree: exp.Expression, name: str) -> exp.Expression:
        return exp.Alias(this=tree, alias=identifier(name, self._dialect))


def _from(expressions: list[exp.Expression], source: exp.Expression) -> exp.Select:
    found: exp.Select = exp.Select(expressions=expressions).from_(source, copy=False)
    return found


def _cte(name: str, query: exp.Select, materialized: bool) -> exp.CTE:
    alias = exp.TableAlias(this=exp.Identifier(this=name, quoted=False))
    return exp.CTE(this=query, alias=alias, materialized=True if materialized else None)


def _cases_around(node: exp.Expression) -> int:
    """The number of CASE that enclose a node."""
    count, above = 0, node.parent
    while above is not None:
        count += isinstance(above, exp.Case)
        above = above.parent
    return count


def _number(node: exp.Expression) -> int:
    return int(node.this)


def _in_parentheses(tree: exp.Expression, placeholder: exp.Expression) -> exp.Expression:
    """The expression as an operand of the placeholder's parent: in parentheses where the parent binds tighter."""
    own, around = _OPERAND.get(type(tree)), _OPERAND.get(type(placeholder.parent))
    if own is None or around is None or own > around:
        return tree
    if own == around and own != 4:
        # a + b - c is (a + b) - c, and so are products; a chain of AND or of OR needs none on either side.
        left = placeholder.arg_key == "this"
        if left or own <= 2:
            return tree
    return exp.Paren(this=tree)

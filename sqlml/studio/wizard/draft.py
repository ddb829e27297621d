"""The state of the wizard: the choices made so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlml.studio.description import Description
from sqlml.studio.texts import Enrichment, TableName, reference


@dataclass
class Draft:
    """The choices made so far; a step is complete when the next one has what it needs.

    Attributes:
        columns: rows of DESCRIBE TABLE.
        mapping: feature → expression, where the user changed the proposal.
        label: the label whose probability is returned too; "" for none.
        mapped: whether SHOW MAP accepts the mapping.
        preview: the result of SHOW SQL for the mapping; "" before it was run.
    """

    table: TableName | None = None
    columns: Sequence[dict[str, Any]] = ()
    model: str = ""
    version: int | None = None
    alias: str | None = None
    description: Description | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    label: str = ""
    mapped: bool = False
    preview: str = ""
    kind: str = "view"
    name: str = ""
    replace: bool = True
    provenance: bool = False
    deployed: str = ""

    def pick_table(self, table: TableName, columns: Sequence[dict[str, Any]]) -> None:
        self.table, self.columns = table, columns
        self.changed(mapping=True)

    def pick_model(self, model: str, version: int | None, alias: str | None) -> None:
        self.model, self.version, self.alias = model, version, alias
        self.changed(mapping=True)

    def changed(self, *, mapping: bool = False) -> None:
        """Discards the results that depend on the choices; with `mapping` also the mapping, label and name."""
        if mapping:
            self.mapping = {}
            self.label = ""
            self.name = ""
        self.mapped, self.preview, self.deployed = False, "", ""

    @property
    def reference(self) -> str:
        return reference(self.model, self.version, self.alias)

    def enrichment(self) -> Enrichment:
        assert self.table is not None
        return Enrichment(
            self.table, self.reference, self.mapping, self.label, self.kind, self.name, self.replace, self.provenance
        )

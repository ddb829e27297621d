"""What has been chosen so far on the way to an enrichment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlml.studio.description import Description
from sqlml.studio.texts import Enrichment, TableName, reference


@dataclass
class Draft:
    """Filled in step by step; a step is done when the next one has what it needs.

    Attributes:
        columns: rows of DESCRIBE TABLE.
        mapping: feature → expression, where the user changed the proposal.
        label: whose probability comes back too; "" for none.
        mapped: whether the statement accepts the mapping as it is.
        preview: what SHOW SQL returned for the mapping, "" where it was not asked.
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
        """What follows from the choices has to be asked again."""
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

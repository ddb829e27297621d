"""The output of DESCRIBE MODEL, parsed into sections and shown in cards."""

from __future__ import annotations

from dataclasses import dataclass

from sqlml.studio.elements import card, element, facts, grid, show_sql, text
from sqlml.studio.engine import Answer

Row = tuple[str, str | None, str | None]
_LABELS = "labels: "
_SUMMARY = ("version", "aliases", "created", "estimator", "task", "target", "source")


@dataclass(frozen=True)
class Description:
    """The rows of DESCRIBE MODEL.

    Args:
        sections: the rows below each heading; "" is the heading of those above the first.
    """

    sections: dict[str, list[Row]]

    def value(self, name: str) -> str:
        """The value of the first row with that name, or ""."""
        return self.row(name)[1] or ""

    def row(self, name: str) -> Row:
        found = (row for rows in self.sections.values() for row in rows if row[0] == name)
        return next(found, (name, None, None))

    @property
    def labels(self) -> list[str]:
        """A classifier's labels as DESCRIBE writes them; empty for other models."""
        _, task, comment = self.row("task")
        if task != "classification" or not comment or not comment.startswith(_LABELS):
            return []
        return comment.removeprefix(_LABELS).split(", ")


def described(answer: Answer) -> Description:
    sections: dict[str, list[Row]] = {"": []}
    heading = ""
    for name, value, comment in answer.rows:
        if name.startswith("# "):
            heading = name[2:]
            sections[heading] = []
        else:
            sections[heading].append((name, value, comment))
    return Description(sections)


def show_description(description: Description) -> None:
    """Adds cards for the summary, metrics with fidelity, features and the statement that made the version."""
    with element("div", "two"):
        with card("What it is"):
            summary = [row for row in description.sections[""] if row[0] in _SUMMARY]
            facts([(name, _with_comment(value, comment)) for name, value, comment in summary])
        with card("Metrics"):
            show_metrics(description)
    inputs = description.sections.get("Inputs")
    with card("Features" if not inputs else "Inputs", "by name, whatever their order"):
        show_features(inputs or description.sections.get("Features", []))
    sql = description.value("sql")
    if sql:
        with card("How it was made"):
            show_sql(sql, "The statement that made it")


def show_metrics(description: Description) -> None:
    metrics = description.sections.get("Metrics", [])
    if not metrics:
        text("None were measured.", "note")
    with element("div", "metrics"):
        for name, value, _ in metrics:
            with element("div", "metric"):
                text(f"{float(value or 'nan'):.4g}", "metric-value")
                text(name, "metric-name")
    show_fidelity(description)


def show_fidelity(description: Description) -> None:
    """Adds a line with the fidelity: the difference between the ONNX graph and the trained model."""
    _, rows, difference = description.row("fidelity")
    if rows:
        text(f"Fidelity of the ONNX graph: {rows}{f', {difference}' if difference else ''}.", "note", "p")


def show_features(features: list[Row]) -> None:
    with grid("Features", ("feature", "type", "where it is NULL")), element("tbody"):
        for name, kind, missing in features:
            with element("tr"):
                for content in (name, kind, missing):
                    with element("td"):
                        text(content or "")


def _with_comment(value: str | None, comment: str | None) -> str:
    return f"{value or ''} ({comment})" if comment else value or ""

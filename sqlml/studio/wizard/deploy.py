"""The wizard's last step: runs the ENRICH TABLE statement, and links to the new object and its model."""

from __future__ import annotations

from nicegui.element import Element

from sqlml.studio.elements import card, element, facts, link, outside, show_sql, text
from sqlml.studio.pages import rows
from sqlml.studio.screen import Screen
from sqlml.studio.texts import KINDS, target
from sqlml.studio.wizard.draft import Draft
from sqlml.studio.wizard.steps import Ready


async def fill(screen: Screen, draft: Draft, box: Element, ready: Ready) -> None:
    """Runs the statement, then shows its result row, links to the object, and the model's MLflow run."""
    enrichment = draft.enrichment()
    statement = enrichment.sql(enrichment.creates())
    with box:
        show_sql(statement, "The statement that runs")
    answer = await screen.ask(statement, box)
    if answer is None:
        return
    draft.deployed = statement
    name = target(draft.name)
    with box:
        with card(classes="done"):
            kind = KINDS[draft.kind].title
            done = f"{name.sql()} has the rows." if draft.kind == "insert" else f"{kind} {name.sql()} has been created."
            text(done, "done-title", "p")
            for row in answer.dicts():
                written = f"{row['rows']:,}" if row["rows"] is not None else ""
                told = [("name", row["name"]), ("rows written", written), ("warnings", row["warnings"] or "")]
                facts([pair for pair in told if pair[1]])
            with element("div", "actions"):
                if draft.kind != "function":
                    link("See its rows", rows.address(name), "button first")
                link("All enrichments", "/enrichments", "button")
                link("Enrich another table", "/", "button")
        with card("Origin of the predictions"):
            description = draft.description
            run_id = description.value("run_id") if description is not None else ""
            version = description.value("version") if description is not None else ""
            facts([("model", draft.model), ("version", version), ("MLflow run", run_id or "none")])
            uri = screen.studio.pictures.tracking_uri
            with element("div", "actions"):
                link("The model", f"/models/{draft.model}", "button")
                if run_id and uri.startswith(("http://", "https://")):
                    outside("The run in MLflow", f"{uri.rstrip('/')}/#/runs/{run_id}")
            if uri and not uri.startswith(("http://", "https://")):
                text(f"Its run is in {uri}; `sqlml ui` opens MLflow's page on it.", "note wrap", "p")

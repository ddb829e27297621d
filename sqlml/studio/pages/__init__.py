"""The list of all pages: `PAGES`. A page is one file here, or the folder `wizard`."""

from __future__ import annotations

from sqlml.studio.pages import enrichments, model, models, rows, sql
from sqlml.studio.pages.page import Page
from sqlml.studio.wizard import page as wizard

PAGES: tuple[Page, ...] = (
    Page("/", "Enrich a table", wizard.page),
    Page("/enrichments", "Enrichments", enrichments.page),
    Page("/models", "Models", models.page),
    Page("/models/{name}", "Model", model.page),
    Page("/rows", "Rows", rows.page),
    Page("/sql", "SQL", sql.page),
)

__all__ = ["PAGES", "Page"]

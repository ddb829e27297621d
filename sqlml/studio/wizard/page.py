"""The wizard's page: shows one step at a time, with links back to earlier ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.element import Element

from sqlml.studio.elements import button, element, enable, text
from sqlml.studio.screen import Screen, Studio
from sqlml.studio.wizard import deploy, destination, mapping, model, preview, table
from sqlml.studio.wizard.draft import Draft
from sqlml.studio.wizard.steps import Step

STEPS: tuple[Step, ...] = (
    Step("Table", "Which rows get predictions?", table.fill),
    Step("Model", "Which model predicts?", model.fill),
    Step("Columns", "Which column feeds each feature?", mapping.fill),
    Step("Preview", "What does it predict?", preview.fill),
    Step("Destination", "Where do the predictions go?", destination.fill),
    Step("Result", "Result", deploy.fill, go_on="Deploy"),
)


def page(studio: Studio) -> Callable[[], Awaitable[None]]:
    async def show() -> None:
        """Draws the frame with an empty panel; `go` fills the panel with a step."""
        screen = Screen(studio)
        draft = Draft()
        lead = "Pick a table and a model. The predictions are added to the rows as columns."
        with screen.framed("/", "Enrich a table", lead):
            trail = element("nav", "trail", aria_label="Steps")
            panel = element("section", "panel")
            with element("div", "actions steps"):
                back = button("Back", None, "", icon="arrow_back")
                forward = button("Next", None, "first")
        at = 0
        visit = 0

        def draw_trail() -> None:
            trail.clear()
            with trail, element("ol"):
                for number, step in enumerate(STEPS):
                    _trail_item(number, step, at, go)

        async def go(to: int) -> None:
            nonlocal at, visit
            at, visit = to, visit + 1
            mine = visit
            last = len(STEPS) - 1
            back.set_visibility(at > 0)
            forward.set_visibility(at < last)
            forward.clear()
            with forward:
                text(STEPS[at + 1].go_on if at < last else "Next")
            enable(forward, False)
            draw_trail()
            panel.clear()
            with panel:
                title = text(STEPS[at].question, "h2 question", "h2")
                title.props("tabindex=-1")
                body = element("div", "stack")
            if mine > 1:
                # Moves the focus to the new step's title, for the keyboard and screen readers.
                ui.run_javascript(f"document.getElementById('c{title.id}')?.focus()")
            # A step that was left while its query ran must no longer enable the button: its visit is outdated.
            await STEPS[at].fill(screen, draft, body, lambda able: enable(forward, able) if mine == visit else None)

        back.on("click", lambda: go(at - 1))
        forward.on("click", lambda: go(at + 1))
        if not await screen.visited():
            return
        await go(0)

    return show


def _trail_item(number: int, step: Step, at: int, go: Callable[[int], Awaitable[None]]) -> Element:
    state = "done" if number < at else "now" if number == at else "later"
    with element("li", f"trail-item {state}") as made:
        if state == "done":
            with button("", lambda: go(number), "trail-link"):
                text(str(number + 1), "trail-number")
                text(step.title)
        else:
            current = {"aria_current": "step"} if state == "now" else {}
            with element("span", "trail-link", **current):
                text(str(number + 1), "trail-number")
                text(step.title)
    return made

"""`sqlml studio` in a browser: the command itself, on real tables and models, looked at and used by keyboard."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from helpers.studio_visitor import PHONE as _PHONE
from helpers.studio_visitor import WIDE as _WIDE
from helpers.studio_visitor import Visitor
from helpers.studio_visitor import run as _run

pytestmark = pytest.mark.slow

_PATHS = ("/", "/enrichments", "/models", "/models/churn", "/sql", "/rows?part=customers")
_HOURS = "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE a.id % 7 <> b.id % 11"


def test_only_who_has_the_token_gets_anything(url: str) -> None:
    base, token = url.split("/?token=")
    host = base.removeprefix("http://")
    for path in (
        *_PATHS,
        "/studio.css",
        "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
        "/pictures/churn/1/roc.png",
    ):
        assert httpx.get(base + path).status_code == 403, path
        assert httpx.get(base + path, headers={"host": "evil.example"}).status_code == 421, path
    with httpx.Client(base_url=base, follow_redirects=True) as client:
        first = client.get(f"/?token={token}")
        assert first.status_code == 200 and token not in str(first.url)
        for path in _PATHS:
            answer = client.get(path)
            assert answer.status_code == 200
            # Every script, style, font and picture is this server's.
            assert re.findall(r"""(?:src|href|url\()\s*=?\s*["'(]?(?:https?:)?//[^\s"')]+""", answer.text) == []
            assert "default-src 'self'" in answer.headers["content-security-policy"]
        evil = client.get("/_nicegui_ws/socket.io/?EIO=4&transport=polling", headers={"origin": "http://evil.example"})
        assert evil.status_code == 421
        assert client.get("/pictures/churn/1/../../etc/passwd").status_code in (400, 404)
    # A socket without the cookie.
    handshake = {"host": host, "upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13"}
    key = {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}
    socketed = httpx.get(f"{base}/_nicegui_ws/socket.io/?EIO=4&transport=websocket", headers={**handshake, **key})
    assert socketed.status_code == 403


def test_the_first_pages_are_left_at_once(visit: Any, browser: Any, url: str) -> None:
    """Each cancels the statements that it has begun; what comes after still works."""
    for path in ("/", "/models", "/"):
        context = browser.new_context(viewport=_WIDE)
        Visitor(context, url, "hasty").page.goto(url.split("?")[0].rstrip("/") + path, wait_until="commit")
        context.close()
    visitor: Visitor = visit("patient")
    visitor.page.wait_for_timeout(4000)  # the server learns after three seconds that a page is gone
    visitor.open("/sql")
    _run(visitor, "SHOW MODELS")
    assert "0 rows" in visitor.content()


@pytest.mark.parametrize(("name", "size", "colours"), [("wide", _WIDE, "light"), ("phone", _PHONE, "dark")])
def test_pages_say_what_to_do_while_there_is_nothing(visit: Any, name: str, size: Any, colours: str) -> None:
    visitor: Visitor = visit(f"empty-{name}", size, colours)
    visitor.settle()
    assert "No tables here" in visitor.content() and "CREATE TABLE customers" in visitor.content()
    visitor.look("enrich")
    visitor.open("/models")
    assert "No models yet" in visitor.content() and "TRAIN MODEL churn" in visitor.content()
    visitor.look("models")
    visitor.open("/enrichments")
    assert "No enrichments yet" in visitor.content()
    visitor.look("enrichments")
    visitor.open("/models/no_such")
    assert "[SQLML_MODEL_NOT_FOUND] There is no model no_such." in visitor.content()
    visitor.open("/models/a%20b")
    assert "[SQLML_INVALID_NAME]" in visitor.content()


@pytest.mark.usefixtures("filled")
def test_sql(visit: Any) -> None:
    visitor: Visitor = visit("sql")
    visitor.open("/sql")
    _run(visitor, "SELECT count(*) AS customers, current_date() > DATE'2020-01-01' AS later FROM customers")
    assert visitor.page.inner_text(".result tbody tr").split() == ["1000", "true"]
    # Two errors, of sqlml and of Spark, in a text of two statements: each is shown where it is.
    _run(visitor, "SELECT 1;\n  SHOW MODEL VERSIONS nothing_known")
    assert "[SQLML_MODEL_NOT_FOUND]" in visitor.content() and "Line 2, column 23" in visitor.content()
    _run(visitor, "SELECT 1;\nSELECT age,\n  agee FROM customers")
    assert "[UNRESOLVED_COLUMN.WITH_SUGGESTION]" in visitor.content() and "Line 3, column 3" in visitor.content()
    assert visitor.page.inner_text(".wrong") == "agee"
    visitor.look("error")
    _run(visitor, "SELECT * FROM range(100000)")
    assert "The first 500 rows; use LIMIT and WHERE to see others." in visitor.content()
    # What would take hours ends at once. It counts: a sum would overflow within seconds and end by itself.
    visitor.page.evaluate("document.querySelector('.cm-content').focus()")
    visitor.replace(_HOURS)
    visitor.press("Control+Enter")
    visitor.page.wait_for_timeout(1500)
    visitor.page.get_by_role("button", name="Cancel").click()
    visitor.settle()
    assert "Cancelled." in visitor.page.inner_text(".result")
    _run(visitor, "SELECT 'still there' AS page")
    assert "still there" in visitor.page.inner_text(".result tbody")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("name", "size", "colours", "kind"),
    [
        ("wide", _WIDE, "light", "view"),
        pytest.param("phone", _PHONE, "dark", "table", marks=pytest.mark.nightly),
    ],
)
def test_a_table_is_enriched_by_keyboard_alone(visit: Any, name: str, size: Any, colours: str, kind: str) -> None:
    visitor: Visitor = visit(f"enrich-{name}", size, colours)
    visitor.settle()
    visitor.tab_to("customers")
    visitor.press("Enter")
    visitor.ready()
    visitor.look("1-table")
    visitor.tab_to("Next")
    visitor.press("Enter")
    visitor.page.wait_for_selector("text=Which model predicts?")
    visitor.settle()
    visitor.tab_to("churn")
    visitor.press("Space")
    visitor.ready()
    assert "Fidelity of the ONNX graph" in visitor.content()
    visitor.look("2-model")
    visitor.tab_to("Next")
    visitor.press("Enter")
    visitor.page.wait_for_selector(".line")
    visitor.ready()
    assert visitor.content().count("same name") == 2
    # An expression is checked while it is typed; what is wrong stands beside it.
    visitor.tab_to("Expression for age")
    visitor.replace("agee + 1")
    visitor.page.wait_for_selector(".line-problem")
    visitor.settle()
    assert "agee" in visitor.page.inner_text(".line-problem")
    assert visitor.page.query_selector(".actions.steps .first[disabled]")
    visitor.look("3-wrong")
    visitor.replace("plan")
    visitor.page.wait_for_function("document.querySelector('.line-problem')?.innerText.match(/text|string/i)")
    visitor.replace("age + 1")
    visitor.ready()
    assert "yours" in visitor.content()
    if kind == "table":
        visitor.tab_to("Also the probability of")
        visitor.press("Enter", "ArrowDown", "ArrowDown", "Enter")
        visitor.page.wait_for_selector("text=OUTPUT (prediction, probability('true'))")
        visitor.ready()
    visitor.look("3-columns")
    visitor.tab_to("Next")
    visitor.press("Enter")
    visitor.page.wait_for_selector(".chart svg")
    visitor.ready()
    assert len(visitor.page.query_selector_all(".card >> nth=0 >> tbody tr")) == 20
    assert len(visitor.page.query_selector_all(".chart svg")) == (2 if kind == "table" else 1)
    visitor.look("4-preview")
    visitor.tab_to("Next")
    visitor.press("Enter")
    visitor.page.wait_for_selector("text=Where do the predictions go?")
    visitor.ready()
    visitor.tab_to(kind.capitalize())
    visitor.press("Enter")
    visitor.tab_to("Name")
    visitor.replace("not a name")
    visitor.page.wait_for_selector(".panel .problem")
    assert visitor.page.query_selector(".actions.steps .first[disabled]")
    visitor.replace(f"scored_{name}")
    visitor.tab_to("Provenance")
    visitor.press("Space")
    visitor.page.wait_for_selector(f"text=CREATE OR REPLACE {kind.upper()} scored_{name}")
    visitor.page.wait_for_selector("text=WITH PROVENANCE")
    visitor.ready()
    visitor.look("5-destination")
    visitor.tab_to("Deploy")
    visitor.press("Enter")
    visitor.page.wait_for_selector(".card.done")
    visitor.look("6-result")
    visitor.tab_to("See its rows")
    visitor.press("Enter")
    visitor.page.wait_for_selector(".grid")
    visitor.look("7-rows")
    visitor.open("/enrichments")
    assert f"scored_{name}" in visitor.content() and "gone" not in visitor.content()
    visitor.look("8-enrichments")
    visitor.open("/sql")
    _run(
        visitor,
        "SELECT count(*) AS rows, count_if(predicted_churned = PREDICT(churn, age => age + 1, plan => plan)) AS same,"
        f" min(provenance.version) AS version FROM scored_{name}",
    )
    assert visitor.page.inner_text(".result tbody tr").split() == ["1000", "1000", "1"]


@pytest.mark.usefixtures("filled")
def test_an_unsure_column_is_taken_and_rows_go_to_a_table_and_a_function_is_made(visit: Any) -> None:
    visitor: Visitor = visit("destinations")
    visitor.open("/sql")
    _run(visitor, "CREATE TABLE people AS SELECT id, age AS age_group, plan FROM customers WHERE id < 30")
    _run(visitor, "CREATE TABLE kept AS SELECT *, true AS predicted_churned FROM people LIMIT 0")
    visitor.open("/")
    visitor.tab_to("people")
    visitor.press("Enter")
    visitor.ready()
    visitor.tab_to("Next")
    visitor.press("Enter")
    visitor.page.wait_for_selector("text=Which model predicts?")
    visitor.settle()
    visitor.tab_to("churn")
    visitor.press("Space")
    visitor.ready()
    visitor.tab_to("Next")
    visitor.press("Enter")
    # What is only alike is offered with its score, and taken by nobody but the user.
    visitor.page.wait_for_selector(".line-says .chips button")
    assert visitor.page.query_selector(".actions.steps .first[disabled]")
    visitor.look("1-unsure")
    visitor.tab_to("age_group 0.66")
    visitor.press("Enter")
    visitor.ready()
    assert "yours" in visitor.content()
    visitor.look("2-taken")
    visitor.tab_to("Next")
    visitor.press("Enter")
    visitor.page.wait_for_selector(".chart svg")
    visitor.ready()
    visitor.tab_to("Next")
    visitor.press("Enter")
    visitor.page.wait_for_selector("text=Where do the predictions go?")
    visitor.ready()
    _make(visitor, "Existing table", "kept", "INSERT INTO kept")
    assert re.search(r"rows written\s+30", visitor.content())
    visitor.look("3-inserted")
    visitor.page.get_by_role("button", name="Back").click()
    visitor.page.wait_for_selector("text=Where do the predictions go?")
    visitor.ready()
    _make(visitor, "Function", "churns", "CREATE OR REPLACE FUNCTION churns")
    assert "See its rows" not in visitor.content()
    visitor.look("4-function")
    visitor.open("/enrichments")
    assert re.search(r"\bkept\b", visitor.content()) and re.search(r"\bchurns\b", visitor.content())
    visitor.open("/sql")
    _run(
        visitor,
        "SELECT count(*) AS rows, count_if(predicted_churned = churns(age_group, plan)) AS same FROM kept",
    )
    assert visitor.page.inner_text(".result tbody tr").split() == ["30", "30"]


def _make(visitor: Visitor, kind: str, name: str, statement: str) -> None:
    """Picks a destination by keyboard and deploys it."""
    visitor.tab_to(kind)
    visitor.press("Enter")
    visitor.tab_to("Name")
    visitor.replace(name)
    visitor.page.wait_for_selector(f"text={statement}")
    visitor.ready()
    visitor.tab_to("Deploy")
    visitor.press("Enter")
    visitor.page.wait_for_selector(".card.done")
    visitor.settle()


@pytest.mark.usefixtures("filled")
def test_what_runs_on_a_page_ends_when_the_page_is_closed(visit: Any, browser: Any, url: str) -> None:
    """It would take both cores for hours, and nobody else's statement would get one."""
    context = browser.new_context(viewport=_WIDE)
    left = Visitor(context, url, "left")
    left.open("/sql")
    left.page.evaluate("document.querySelector('.cm-content').focus()")
    left.replace(_HOURS)
    left.press("Control+Enter")
    left.page.wait_for_selector(".waiting")
    left.page.wait_for_timeout(2000)
    context.close()
    visitor: Visitor = visit("after")
    visitor.open("/sql")
    _run(visitor, "SELECT count(*) FROM customers")
    assert visitor.page.inner_text(".result tbody tr").split() == ["1000"]


@pytest.mark.usefixtures("filled")
def test_a_training_goes_on_when_its_page_is_left(visit: Any) -> None:
    """Other pages show it, and how it ended; there it can be cancelled too."""
    visitor: Visitor = visit("training")
    visitor.open("/sql")
    query = "SELECT id % 1009 AS a, id % 101 AS b, sin(id) AS y FROM range(60000)"
    for model, trees in (("long_one", 5000), ("short_one", 60)):
        visitor.page.goto(f"{visitor.base}/sql")
        visitor.page.wait_for_function("!!document.querySelector('.cm-content')")
        visitor.page.wait_for_timeout(1000)
        visitor.page.evaluate("document.querySelector('.cm-content').focus()")
        visitor.press("Control+A", "Delete")
        visitor.page.keyboard.insert_text(
            f"TRAIN MODEL {model} USING random_forest TARGET y OPTIONS (n_estimators = {trees}) AS {query}"
        )
        visitor.page.wait_for_timeout(300)
        visitor.press("Control+Enter")
        visitor.page.wait_for_selector(".waiting")
        visitor.page.goto(f"{visitor.base}/enrichments")
        visitor.page.wait_for_selector(f".left-statement:has-text('{model}')")
    visitor.look("going-on")
    long_one = visitor.page.locator(".left-statement", has_text="long_one")
    long_one.get_by_role("button", name="Cancel").click()
    long_one.locator(".problem").wait_for()
    assert "Cancelled." in long_one.inner_text()
    short_one = visitor.page.locator(".left-statement", has_text="short_one")
    short_one.get_by_role("button", name="Dismiss").wait_for()
    visitor.look("ended")
    for one in (short_one, long_one):
        one.get_by_role("button", name="Dismiss").click()
        one.wait_for(state="detached")
    visitor.open("/sql")
    _run(visitor, "SHOW MODELS LIKE '*_one'")
    assert "short_one" in visitor.page.inner_text(".result tbody")
    assert "long_one" not in visitor.page.inner_text(".result tbody")
    _run(visitor, "DROP MODEL short_one")


@pytest.mark.usefixtures("filled")
def test_a_model(visit: Any) -> None:
    visitor: Visitor = visit("model")
    visitor.open("/models")
    visitor.look("list")
    visitor.tab_to("churn")
    visitor.press("Enter")
    visitor.page.wait_for_selector(".plots img")
    visitor.settle()
    widths = visitor.page.evaluate("[...document.querySelectorAll('.plots img')].map(one => one.naturalWidth)")
    assert len(widths) >= 4 and min(widths) > 100
    visitor.look("churn")
    # A gate that does not hold is the statement's own error, and nothing changes.
    visitor.tab_to("Only if")
    visitor.press("Enter")
    visitor.page.get_by_role("option", name="accuracy", exact=True).click()
    visitor.page.wait_for_selector("text=IF accuracy >= 0.8")
    visitor.tab_to("Number")
    visitor.replace("1.5")
    visitor.page.wait_for_selector("text=IF accuracy >= 1.5")
    visitor.tab_to("Promote")
    visitor.press("Enter")
    visitor.page.wait_for_selector("text=[SQLML_GATE_NOT_MET]")
    visitor.look("refused")
    visitor.tab_to("Number", back=True)
    visitor.replace("0.5")
    visitor.page.wait_for_selector("text=IF accuracy >= 0.5")
    visitor.tab_to("Promote")
    visitor.press("Enter")
    visitor.page.wait_for_selector("text=alias champion")
    visitor.tab_to("Show the model as it is now")
    visitor.press("Enter")
    visitor.page.wait_for_selector(".chip.accent")
    assert visitor.page.inner_text(".chip.accent") == "champion"
    visitor.look("promoted")
    # The colours can be chosen, and stay chosen.
    visitor.tab_to("Colours", back=True)
    visitor.press("Enter", "Enter")
    visitor.page.wait_for_selector("body.body--dark")
    visitor.open("/models")
    visitor.page.wait_for_selector("body.body--dark")
    visitor.look("dark")

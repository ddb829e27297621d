"""`sqlml studio` without a browser: whom it answers, and which statements it says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from sqlml.errors import SqlmlError
from sqlml.parser.references import ModelReference
from sqlml.spark.cancelling import Cancelling
from sqlml.statements import parse
from sqlml.studio import texts
from sqlml.studio.background import goes_on
from sqlml.studio.engine import Answer, Engine, Running, StatementError, hearing_progress
from sqlml.studio.guard import Guard
from sqlml.studio.server import Address
from sqlml.studio.texts import Enrichment, TableName

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TOKEN = "a-token_of-the-test"
BASE = "http://127.0.0.1:8765"
COOKIE = {"cookie": f"sqlml_studio_8765={TOKEN}"}


# -- who may ask -------------------------------------------------------------------------------------------------------


async def _inner(scope: Any, receive: Any, send: Any) -> None:
    """Answers whatever gets through; accepts every socket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


GUARD = Guard(_inner, TOKEN, Address("127.0.0.1", 8765, TOKEN).hosts, 8765)


def _ask(method: str, path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=GUARD)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())


def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    answer = _ask("GET", f"/models?token={TOKEN}&part=a%26b")
    assert (answer.status_code, answer.headers["location"]) == (303, "/models?part=a%26b")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"sqlml_studio_8765={TOKEN};") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert _ask("GET", "/models", **COOKIE).text == "/models"


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "/\\evil.example/x", "///evil.example/x", "/x\r\nset-cookie: a=b"]
)
def test_the_way_on_never_leads_to_another_server(path: str) -> None:
    sent = _through("http", path, f"token={TOKEN}", {"host": "127.0.0.1:8765"})
    location = dict(sent[0]["headers"])[b"location"].decode()
    assert location[1] not in "/\\" and "\n" not in location and location.startswith("/")


def _through(kind: str, path: str, query: str, headers: dict[str, str]) -> list[Any]:
    """What the guard sends, of a request as a server would hand it over."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": "GET", "path": path, "query_string": query.encode(), "headers": raw}
    asyncio.run(GUARD(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 403),
        ("GET", "/studio.css", {}, 403),
        ("GET", "/_nicegui_ws/socket.io/?transport=polling", {}, 403),
        ("GET", "/?token=", {}, 403),
        ("GET", f"/?token={TOKEN}x", {}, 403),
        ("GET", "/?token=ünïcode", {}, 403),
        ("POST", f"/?token={TOKEN}", {}, 403),
        ("GET", "/", {"cookie": "sqlml_studio_8765=guess"}, 403),
        ("GET", "/", {"cookie": f"sqlml_studio_9999={TOKEN}"}, 403),
        ("GET", "/", {"cookie": "\x01=;;;="}, 403),
        # Names that lead here and are not this server's.
        ("GET", f"/?token={TOKEN}", {"host": "evil.example:8765"}, 421),
        ("GET", "/", {**COOKIE, "host": "evil.example:8765"}, 421),
        ("GET", "/", {**COOKIE, "host": "127.0.0.1:9999"}, 421),
        ("GET", "/", {**COOKIE, "host": "127.0.0.1"}, 421),
        # Pages of others in the same browser.
        ("POST", "/", {**COOKIE, "origin": "http://evil.example"}, 421),
        ("POST", "/", {**COOKIE, "origin": "http://127.0.0.1:8080"}, 421),
        ("POST", "/", {**COOKIE, "origin": "null"}, 421),
    ],
)
def test_who_is_refused(method: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = _ask(method, path, **headers)
    assert answer.status_code == status
    assert "sqlml studio" in answer.text and TOKEN not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_this_machines_own_names(host: str) -> None:
    answer = _ask("POST", "/x", **COOKIE, host=host, origin=f"http://{host}")
    assert (answer.status_code, answer.text) == (200, "/x")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"host": "127.0.0.1:8765", "origin": BASE, **COOKIE}, True),
        ({"host": "127.0.0.1:8765", "origin": BASE}, False),
        ({"host": "127.0.0.1:8765", "origin": "http://evil.example", **COOKIE}, False),
        ({"host": "evil.example:8765", "origin": "http://evil.example:8765", **COOKIE}, False),
    ],
)
def test_sockets(headers: dict[str, str], accepted: bool) -> None:
    sent = _through("websocket", "/_nicegui_ws/socket.io/", f"token={TOKEN}", headers)
    assert [message["type"] for message in sent] == ["websocket.accept" if accepted else "websocket.close"]


def test_addresses() -> None:
    first, second = Address.of("127.0.0.1", 8765), Address.of("127.0.0.1", 8765)
    assert first.token != second.token and len(first.token) >= 43
    assert first.url == f"http://127.0.0.1:8765/?token={first.token}"
    assert Address("::1", 80, "t").url == "http://[::1]:80/?token=t"
    assert "[::1]" in Address("::1", 80, "t").hosts
    assert Address("0.0.0.0", 1234, "t").url.startswith("http://127.0.0.1:1234/")
    assert not any(host.startswith("0.0.0.0") for host in Address("127.0.0.1", 1234, "t").hosts)


# -- what it says ------------------------------------------------------------------------------------------------------

AWKWARD = ("my catalog", "data base", "se`lect; DROP TABLE x")


def test_every_part_of_a_name_is_quoted() -> None:
    name = TableName(AWKWARD)
    assert name.sql() == "`my catalog`.`data base`.`se``lect; DROP TABLE x`"
    assert texts.describe_table(name) == f"DESCRIBE TABLE {name.sql()}"
    assert texts.rows_of(TableName(("spark_catalog", "default", "t"))) == "SELECT * FROM default.t"
    assert texts.show_tables("c", "d`") == "SHOW TABLES IN c.`d```"
    assert texts.histogram_of("SELECT 1", "a`b", 5).count("`a``b`") == 1


@pytest.mark.parametrize("name", ["churn; DROP MODEL churn", "a b", "", "x`", "x VERSION 1", "a'b"])
def test_what_is_no_models_name_makes_no_statement(name: str) -> None:
    for says in (texts.versions, texts.reference):
        with pytest.raises(SqlmlError, match="is not a valid model name"):
            says(name)


def test_promotions_are_statements() -> None:
    statement = parse(texts.set_alias("Sales.Churn", "blue-green", 3, [("roc_auc", ">=", 0.8), ("f1", ">", 1e-9)]))
    assert statement is not None
    assert statement.sql() == parse(statement.sql()).sql()  # type: ignore[union-attr]
    assert "sales.churn SET ALIAS `blue-green` = VERSION 3 IF roc_auc >= 0.8 AND f1 > 1e-09" in statement.sql()


def test_versions_are_named_as_in_statements() -> None:
    for reference in (ModelReference("m"), ModelReference("m", 3), ModelReference("m", None, "blue-green")):
        text = texts.describe_model(texts.reference(reference.name, reference.version, reference.alias))
        statement: Any = parse(text)
        assert statement.model == reference and statement.extended


@pytest.mark.parametrize(
    "expression", ["1) SHOW SQL --", "1) CREATE VIEW v /*", ")", "(", "'", "", "  ", "-- nothing", "a) + (b", "1;) x"]
)
def test_an_expression_stays_inside_its_brackets(expression: str) -> None:
    enrichment = Enrichment(TableName(("t",)), "churn", {"age": expression})
    with pytest.raises(SqlmlError):
        enrichment.sql(texts.SHOW_MAP)


def test_what_is_made_has_a_name() -> None:
    def made(name: str, **also: Any) -> str:
        return Enrichment(TableName(("t",)), "churn", name=name, **also).creates()

    assert made("a.`b c`") == "CREATE VIEW a.`b c`"
    assert made("v", replace=True) == "CREATE OR REPLACE VIEW v"
    assert made("v", kind="insert", replace=True) == "INSERT INTO v"
    for name in ("", "a b", "v AS SELECT 1", "a.", "'v'", "v; DROP TABLE x", "v -- x\n, y"):
        with pytest.raises(SqlmlError):
            made(name)


def test_examples_are_sql() -> None:
    assert parse(texts.EXAMPLES["model"]) is not None
    assert parse(texts.EXAMPLES["table"]) is None


# -- how it runs them --------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(spark: SparkSession) -> Engine:
    session = spark.newSession()
    return Engine(session.sql, Cancelling(session))


def _finish(engine: Engine, sql: str, most: int = 10) -> Answer:
    return engine.finish(engine.start(sql), most)


def _ended(engine: Engine, sql: str, wait: Callable[[Running], bool]) -> StatementError:
    """Cancels a statement that works on another thread, once that is true; what it raises there."""
    running = engine.start(sql)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(engine.finish, running, 10)
        deadline = time.monotonic() + 120
        while not wait(running) and time.monotonic() < deadline and not done.done():
            time.sleep(0.1)
        running.cancel()
        raised = done.exception(timeout=120)
    assert isinstance(raised, StatementError)
    return raised


def test_rows_and_whether_there_are_more(engine: Engine) -> None:
    answer = _finish(engine, "SELECT id, CAST(id AS STRING) AS text FROM range(3) ORDER BY id", 2)
    assert (answer.names, answer.types, answer.more) == (["id", "text"], ["bigint", "string"], True)
    assert answer.column("text") == ["0", "1"] and answer.dicts()[1] == {"id": 1, "text": "1"}
    assert not _finish(engine, "SELECT * FROM range(3)", 3).more
    assert _finish(engine, "CREATE OR REPLACE TEMPORARY VIEW studio_view AS SELECT 1 AS one").rows == []
    assert _finish(engine, "SELECT one FROM studio_view").rows[0][0] == 1


@pytest.mark.parametrize(
    ("sql", "condition", "place"),
    [
        ("SELECT 1 AS a,\n  b", "[UNRESOLVED_COLUMN", (2, 2)),
        ("SHOW MODEL\n  VERSIONS nobodys_model", "[SQLML_MODEL_NOT_FOUND]", (2, 11)),
        ("SELECT raise_error('own words')", "own words", (None, 0)),
    ],
)
def test_errors_have_their_place(engine: Engine, sql: str, condition: str, place: tuple[int | None, int]) -> None:
    with pytest.raises(StatementError) as raised:
        _finish(engine, sql)
    problem = raised.value.problem
    assert condition in problem.message and (problem.line, problem.column) == place


def test_cancelling_ends_sparks_jobs(engine: Engine, spark: SparkSession) -> None:
    # Spark looks whether a task is cancelled with every batch of a range.
    endless = "SELECT count(*) FROM range(10000000000000) WHERE id % 7 <> id % 11"
    assert str(_ended(engine, endless, lambda running: running.seconds > 2)) == "Cancelled."
    deadline = time.monotonic() + 20
    while spark.sparkContext.statusTracker().getActiveJobsIds() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not spark.sparkContext.statusTracker().getActiveJobsIds(), "the statement has ended, and its job goes on"
    assert _finish(engine, "SELECT 1").rows[0][0] == 1


def test_cancelling_ends_a_training_that_tells_how_far_it_is(engine: Engine) -> None:
    rows = "SELECT rand(1) AS a, rand(2) AS b, rand(3) AS y FROM range(20000)"
    options = "TARGET y OPTIONS (n_estimators = 100000)"
    training = f"TRAIN MODEL studio_cancelled USING sklearn.gradient_boosting {options} AS {rows}"
    told: list[str] = []

    def fitting(running: Running) -> bool:
        told.append(running.progress)
        return "fit" in running.progress

    with hearing_progress():
        raised = _ended(engine, training, fitting)
    assert str(raised) == "Cancelled." and any("fit" in line for line in told), set(told)
    assert "studio_cancelled" not in _finish(engine, "SHOW MODELS", 1000).column("model")
    assert _finish(engine, "SELECT 1").rows[0][0] == 1


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        # 0 … 99 and what is no number: parts of one width, as numpy makes them.
        (
            "SELECT CAST(id AS DOUBLE) AS s FROM range(100) UNION ALL "
            "VALUES (NULL), (DOUBLE('NaN')), (DOUBLE('-Infinity'))",
            20,
        ),
        ("SELECT CAST(x AS DECIMAL(4, 2)) AS s FROM VALUES (0), (1), (9.99) AS t(x)", 20),
        ("SELECT 7 AS s FROM range(3)", 1),
        ("SELECT CAST(NULL AS DOUBLE) AS s FROM range(3)", 0),
        ("SELECT 1.0D AS s WHERE false", 0),
    ],
)
def test_histograms(engine: Engine, rows: str, counts: int) -> None:
    answer = _finish(engine, texts.histogram_of(rows, "s", 1000), 100)
    values = [float(row[0]) for row in _finish(engine, f"SELECT s FROM ({rows}) WHERE abs(s) < 1e300", 1000).rows]
    assert len(answer.rows) == counts
    if counts > 1:
        expected, edges = np.histogram(values, bins=counts)
        assert answer.column("rows") == expected.tolist()
        assert answer.column("value") == pytest.approx(((edges[1:] + edges[:-1]) / 2).tolist())
    elif counts:
        assert answer.rows[0][1] == len(values)


def test_counts_of_labels(engine: Engine) -> None:
    answer = _finish(engine, texts.counts_of("SELECT IF(id < 3, 'a`b', NULL) AS `l``x` FROM range(5)", "l`x", 1000))
    assert [tuple(row) for row in answer.rows] == [("a`b", 3), (None, 2)]


# -- what goes on when its page is left --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("TRAIN MODEL m USING auto TARGET y AS SELECT 1", True),
        ("-- every night\n/* and day */ retrain model m", True),
        ("CREATE TABLE t AS SELECT 1", True),
        ("ENRICH TABLE t WITH MODEL m CREATE VIEW v", True),
        ("SELECT 1", False),
        ("-- TRAIN\nselect 1", False),
        ("(SELECT 1)", False),
        ("WITH t AS (SELECT 1) SELECT * FROM t", False),
        ("SHOW MODELS", False),
        ("DESCRIBE MODEL m", False),
        ("", False),
    ],
)
def test_which_statements_go_on(sql: str, expected: bool) -> None:
    assert goes_on(sql) is expected


class _Cancelling:
    """Of a session where nothing is ever cancelled."""

    def named(self, name: str) -> Any:
        return nullcontext()

    def cancel(self, name: str) -> None:
        raise AssertionError(name)


def test_many_statements_work_at_once() -> None:
    """More than there would be threads on two cores; and one that is cancelled needs no thread of theirs."""
    barrier = threading.Barrier(12)

    def sql(text: str) -> Any:
        barrier.wait(60)
        raise SqlmlError("SQLML_ENGINE_FAILED", text)

    engine = Engine(sql, _Cancelling())
    futures = [engine.submit(engine.start(str(number)), 1) for number in range(12)]
    problems = [future.exception(60) for future in futures]
    assert [one.problem.message for one in problems if isinstance(one, StatementError)] == [
        f"[SQLML_ENGINE_FAILED] {number}" for number in range(12)
    ]


def test_an_error_whose_message_is_gone_is_told() -> None:
    """A Java exception of a JVM that has ended."""

    class LostError(Exception):
        def __str__(self) -> str:
            raise ConnectionRefusedError("no JVM")

    def sql(text: str) -> Any:
        raise LostError

    engine = Engine(sql, _Cancelling())
    with pytest.raises(StatementError, match="LostError, ConnectionRefusedError"):
        engine.finish(engine.start("SELECT 1"), 1)

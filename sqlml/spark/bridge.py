"""The bridge: the handler that Java calls through Py4J to parse, rewrite, run and bind (org.sqlml.python.Handler).

No exception crosses the border. A SqlmlError is returned as JSON; an error that Spark raised in a nested call is
returned as its Java exception, so that the user sees it unchanged.
"""

from __future__ import annotations

import functools
import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from py4j.java_gateway import JavaObject, JVMView
from py4j.protocol import DEFAULT_JVM_ID, DEFAULT_JVM_NAME
from pyspark.sql import DataFrame, SparkSession

from sqlml.errors import ModelNotFoundError, SqlmlError, blank
from sqlml.importing.unregistered_model import UnregisteredModel
from sqlml.spark.applications import Applications
from sqlml.spark.interruptions import Interruptions
from sqlml.spark.java_rows import java_rows
from sqlml.spark.session import SparkStatementSession
from sqlml.statements import Statement, parse

if TYPE_CHECKING:
    from sqlml.parser.rewriter import Edit
    from sqlml.registry import ModelVersion
    from sqlml.signature import Signature

# The capacity of the cache of parsed statements: those of a long script.
_MOST_PARSED = 64


def _answer(question: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a method of the handler: returns every exception as a reply."""

    @functools.wraps(question)
    def answered(*arguments: Any) -> Any:
        try:
            return _held(question(*arguments))
        except BaseException as error:  # KeyboardInterrupt too: Ctrl-C may arrive while Java waits for us.
            return _held(_reply(error))

    return answered


def _held(reply: Any) -> Any:
    """Replaces a Java object by a text that refers to it; see org.sqlml.python.ObjectReplies."""
    if not isinstance(reply, JavaObject):
        return reply
    return JVMView(reply._gateway_client, DEFAULT_JVM_NAME, DEFAULT_JVM_ID).org.sqlml.python.ObjectReplies.hold(reply)


def _reply(error: BaseException) -> Any:
    """The reply for an exception: JSON, or the Java exception behind it."""
    if isinstance(error, SqlmlError):
        return _error_json(error)
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    if java is not None:
        return java
    if isinstance(error, KeyboardInterrupt):
        return _error_json(SqlmlError("SQLML_CANCELLED", "The statement was cancelled."))
    defect = SqlmlError(
        "SQLML_INTERNAL_ERROR",
        f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
        hint="This is a bug in sqlml. The driver's log has the details.",
    )
    return _error_json(defect, traceback="".join(traceback.format_exception(error)))


def _error_json(error: SqlmlError, traceback: str | None = None) -> str:
    content = {
        "condition": error.condition,
        "sqlstate": error.sqlstate,
        "message": str(error),
        "offset": error.offset,
        "traceback": traceback,
    }
    return json.dumps({"error": content})


class Bridge:
    """Implements org.sqlml.python.Handler, whose documentation describes the methods. Threads of the JVM call it
    concurrently.

    Args:
        applications: maps the JVM's sessions to PySpark's.
        echo: receives every progress line of statements in addition to the client.
        interruptions: counts Ctrl-C, which ends statements.
    """

    class Java:
        implements = ["org.sqlml.python.Handler"]  # noqa: RUF012  Py4J reads it by this name

    def __init__(
        self,
        applications: Applications,
        *,
        echo: Callable[[str], None] | None = None,
        interruptions: Interruptions | None = None,
    ) -> None:
        self.applications = applications
        self._echo = echo
        self._interruptions = interruptions or Interruptions()

    @_answer
    def parse(self, sql: str, values: str | None) -> str | None:
        described = _described(sql, values)
        return None if described is None else json.dumps(described)

    @_answer
    def markers(self, sql: str) -> str | None:
        """The parameter markers of a statement of ours, for Spark 4.0, which binds their values after parsing."""
        from sqlml.parser.parameters import markers
        from sqlml.statements import kind_of

        found = markers(sql) if kind_of(sql) is not None else []
        return json.dumps({"markers": found}) if found else None

    @_answer
    def rewrite(self, jsession: Any, user: str, sql: str, values: str | None) -> str | None:
        """Rewrites calls of scoring functions, and sqlml's statements inside a script, into text for Spark's parser."""
        from sqlml.parser.functions import rewrite

        # Loads each model once, however often the text names it.
        @functools.cache
        def features_of(reference: str) -> tuple[str, ...]:
            model = self._load(self.applications.session(jsession), user, reference)
            return tuple(feature.name for feature in model.inputs)

        @functools.cache
        def signature_of(reference: str) -> Signature | None:
            try:
                return self._load(self.applications.session(jsession), user, reference).signature
            except SqlmlError:
                return None  # the analysis of the call reports the error with its position

        statements, edits = _scripted(sql, values)
        rewritten = rewrite(sql, features_of, signature_of, edits)
        if rewritten is None:
            return None
        return json.dumps({"text": rewritten.text, "edits": rewritten.edits, "statements": statements})

    @_answer
    def run(self, jsession: Any, user: str, call: Any, sql: str) -> Any:
        """Runs a statement within its policy; returns its rows."""
        from sqlml.registry.waiting import cancellable

        statement = _parsed(sql)
        assert statement is not None, "Java runs only what parse() has accepted"
        spark = self.applications.session(jsession)
        session = SparkStatementSession(
            spark,
            sql,
            statement.query_offset,
            call,
            self.applications,
            user=user,
            echo=self._echo,
            interruptions=self._interruptions,
        )
        permitted = self.applications.policy(spark).permitted(
            user, statement.ACTION, statement.models, sql, recorded=statement.recorded
        )
        with permitted, cancellable(session.caller.cancelled, session.caller.progress), self._discreet(spark, user):
            rows = statement.run(session)
        return java_rows(spark, rows, statement.schema)

    @_answer
    def tables(self) -> str:
        from sqlml.tables import TABLES

        return json.dumps([{"name": one.name, "schema": one.schema, "comment": one.comment} for one in TABLES])

    @_answer
    def table(self, jsession: Any, user: str, name: str) -> Any:
        """The rows of a registry table that the user may read."""
        from sqlml.policy import READ
        from sqlml.tables import TABLES

        table = next(table for table in TABLES if table.name == name)
        spark = self.applications.session(jsession)
        permissions = self.applications.policy(spark).permissions
        rows = table.rows(self.applications.registry(spark))
        # The permission is checked once per model: rows may be thousands of metrics, and a check may ask a server.
        readable = {model for model in {row[0] for row in rows} if permissions.allow(user, READ, model)}
        return java_rows(spark, [row for row in rows if row[0] in readable], table.schema)

    @_answer
    def predict(
        self,
        jsession: Any,
        user: str,
        function: str,
        model: Any,
        outputs: str | None,
        arguments: str,
        by_name: bool,
        pinned: str | None,
    ) -> Any:
        """Binds a call of a scoring function; returns Java's `ResolvedCall`.

        It loads the model, binds the arguments to its inputs, finds the casts, the stored TRANSFORM and the text
        equalities, and chooses the engine.
        """
        from sqlml.binding.arguments import Argument, bind, needed_casts
        from sqlml.binding.outputs import RequestedOutputs, check_names
        from sqlml.spark import engine_choice, texts, transforms

        spark = self.applications.session(jsession)
        wanted = None if outputs is None else RequestedOutputs.parse(outputs)
        found: ModelVersion | UnregisteredModel
        found = (
            self._load(spark, user, model, pinned) if isinstance(model, str) else self._unregistered(spark, user, model)
        )
        call_arguments = [Argument(**argument) for argument in json.loads(arguments)]
        if wanted is not None:
            check_names(found.name, found.signature, wanted, [argument.name for argument in call_arguments])
        order = bind(found.name, found.inputs, call_arguments, by_name)
        casts = needed_casts(found.inputs, call_arguments, order, read_by_sql=found.transform is not None)
        jvm: Any = spark.sparkContext._jvm
        stored = None if isinstance(found, UnregisteredModel) else transforms.stored(spark, found)
        # A stored TRANSFORM returns columns with the features' types.
        types = [cast or call_arguments[at].type for at, cast in zip(order, casts, strict=True)]
        types = types if stored is None else [feature.type for feature in found.signature.features]
        equalities = texts.equalities(spark, found, types)
        if equalities is not None:
            types = [kind if same is None else "string" for kind, same in zip(types, equalities, strict=True)]
        engine = engine_choice.chosen(spark, function, found, wanted, types)
        description = {
            "shown": engine.name,
            "used": engine.features,
            "order": order,
            "casts": casts,
            "model": None if isinstance(found, UnregisteredModel) else found.name,
            "version": str(found.version),
            "digest": found.digest,
            "last_known_at": None if isinstance(found, UnregisteredModel) else _instant(found.last_known_at),
            "outputs": [asdict(output) for output in engine.outputs],
            "threshold": wanted and wanted.threshold,
            "cast": engine.cast,
            # An integer may be an index into an embedding, and out of its range.
            "fallible": engine.udf is not None and any(feature.whole for feature in found.signature.features),
        }
        return jvm.org.sqlml.predict.ResolvedCall.of(
            engine.udf, engine.program, stored, engine.labels, equalities, json.dumps(description)
        )

    def _unregistered(self, spark: SparkSession, user: str, query: Any) -> UnregisteredModel:
        """The model whose bytes a query returns.

        A user who may predict with a registered version may score with its bytes; any other graph needs the right to
        import it.
        """
        from sqlml.importing.limits import Limits
        from sqlml.importing.unregistered_model import load_unregistered
        from sqlml.spark.applications import setting
        from sqlml.spark.queries import only_value

        limits = Limits.of(lambda wanted: setting(spark, wanted))
        value = only_value(DataFrame(query, spark), limits.size)
        model = load_unregistered(value, limits)
        self._require_unregistered(spark, user, model.digest)
        return model

    def _require_unregistered(self, spark: SparkSession, user: str, digest: str) -> None:
        """Checks that a user may score with the bytes of a graph.

        Raises:
            SqlmlError: SQLML_PERMISSION_DENIED, with the same words whether the graph is registered or not, unless the
                user's rights reveal it anyway.
        """
        from sqlml.importing.unregistered_model import NAME
        from sqlml.policy import IMPORT, PREDICT

        allow = self.applications.policy(spark).permissions.allow
        may_import = allow(user, IMPORT, NAME)
        registered = self.applications.registry(spark).names_of(digest)
        if any(allow(user, PREDICT, name) for name in registered) or (may_import and not registered):
            return
        reason = "a registered model" if may_import else "not a registered model"
        raise SqlmlError(
            "SQLML_PERMISSION_DENIED",
            f"User {user or '(unknown)'} may not score with this model, which is {reason} that they may predict with.",
            hint=""
            if may_import
            else f"To score with any other model, a user needs permission to import a model called {NAME}.",
        )

    @_answer
    def permit(self, jsession: Any, user: str, model: str | None, digest: str) -> bool:
        from sqlml.policy import PREDICT

        spark = self.applications.session(jsession)
        if model is None:
            self._require_unregistered(spark, user, digest)
        else:
            self.applications.policy(spark).permissions.require(user, PREDICT, model)
        return True

    @_answer
    def provenance(self, jsession: Any, user: str, ref: str, pinned: str | None) -> Any:
        spark = self.applications.session(jsession)
        model = self._load(spark, user, ref, pinned)
        jvm: Any = spark.sparkContext._jvm
        moment = _instant(model.last_known_at)
        return jvm.org.sqlml.predict.Provenance(model.name, model.version, model.digest, moment)

    @_answer
    def retyped(self, jsession: Any, user: str, model: str, digest: str, view: str, kind: str, now: str) -> bool:
        from sqlml.spark.view_types import view_error

        spark = self.applications.session(jsession)
        raise view_error(lambda reference: self._load(spark, user, reference), model, digest, view, kind, now)

    @contextmanager
    def _discreet(self, spark: SparkSession, user: str) -> Iterator[None]:
        """A block whose errors list no model that the user may neither read nor predict with."""
        from sqlml.policy import PREDICT, READ

        allow = self.applications.policy(spark).permissions.allow
        try:
            yield
        except ModelNotFoundError as error:
            raise error.for_eyes(lambda name: any(allow(user, action, name) for action in (READ, PREDICT))) from None

    def _load(self, spark: SparkSession, user: str, reference: str, pinned: str | None = None) -> ModelVersion:
        """Loads a registered version after a check that the user may predict with it."""
        from sqlml.parser.references import ModelReference
        from sqlml.policy import PREDICT

        name = ModelReference.parse(reference).name
        self.applications.policy(spark).permissions.require(user, PREDICT, name)
        with self._discreet(spark, user):
            return self.applications.registry(spark).load(reference, pinned)

    def toString(self) -> str:  # noqa: N802  Java's name; logs and debuggers call it
        return "sqlml in Python"


def _instant(moment: datetime | None) -> str | None:
    """A moment as Java's `Instant.parse` reads it."""
    return None if moment is None else moment.isoformat()


# A statement is tokenized when Spark parses it, and not again when Spark runs it a moment later. It never changes.
_parsed = functools.lru_cache(maxsize=_MOST_PARSED)(parse)


def _described(sql: str, values: str | None) -> dict[str, Any] | None:
    """The properties of a statement that Java needs before running it; None for a text that is not sqlml's."""
    from sqlml.parser.parameters import Values, bound

    text = bound(sql, Values.of(values))
    try:
        statement = _parsed(text.text)
    except SqlmlError as error:
        if error.offset is not None:
            error.offset = text.original(error.offset)
        raise
    if statement is None:
        return None
    return {
        "sql": text.text,
        "edits": text.edits,
        "title": _title(statement),
        "schema": statement.schema,
        "query_offset": statement.query_offset,
        "query_end": statement.query_end,
    }


def _scripted(sql: str, values: str | None) -> tuple[list[dict[str, Any]], list[Edit]]:
    """The sqlml statements in a SQL script, and the edits that turn the script into one that Spark's parser accepts."""
    from sqlml.parser import scripts
    from sqlml.parser.rewriter import Edit
    from sqlml.statements import HEADS

    script = scripts.read(sql, HEADS)
    statements: list[dict[str, Any]] = []
    edits = [*script.declarations]
    for start, stop in script.statements:
        # Padded with blanks up to its start, so that its offsets are those of the script.
        described = _described(blank(sql[:start]) + sql[start:stop], values)
        if described is not None:
            edits.append(Edit(start, stop, scripts.call(len(statements))))
            statements.append(described)
    return statements, edits


def _title(statement: Statement) -> str:
    """The statement's title in EXPLAIN: `TrainModel churn`."""
    name = getattr(statement, "name", None) or getattr(statement, "model", None)
    return type(statement).__name__ if name is None else f"{type(statement).__name__} {name}"

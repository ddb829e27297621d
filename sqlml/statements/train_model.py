"""TRAIN MODEL"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from sqlglot import TokenType

from sqlml.errors import ParseError, SqlmlError
from sqlml.parser.cursor import Column, Cursor, Option, Piece
from sqlml.parser.generator import dotted, identifier, print_options, quote_string
from sqlml.policy import TRAIN
from sqlml.session import Session
from sqlml.statements import clauses
from sqlml.statements.base import Statement
from sqlml.statements.tags import checked

if TYPE_CHECKING:
    from sqlml.training.request import Before
    from sqlml.training.trained import Trained


@dataclass(frozen=True)
class TrainModel(Statement):
    """TRAIN MODEL [IF NOT EXISTS] name
      [COMMENT 'text']
      [USING [engine.]estimator]
      [TARGET column]
      [FEATURES ( column, … ) | FEATURES * EXCEPT ( column, … )]
      [TRANSFORM ( select_list )]
      [OPTIONS ( key = value, … )]
      [TAGS ( 'key' = 'value', … )]
    AS query

    Fits an estimator to the rows of the query, converts it to ONNX, compares the two on held-out rows, and registers
    the result as a new version of the model. Nothing is registered unless all of that succeeded. With IF NOT EXISTS
    nothing happens where the model exists. CREATE [OR REPLACE] MODEL is another spelling of the same statement.

    Without USING: gradient boosting. Without an engine: scikit-learn while the rows fit the driver
    (`spark.sqlml.train.maxRows`), MLlib beyond, and `xgboost.spark` for XGBoost. What learns from the features alone
    has no TARGET: PREDICT returns the cluster's number, whether a row is an anomaly, or coordinates (pca) as a STRUCT.

    A text column of more than 50 rows in which nine of ten texts or more are different is a name or a key, and nothing
    can be learned from it. Where nobody lists the features it is left out, which the progress, `warnings` and DESCRIBE
    MODEL say; where FEATURES or `encode` names it, it is an error. Texts that read as numbers or dates are said too,
    with the CAST that makes them so.

    The usual short names of estimators mean them too: rf, gbm, knn, mlp, lr, nb, lda, qda, xgb, lgbm, ….

    TRANSFORM makes the features of the query's columns: expressions of Spark SQL over one row, as in a SELECT. They are
    stored with the version and applied again wherever it scores, under the time zone and the other settings of the
    training, so that PREDICT takes the query's columns. The target, and the columns that options name, need not be in
    the list. FEATURES chooses among the columns it makes.

    USING auto finds the estimator and its hyperparameters by trials, in `time_budget` seconds in all: first each
    estimator with usual settings, then what Optuna proposes; many rows are sampled for most trials. SHOW TRIALS lists
    them. With num_trials and a budget that is not reached the same seed gives the same model; where the budget ends the
    search, the model depends on the machine. It needs optuna (the extra `tuning`). On a cluster the trials are Spark
    tasks, where the executors have the libraries (`spark.sqlml.train.trials`).

    Options:
        task            classification, regression, …; else what the target's type, or the estimator, says
        test_fraction   the share of rows held out for the metrics; 0.2, and 0 without a target: then they are measured
                        on the rows that were learned from, on one machine on a sample of 50,000 of more than that
        split_method    random (stratified by class), column, sequential, none
        split_column    a boolean, true for held-out rows; or an order, whose last rows are held out; not a feature
        weight_column   how much each row counts in fitting; not a feature
        class_weights   how much each label's rows count: {'yes': 3}, or 'balanced'
        censor_column   of survival regression: true (1) where the end was observed, false (0) where it was yet to come
        impute          what missing numbers (NULL, NaN, infinite ones) count as: 'mean', 'median', 'most_frequent', a
                        number; {'age': 'median'}; else the mean, but nothing for trees, forests and boosting that take
                        missing numbers themselves
        missing_flag    one more column says whether a number is missing, where the rows have gaps: true, ['age']
        encode          how texts become numbers: 'onehot', 'ordinal', 'target' (the target's means); {'city': 'target'}
        max_rows        a sample of so many rows, the same one for the same rows and seed
        cv_folds        cross-validation in so many folds, measured as cv_…; of every trial, where there are some
        num_trials      of a search (20), for hyperparameters given as hparam_range(a, b) or hparam_candidates([…]);
                        each measured on a fifth of the rows to learn from, where rows have an order the last ones
        metric          what trials are compared by: the first measured of roc_auc, accuracy, r2, silhouette(_squared)
        time_budget     seconds after which no more trials begin; with USING auto, of all but opening the registry (60)
        estimators      with USING auto, the only ones to try: ['lightgbm', 'random_forest']
        seed            of everything random; 42
        tolerance       the largest difference allowed between the library's scores and the graph's; 1e-6
    Every other option is a hyperparameter under the library's own name. MLlib's estimators take all of these, but
    for weights where their class counts every row the same. The networks, SVMs and stochastic gradient descent of
    scikit-learn learn a standardized regression target, which the graph puts back: their `epsilon`, `tol` and `alpha`
    count in standard deviations of the target.

    Returns one row: the version, what trained it, its metrics on held-out rows and the fidelity of its graph. Fewer
    than ten rows are not split, so that the metrics are of those; a target that is 0 in a measured row has no `mape`.
    `warnings` says what makes the model doubtful, such as an r2 below 0 on held-out rows, or a class of one row; NULL
    where nothing does. DESCRIBE MODEL repeats it.

    Errors: SQLML_COLUMN_NOT_FOUND, SQLML_ESTIMATOR_NOT_FOUND, SQLML_FEATURE_UNUSABLE, SQLML_FIDELITY,
    SQLML_OPTION_INVALID, SQLML_OPTION_NOT_FOUND, SQLML_REGISTRY_UNAVAILABLE, SQLML_TARGET_INVALID,
    SQLML_TOO_FEW_ROWS, SQLML_TOO_MANY_ROWS, SQLML_TRANSFORM_INVALID.
    """

    HEADS: ClassVar = (("TRAIN", "MODEL"), ("CREATE", "MODEL"), ("CREATE", "OR", "REPLACE", "MODEL"))
    ACTION: ClassVar = TRAIN
    SCHEMA: ClassVar = (
        "model STRING, version INT, estimator STRING, engine STRING, task STRING, rows BIGINT, features INT,"
        " metrics MAP<STRING,DOUBLE>, fidelity STRUCT<rows: BIGINT, max_abs_diff: DOUBLE, label_mismatches: BIGINT>,"
        " seconds DOUBLE, run_id STRING, warnings STRING"
    )

    name: str
    query: str
    if_not_exists: bool = False
    comment: str | None = None
    estimator: str | None = None
    target: Column | None = None
    features: tuple[Column, ...] | None = None
    excluded: tuple[Column, ...] = ()
    transform: Piece | None = None
    options: tuple[Option, ...] = ()
    tags: tuple[Option, ...] = ()
    starts_at: int = field(default=0, compare=False)
    estimator_offset: int | None = field(default=None, compare=False)
    before: Before | None = field(default=None, compare=False)

    @property
    def query_offset(self) -> int | None:
        return self.starts_at

    @property
    def models(self) -> tuple[str, ...]:
        return (self.name,)

    @classmethod
    def parse(cls, cursor: Cursor) -> TrainModel:
        or_replace = False
        if not cursor.accept("TRAIN"):
            cursor.expect("CREATE")
            or_replace = cursor.accept("OR", "REPLACE")
        cursor.expect("MODEL")
        if or_replace and cursor.sees("IF", "NOT", "EXISTS"):
            raise ParseError("OR REPLACE and IF NOT EXISTS cannot be combined.", offset=cursor.offset)
        if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
        name = cursor.model_name()
        given = clauses.read(cursor, _CLAUSES, lambda: cursor.accept("AS"), "AS and a query")
        query, starts_at = cursor.query()
        return cls(name, query, if_not_exists, starts_at=starts_at, **given)

    def run(self, session: Session) -> list[tuple[Any, ...]]:
        # Imported late: parsing a statement must not import what only training needs.
        from sqlml.training import Request, train, warm_up

        registry = session.registry
        if self.if_not_exists and registry.exists(self.name):
            return []
        started = time.monotonic()
        warm_up(self.estimator)
        tags = checked(self.tags, registry)
        # The run is opened first, so that an unreachable registry fails before hours of fitting.
        with registry.training_run(self.name, self.sql(), tags, session.caller.user) as run:
            request = Request(
                model=self.name,
                query=self.query,
                query_offset=self.starts_at,
                estimator=self.estimator,
                estimator_offset=self.estimator_offset,
                target=self.target,
                features=self.features,
                excluded=self.excluded,
                options=self.options,
                transform=self.transform,
                before=self.before,
            )
            trained = train(request, session, run.log_trial)
            if session.caller.cancelled():
                raise SqlmlError(
                    "SQLML_CANCELLED", f"The training of {self.name} was cancelled; nothing is registered."
                )
            version = run.register(trained, self._resolved(trained), comment=self.comment)
            run.log_plots(trained, session.caller.progress)
        fitted = trained.fitted
        return [
            (
                self.name,
                version,
                trained.estimator.name,
                trained.estimator.engine,
                fitted.signature.task,
                fitted.rows,
                len(fitted.signature.features),
                fitted.metrics,
                (fitted.fidelity.rows, fitted.fidelity.max_abs_diff, fitted.fidelity.label_mismatches),
                round(time.monotonic() - started, 3),
                run.run_id,
                "; ".join(trained.warnings) or None,
            )
        ]

    def _resolved(self, trained: Trained) -> str:
        """The statement that reproduces this version, independent of defaults and searches."""
        found = trained.resolved
        assert found is not None
        return replace(
            self,
            if_not_exists=False,
            comment=None,
            estimator=trained.estimator.name,
            target=found.target,
            options=found.options,
            excluded=(*self.excluded, *(Column(column.name, None) for column in trained.left_out)),
            tags=(),
        ).sql()

    def sql(self) -> str:
        words = "TRAIN MODEL IF NOT EXISTS" if self.if_not_exists else "TRAIN MODEL"
        parts = [f"{words} {self.name}"]
        if self.comment is not None:
            parts.append(f"COMMENT {quote_string(self.comment)}")
        if self.estimator is not None:
            parts.append(f"USING {dotted(self.estimator)}")
        if self.target is not None:
            parts.append(f"TARGET {identifier(self.target.name)}")
        if self.features is not None:
            parts.append(f"FEATURES ({_print_columns(self.features)})")
        if self.excluded:
            parts.append(f"FEATURES * EXCEPT ({_print_columns(self.excluded)})")
        if self.transform is not None:
            parts.append(f"TRANSFORM ({self.transform.text})")
        if self.options:
            parts.append(f"OPTIONS {print_options(self.options)}")
        if self.tags:
            parts.append(f"TAGS {print_options(self.tags, keys=quote_string)}")
        return "\n".join([*parts, f"AS {self.query}"])


def _features(cursor: Cursor) -> dict[str, Any]:
    if cursor.accept_symbol(TokenType.STAR):
        cursor.expect("EXCEPT")
        return {"excluded": cursor.columns()}
    return {"features": cursor.columns()}


def _using(cursor: Cursor) -> dict[str, Any]:
    offset = cursor.offset
    return {"estimator": cursor.dotted("an estimator's name"), "estimator_offset": offset}


# The clauses and their parsers; they may come in any order.
_CLAUSES: clauses.Clauses = {
    "COMMENT": clauses.COMMON["COMMENT"],
    "USING": _using,
    "TARGET": lambda cursor: {"target": cursor.column()},
    "FEATURES": _features,
    "TRANSFORM": lambda cursor: {"transform": cursor.parenthesised("a select list")},
    "OPTIONS": clauses.COMMON["OPTIONS"],
    "TAGS": clauses.COMMON["TAGS"],
}


def _print_columns(columns: tuple[Column, ...]) -> str:
    return ", ".join(identifier(column.name) for column in columns)

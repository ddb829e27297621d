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
    from sqlml.training.request import PreviousVersion
    from sqlml.training.trained import Trained


@dataclass(frozen=True)
class TrainModel(Statement):
    """TRAIN MODEL [IF NOT EXISTS] name
      [COMMENT 'text']
      [USING [library.]estimator]
      [TARGET column]
      [FEATURES ( column, … ) | FEATURES * EXCEPT ( column, … )]
      [TRANSFORM ( select_list )]
      [OPTIONS ( key = value, … )]
      [TAGS ( 'key' = 'value', … )]
    AS query

    Fits an estimator to the rows of a query, converts it to ONNX, compares the predictions of both on held-out rows,
    and registers the result as a new version of the model. A version is registered only if all steps succeed. With IF
    NOT EXISTS nothing happens if the model exists. CREATE [OR REPLACE] MODEL is another spelling of the same statement.

    The default estimator is gradient boosting. The default library is scikit-learn as long as the rows fit on the
    driver (`spark.sqlml.train.maxRows`), and MLlib for more rows; for XGBoost it is then `xgboost.spark`. An estimator
    that learns only from features needs no TARGET: PREDICT returns the number of the cluster, whether a row is an
    anomaly, or coordinates (pca) as a STRUCT.

    A text column with more than 50 rows, of which at least nine in ten have different values, is a name or a key, and
    nothing can be learned from it. If the statement does not list features, such a column is left out, and the
    progress, `warnings` and DESCRIBE MODEL say so. If FEATURES or `encode` names the column, it is an error. A warning
    also names text columns that contain numbers or dates, with the CAST that converts them.

    Estimators also have short names: rf, gbm, knn, mlp, lr, nb, lda, qda, xgb, lgbm, …, and the names of the library's
    classes, as they are or in snake case: `sklearn.RandomForestClassifier`, `sklearn.random_forest_classifier`. Every
    classifier, regressor, clusterer and detector of scikit-learn can be named; one that cannot be a model in SQL is an
    error that says why. Where skl2onnx writes the graph, DESCRIBE MODEL says so.

    TRANSFORM computes the features from the columns of the query, with expressions of Spark SQL over one row, as in a
    SELECT. The expressions are stored with the version. Scoring applies them again, with the time zone and the other
    settings of the training, so PREDICT takes the columns of the query. The target and the columns that options name
    need not be in the list. FEATURES chooses among the computed columns.

    USING auto searches the estimator and its hyperparameters by trials, within `time_budget` seconds: first each
    estimator with usual settings, then the proposals of Optuna. Most trials use a sample if there are many rows. SHOW
    TRIALS lists the trials. With num_trials, and a budget that is not reached, the same seed gives the same model. If
    the budget ends the search, the model depends on the machine. The search needs optuna (the extra `tuning`). On a
    cluster the trials are Spark tasks if the executors have the libraries (`spark.sqlml.train.trials`).

    Options:
        task            classification, regression, …; by default it follows from the target's type or the estimator
        test_fraction   the share of rows that are held out for the metrics; 0.2, and 0 without a target. With 0 the
                        metrics are measured on the training rows, or on 50,000 of them if one machine has more
        split_method    random (stratified by class), column, sequential, none
        split_column    a boolean that is true for held-out rows; or a column to order by, whose last rows are held out.
                        It is not a feature
        weight_column   the weight of each row in the fit; not a feature
        class_weights   the weight of each label: {'yes': 3}, or 'balanced'
        censor_column   for survival regression: true (1) where the end was observed, false (0) where it was not
        impute          the value for missing numbers (NULL, NaN, infinity): 'mean', 'median', 'most_frequent' or a
                        number; for one feature {'age': 'median'}. The default is the mean, and no imputation for trees,
                        forests and boosting that support missing numbers
        missing_flag    adds a column that is 1 where a number is missing, if the rows have gaps: true, ['age']
        encode          the encoding of texts: 'onehot', 'ordinal', 'target' (the target's means); {'city': 'target'}
        max_rows        trains on a sample of this size, which is the same for the same rows and seed
        cv_folds        cross-validates with this number of folds, with metrics cv_…; with a search, in each trial
        num_trials      the number of trials of a search (20), for hyperparameters given as hparam_range(a, b) or
                        hparam_candidates([…]). Each is measured on a fifth of the training rows, the last if ordered
        metric          the metric that compares trials: the first available of roc_auc, accuracy, r2,
                        silhouette(_squared)
        time_budget     the seconds after which no trial starts. With USING auto, the time of the whole statement
                        without opening the registry (60)
        estimators      with USING auto, the estimators to try: ['lightgbm', 'random_forest']
        seed            the seed of everything random; 42
        tolerance       the largest difference allowed between the scores of the library and of the graph; 1e-6
    All other options are hyperparameters under the names of the library. MLlib's estimators support all options, except
    weights if their class does not. scikit-learn fits its neural networks, support vector machines and stochastic
    gradient descent to a standardized regression target, which the graph scales back, so `epsilon`, `tol` and `alpha`
    are in standard deviations of the target.

    Returns one row: the version, its estimator, its metrics on held-out rows and the comparison with its graph. Fewer
    than ten rows are not split, so the metrics are those of the training rows. There is no `mape` if the target of a
    measured row is 0. `warnings` says what makes the model doubtful, such as an r2 below 0 on held-out rows or a class
    with one row, and is NULL if there is nothing. DESCRIBE MODEL shows the warnings again.

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
    before: PreviousVersion | None = field(default=None, compare=False)

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
        values = clauses.read(cursor, _CLAUSES, lambda: cursor.accept("AS"), "AS and a query")
        query, starts_at = cursor.query()
        return cls(name, query, if_not_exists, starts_at=starts_at, **values)

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
                    "SQLML_CANCELLED", f"The training of {self.name} was cancelled, and nothing was registered."
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

"""Analysis, the first stage of TRAIN MODEL: the query's columns and rows, and the task.

It reads the rows once, for one aggregation: how many there are, how many have a target, how many different targets and
texts. What is to be fitted is decided in the next stage; see `sqlml.training.fit_plan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators import check_known
from sqlml.lineage import DATABASE, Fingerprint, Source
from sqlml.parser.cursor import Option
from sqlml.session import Caller, Expressions, Queries
from sqlml.signature import TEXT, Feature, Transform, fold_of
from sqlml.training import bigquery, columns, counting, options, texts
from sqlml.training.columns import Schema
from sqlml.training.request import Request
from sqlml.training.texts import LeftOut
from sqlml.training.transforming import Transformation

AUTO = "auto"


@dataclass(frozen=True)
class Analysis:
    """What is known of a training before anything is decided.

    Attributes:
        request: in our own words, where it came in BigQuery's.
        bigquery: whether it did.
        frame: a Spark DataFrame of the features, the target and the columns that options name; after TRANSFORM.
        sources: the tables that the query reads.
        settings: of the session, which decide what the query means.
        schema: of the query, before TRANSFORM: (name, type) of each column.
        common: the options of every estimator.
        hyperparameters: all other options.
        features: without the texts that nothing can be learned from.
        left_out: those.
        aside: the columns of the options split_column, weight_column and censor_column.
        transform: what PREDICT has to apply.
        readings: by column, how its texts would read: as numbers or as dates.
        counted: what the aggregation found.
        fingerprint: how the rows are hashed.
        collected_later: whether the rows may be collected, and be hashed on that way.
        warnings: what makes the model doubtful, so far.
    """

    request: Request
    bigquery: bool
    frame: Any
    sources: tuple[Source, ...]
    settings: dict[str, str]
    schema: Schema
    common: options.Common
    hyperparameters: list[Option]
    target: Feature | None
    features: tuple[Feature, ...]
    left_out: tuple[LeftOut, ...]
    aside: tuple[Feature | None, Feature | None, Feature | None]
    transform: Transform | None
    task: str
    readings: Mapping[str, str]
    counted: counting.Counted
    fingerprint: Fingerprint
    collected_later: bool
    warnings: tuple[str, ...]

    @property
    def automatic(self) -> bool:
        """Whether the estimator is searched for, too."""
        return is_automatic(self.request)


def is_automatic(request: Request) -> bool:
    return request.estimator is not None and request.estimator.lower() == AUTO


def analyse(request: Request, queries: Queries, expressions: Expressions, caller: Caller) -> Analysis:
    """Resolves columns, counts rows and infers the task.

    Raises:
        SqlmlError: SQLML_AMBIGUOUS_FEATURE, SQLML_COLUMN_NOT_FOUND, SQLML_ESTIMATOR_NOT_FOUND, SQLML_FEATURE_UNUSABLE,
            SQLML_OPTION_INVALID, SQLML_TARGET_INVALID, SQLML_TOO_FEW_ROWS, SQLML_TRANSFORM_INVALID.
    """
    is_bigquery = bigquery.is_bigquery(request)
    if is_bigquery:
        request = bigquery.translate(request)
    if is_automatic(request) and request.target is None:
        raise SqlmlError(
            "SQLML_ESTIMATOR_NOT_FOUND",
            "USING auto compares estimators by their predictions of a target, but there is no TARGET.",
            hint="Add TARGET column, or name an estimator for clustering or anomaly detection, such as USING k_means.",
            offset=request.estimator_offset,
        )
    if request.estimator is not None and not is_automatic(request):
        # Before the target, without which the task is not known, and before any row is read.
        try:
            check_known(request.estimator)
        except SqlmlError as error:
            raise error.at(request.estimator_offset) from None
    frame = queries.frame(request.query, request.query_offset)
    sources, settings = queries.sources(frame), {DATABASE: expressions.database, **expressions.conf()}
    fold = fold_of(settings)
    common, hyperparameters = options.split(request.options)

    # Columns.
    source_schema = schema = columns.schema_of(frame)
    transformation = None
    if request.transform is not None:
        others = (common.split_column, common.weight_column, common.censor_column)
        named = (request.target.name if request.target else None, *others)
        transformation = Transformation(expressions, frame, request.transform, [name for name in named if name])
        frame = transformation.frame
        schema = columns.schema_of(frame)
    target = columns.target(request, schema, fold)
    aside = (
        columns.option(common.split_column, common.offsets.get("split_column"), schema, fold),
        columns.option(common.weight_column, common.offsets.get("weight_column"), schema, fold),
        columns.option(common.censor_column, common.offsets.get("censor_column"), schema, fold),
    )
    features = columns.features(request, schema, target, aside, fold)
    caller.progress(f"reading {len(features)} features" + (f" and the target {target.name}" if target else ""))
    frame = expressions.canonical_texts(frame, [*features, *([target] if target else [])])

    # Rows. Where all of them will be collected, their fingerprint is taken from them then.
    collected_later = common.max_rows is None and not (request.estimator or "").lower().startswith("mllib.")
    of_texts = [column.name for column in (*features, target) if column and column.kind == TEXT]
    # With texts it is not known yet what is read: some may be left out.
    at_once = None if collected_later or of_texts else _fingerprint((*features, target, *aside))
    counted = counting.count(frame, target, at_once, task=common.task, texts=of_texts)

    # Texts that are names or keys.
    looked = texts.look(frame, of_texts, counted.texts)
    asked = {column.name for column in request.features or ()} | options.named_by("encode", common)
    features, left_out = texts.without_keys(request, features, looked, asked)
    warnings = texts.warnings(looked, left_out, features)
    for line in warnings:
        caller.progress(line)
    readings = {column.name: column.reading for column in looked if column.reading}

    counting.check_rows(counted.rows, counted.labelled, target, request)
    task = common.task or counting.infer_task(target, counted.distinct, request)
    counting.check_task(task, target, request, readings)
    return Analysis(
        request=request,
        bigquery=is_bigquery,
        frame=frame,
        sources=sources,
        settings=settings,
        schema=source_schema,
        common=common,
        hyperparameters=hyperparameters,
        target=target,
        features=features,
        left_out=left_out,
        aside=aside,
        transform=transformation.stored(features) if transformation else None,
        task=task,
        readings=readings,
        counted=counted,
        fingerprint=at_once or _fingerprint((*features, target, *aside)),
        collected_later=collected_later,
        warnings=tuple(warnings),
    )


def _fingerprint(read: Sequence[Feature | None]) -> Fingerprint:
    by_name = {column.name: column for column in read if column}
    return Fingerprint([(column.name, column.type) for column in by_name.values()])

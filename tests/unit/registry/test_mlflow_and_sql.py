"""MLflow and SQL tell the same story: what a statement changes, MLflow's own client sees, and the other way round."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from helpers.doors.mlflow_server import mlflow_server
from helpers.foreign_graphs import graph, node

import sqlml
from sqlml.errors import ModelNotFoundError, SqlmlError
from sqlml.registry import Registry
from sqlml.registry.location import locate
from sqlml.registry.metric_gates import Condition, check
from sqlml.statements import parse

if TYPE_CHECKING:
    from mlflow import MlflowClient

_DOUBLED = graph([("x", "double", ["n"])], [("y", "double", ["n"])], [node("Add", "x x", "y")])


@pytest.fixture(params=["sqlite", "folder", pytest.param("server", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "server":
        with mlflow_server(tmp_path / "server") as uri:
            yield uri
    else:
        yield f"sqlite:///{tmp_path / 'mlflow.db'}" if request.param == "sqlite" else str(tmp_path / "runs")


class _Both:
    """One store, by SQL and by MLflow's client."""

    def __init__(self, uri: str) -> None:
        self.registry = Registry(*locate(uri, ""))
        # All that these statements see of a session.
        self._session: Any = SimpleNamespace(
            registry=self.registry, caller=SimpleNamespace(may=lambda action, model: True)
        )
        for metric in (0.75, 0.9):
            # Two versions; opening the store also tells MLflow how it is used here.
            sqlml.register_model(
                "both", _DOUBLED, metrics={"accuracy": metric}, tags={"n": str(metric)}, registry=uri, comment="two"
            )
        from mlflow import MlflowClient

        self.client: MlflowClient = MlflowClient(uri, uri)

    def say(self, text: str) -> list[tuple[Any, ...]]:
        statement = parse(text)
        assert statement is not None
        return statement.run(self._session)

    def refuse(self, text: str) -> str:
        with pytest.raises(SqlmlError) as caught:
            self.say(text)
        assert caught.value.offset is not None
        return f"{caught.value.condition}: {caught.value.message}"

    def described(self, text: str) -> list[tuple[Any, ...]]:
        return [row for row in self.say(text) if row[0] in ("model", "version", "aliases", "team", "n", "source")]


def test_one_story(store: str) -> None:
    both = _Both(store)
    say, client = both.say, both.client

    # What SQL says, MLflow shows.
    say("ALTER MODEL both SET ALIAS champion = VERSION 2 IF accuracy >= 0.9")
    assert client.get_model_version_by_alias("both", "champion").version in (2, "2")
    assert both.refuse("ALTER MODEL both SET ALIAS champion = VERSION 1 IF accuracy >= 0.9 AND accuracy < 1") == (
        "SQLML_GATE_NOT_MET: Version 1 of model both does not meet the condition: accuracy is 0.75, not >= 0.9."
    )
    say("ALTER MODEL both SET ALIAS `old-one` = VERSION 1")
    say("ALTER MODEL both SET COMMENT 'of the model'")
    say("ALTER MODEL both VERSION 1 SET COMMENT 'of the version'")
    say("ALTER MODEL both SET TAGS ('team' = 'growth')")
    say("ALTER MODEL both VERSION 1 SET TAGS ('team' = 'ops')")
    model, version = client.get_registered_model("both"), client.get_model_version("both", "1")
    assert {name: int(version) for name, version in model.aliases.items()} == {"champion": 2, "old-one": 1}
    assert (model.description, model.tags["team"]) == ("of the model", "growth")
    assert (version.description, version.tags["team"]) == ("of the version", "ops")
    assert both.refuse("DROP MODEL both VERSION 2").startswith(
        "SQLML_VERSION_IN_USE: Version 2 of model both has the alias champion"
    )

    name = "both"
    if Path(store).is_dir():
        refused = both.refuse("ALTER MODEL both RENAME TO sales.both")
        assert refused == "SQLML_NOT_SUPPORTED: Model both cannot be renamed, because the registry is a folder."
    else:
        name = "sales.both"
        assert say("ALTER MODEL both RENAME TO sales.both") == [("sales.both", None, "name", "both", "sales.both")]
        assert both.refuse("SHOW MODEL VERSIONS both") == "SQLML_MODEL_NOT_FOUND: There is no model both."
    model = client.get_registered_model(name)
    assert {name: int(version) for name, version in model.aliases.items()} == {"champion": 2, "old-one": 1}
    assert (model.description, model.tags["team"]) == ("of the model", "growth")
    assert both.registry.load(f"{name}@old-one").onnx() == both.registry.load(f"{name}/1").onnx()
    say(f"ALTER MODEL {name} UNSET TAGS ('team')")
    say(f"ALTER MODEL {name} UNSET ALIAS `old-one`")
    model = client.get_registered_model(name)
    assert "team" not in model.tags and set(model.aliases) == {"champion"}

    # What MLflow's client says, SQL shows.
    client.set_registered_model_alias(name, "next", "1")
    client.set_model_version_tag(name, "1", "team", "risk")
    client.set_registered_model_tag(name, "team", "sales")
    assert both.described(f"DESCRIBE MODEL {name} ALIAS next") == [
        ("model", name, "of the model"),
        ("version", "1", "of the version"),
        ("aliases", "next", None),
        ("team", "sales", "of the model"),
        ("n", "0.75", "of the version"),
        ("team", "risk", "of the version"),
    ]
    client.log_metric(both.registry.load(f"{name}/1").run_id, "auc_of_march", 0.8)
    assert [(row[1], row[2], row[5]) for row in say(f"SHOW MODEL VERSIONS {name}")] == [
        (2, "champion", {"accuracy": 0.9}),
        (1, "next", {"accuracy": 0.75, "auc_of_march": 0.8}),
    ]
    assert both.refuse(f"ALTER MODEL {name} SET ALIAS next = VERSION 1 IF auc_of_april > 0.5") == (
        f"SQLML_METRIC_NOT_FOUND: Version 1 of model {name} has no metric auc_of_april."
    )
    say(f"ALTER MODEL {name} SET ALIAS next = VERSION 1 IF auc_of_march > 0.5")
    client.delete_model_version(name, "1")
    assert [row[:4] for row in say("SHOW MODELS")] == [(name, 1, 2, "champion = 2")]
    assert both.refuse(f"DESCRIBE MODEL {name} ALIAS next").startswith("SQLML_MODEL_NOT_FOUND")
    if name != "both":
        client.rename_registered_model(name, "Renamed")
        name = "Renamed"
        assert [row[:3] for row in say("SHOW MODELS LIKE '*'")] == [(name, 1, 2)]
        # Names in SQL know no capital letters.
        assert both.registry.load("Renamed@champion").name == "Renamed"
        say("ALTER MODEL Renamed VERSION 2 SET COMMENT 'found'")
        assert client.get_model_version(name, "2").description == "found"
    client.delete_registered_model(name)
    assert say("SHOW MODELS") == []


def test_a_version_that_mlflow_registered(tmp_path: Path) -> None:
    both = _Both(f"sqlite:///{tmp_path / 'mlflow.db'}")
    say, client = both.say, both.client
    experiment = client.get_experiment_by_name("sqlml")
    assert experiment is not None
    run = client.create_run(experiment.experiment_id)
    client.log_metric(run.info.run_id, "auc", 0.6)
    client.create_registered_model("elsewhere")
    source = f"{run.info.artifact_uri}/model"
    client.create_model_version("elsewhere", source, run.info.run_id, tags={"team": "x"}, await_creation_for=0)
    assert [row[:5] for row in say("SHOW MODELS LIKE 'else*'")] == [("elsewhere", 1, 1, "", None)]
    say("ALTER MODEL elsewhere SET ALIAS champion = VERSION 1 IF auc = 0.6")
    assert [row[1:6] for row in say("SHOW MODEL VERSIONS elsewhere")] == [(1, "champion", None, None, {"auc": 0.6})]
    assert both.described("DESCRIBE MODEL elsewhere") == [
        ("model", "elsewhere", None),
        ("version", "1", None),
        ("aliases", "champion", None),
        ("source", source, "not registered by sqlml, so PREDICT cannot use it"),
        ("team", "x", "of the version"),
    ]
    with pytest.raises(SqlmlError, match="SQLML_MODEL_CORRUPT"):
        both.registry.load("elsewhere")
    assert say("DROP MODEL elsewhere") == [("elsewhere", 1, None)]


def test_an_alias_never_points_at_a_version_that_is_gone(tmp_path: Path) -> None:
    """The version is dropped after SET ALIAS has seen it: in a folder MLflow's own check comes before its write."""
    both = _Both(str(tmp_path / "runs"))
    client, find = both.client, type(both.client).set_registered_model_alias

    def meanwhile(self: Any, name: str, alias: str, version: str) -> None:
        find(self, name, alias, version)
        # As if the write had come after the other session's clearing up.
        folder = tmp_path / "runs" / "models" / name / "aliases"
        text = (folder / alias).read_text()
        client.delete_model_version(name, version)
        (folder / alias).write_text(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(client), "set_registered_model_alias", meanwhile)
        assert both.refuse("ALTER MODEL both SET ALIAS champion = VERSION 1").endswith("has just been dropped.")
    assert not dict(client.get_registered_model("both").aliases)


def test_a_new_name_gives_nobody_what_the_old_one_kept_from_them(tmp_path: Path) -> None:
    both = _Both(f"sqlite:///{tmp_path / 'mlflow.db'}")
    both._session.caller.user, denied = "ann", {("export", "both"), ("read", "both")}
    both._session.caller.may = lambda action, model: (action, model) not in denied
    refusal = both.refuse("ALTER MODEL both RENAME TO mine")
    assert (
        refusal
        == "SQLML_PERMISSION_DENIED: User ann may not read model both, but could after its change of name to mine."
    )
    denied |= {("export", "mine"), ("read", "mine")}
    assert [row[3:] for row in both.say("ALTER MODEL both RENAME TO mine")] == [("both", "mine")]


def test_a_hint_names_no_model_that_nobody_may_know_of(tmp_path: Path) -> None:
    both = _Both(f"sqlite:///{tmp_path / 'mlflow.db'}")
    both.client.create_registered_model("others")
    with pytest.raises(ModelNotFoundError) as caught:
        both.registry.load("bot")
    assert caught.value.hint == "Did you mean both?"
    assert caught.value.for_eyes(lambda name: name == "others").hint == "Known: others."
    assert caught.value.for_eyes(lambda name: False).hint == "Train the first one with TRAIN MODEL."
    both.say("ALTER MODEL both RENAME TO renamed")
    with pytest.raises(ModelNotFoundError) as caught:
        both.registry.load("both")
    assert caught.value.hint == "It was renamed to renamed."
    assert str(caught.value.for_eyes(lambda name: name == "others")).endswith("model both. Did you mean others?")


def test_where_a_strangers_version_is_from_stays_a_comment(tmp_path: Path) -> None:
    both = _Both(f"sqlite:///{tmp_path / 'mlflow.db'}")
    both.client.create_registered_model("elsewhere")
    both.client.create_model_version("elsewhere", "s3://a/b\nDROP TABLE t", await_creation_for=0)
    ((text,),) = both.say("SHOW CREATE MODEL elsewhere")
    assert "\n" not in text and text.startswith("-- ") and text.endswith("s3://a/b DROP TABLE t.")


def test_a_gate_finds_a_metric_by_its_name_in_any_case() -> None:
    metrics = {"roc_auc": 0.9, "loss": math.nan, "Loss": 0.1}
    check("It", metrics, [Condition("ROC_AUC", ">", 0.8), Condition("Loss", "<", 0.2)])
    for metric, reason in (
        ("loss", "loss is nan, not < 0.2"),
        ("LOSS", "It has no metric LOSS"),
        ("f1", "no metric f1"),
    ):
        with pytest.raises(SqlmlError, match=reason):
            check("It", metrics, [Condition(metric, "<", 0.2)])


def test_an_import_is_shown_under_the_name_it_has_now(tmp_path: Path) -> None:
    from sqlml.importing import imported, requested
    from sqlml.training.imported_model import trained

    both = _Both(f"sqlite:///{tmp_path / 'mlflow.db'}")
    with both.registry.training_run("brought", "IMPORT MODEL brought\nFROM 'x.onnx'", {}, "ann") as run:
        run.register(trained(imported(_DOUBLED, requested(target="y"))), comment="by ann")
    both.say("ALTER MODEL brought RENAME TO brought_home")
    ((text,),) = both.say("SHOW CREATE MODEL brought_home")
    assert text == "IMPORT MODEL brought_home\nFROM 'x.onnx'\nCOMMENT 'by ann'"


def test_patterns(tmp_path: Path) -> None:
    both = _Both(f"sqlite:///{tmp_path / 'mlflow.db'}")
    for name in ("sales.leads", "sales.rain", "a" * 250):
        both.client.create_registered_model(name)

    def like(pattern: str) -> list[str]:
        return [row[0] for row in both.say(f"SHOW MODELS LIKE '{pattern}'")]

    assert like("sales.*") == like("*s*.*a*") == like("SALES.rain | sales.l*s") == ["sales.leads", "sales.rain"]
    assert like("*a*a*ds") == ["sales.leads"] and like("b*") == ["both"] and like("b*oth*") == ["both"]
    assert like("ot*") == like("bo") == like("") == like("sales.*.") == []
    assert len(like("*")) == 4
    # It took longer than anybody waits.
    started = time.process_time()
    assert like("*a" * 20 + "*b") == []
    assert time.process_time() - started < 5

"""Who may do what, and the record of it, without Spark: the rules as text, the check, the log."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from sqlml.errors import SqlmlError
from sqlml.policy import CHANGES, AuditLog, Permissions, Policy, audit
from sqlml.policy.audit import audit_path
from sqlml.policy.rules import Rules

RULES = """
[groups]
scientists = ["ann", "bob"]

[[rule]]
allow = ["read", "predict"]

[[rule]]
allow = "*"
users = ["@scientists"]
models = ["sales.*", "Churn"]

[[rule]]
deny = ["drop"]
models = ["*_production"]

[[rule]]
deny = "*"
users = ["mallory"]
"""


@pytest.mark.parametrize(
    ("user", "action", "model", "allowed"),
    [
        ("ann", "train", "sales.leads", True),
        ("bob", "drop", "churn", True),
        ("carl", "train", "churn", False),
        ("carl", "predict", "churn", True),
        ("ann", "train", "sales", False),
        ("ann", "drop", "sales.leads_production", False),
        ("ann", "alter", "sales.leads_production", True),
        ("mallory", "predict", "churn", False),
        ("Ann", "train", "churn", False),
        ("", "read", "churn", True),
        ("", "export", "churn", False),
    ],
)
def test_what_no_rule_allows_is_refused_and_deny_wins(user: str, action: str, model: str, allowed: bool) -> None:
    assert Rules.parse(RULES).allows(user, action, model) is allowed


def test_a_rule_knows_no_case_of_names(tmp_path: Path) -> None:
    """MLflow's own API registers names with capital letters, and the registry's tables show them as they are."""
    path = tmp_path / "rules.toml"
    path.write_text("[[rule]]\nallow = '*'\n[[rule]]\ndeny = '*'\nmodels = ['secret*']", encoding="utf-8")
    permissions = Permissions(False, str(path))
    assert permissions.allow("ann", "read", "Open") and not permissions.allow("ann", "read", "SecretPlans")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]]\nallow = ['predikt']", "rule 1 has no 'predikt'. Did you mean predict?"),
        ("[[rule]]\nuser = ['a']\nallow = '*'", "rule 1 has no 'user'. Did you mean users?"),
        ("[[rule]]\nusers = ['a']", "rule 1 needs either allow or deny"),
        ("[[rule]]\nallow = '*'\ndeny = '*'", "rule 1 needs either allow or deny"),
        ("[[rule]]\nallow = '*'\nusers = ['@gone']", "the groups, for rule 1 has no 'gone'."),
        ("[[rule]]\nallow = [1]", "rule 1 has [1] instead of a list of names"),
        ("[rule]\nallow = '*'", "rules must be written as [[rule]], with two brackets"),
        ("[[rules]]\nallow = '*'", "the file has no 'rules'. Did you mean rule?"),
        ("allow = ", "Invalid value (at end of document)"),
    ],
)
def test_a_file_that_is_no_rules_says_where(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        Rules.parse(text)
    assert str(raised.value) == message


def test_without_a_check_everybody_may_do_everything() -> None:
    Permissions(False, "").require("", "drop", "churn")


def test_a_server_that_only_scores_refuses_every_change(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[[rule]]\nallow = '*'\n")
    permissions = Permissions(True, str(rules))
    for action in CHANGES:
        with pytest.raises(SqlmlError) as raised:
            permissions.require("ann", action, "churn")
        assert raised.value.condition == "SQLML_READ_ONLY"
    permissions.require("ann", "predict", "churn")
    permissions.require("ann", "read", "churn")


def test_a_file_is_read_again_when_it_changes_and_one_that_is_broken_or_gone_allows_nothing(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    permissions = Permissions(False, str(rules))

    def refusal() -> str:
        with pytest.raises(SqlmlError) as raised:
            permissions.require("ann", "train", "churn")
        assert raised.value.condition == "SQLML_PERMISSION_DENIED"
        return raised.value.message

    assert "No such file" in refusal()
    rules.write_text("[[rule]]\nallow = ['train']\n")
    permissions.require("ann", "train", "churn")
    rules.write_text("[[rule]]\nallow = ['train']\nusers = ['bob']\n")
    assert refusal() == "User ann may not train model churn."
    rules.write_text("[[rule]]\nallow = ['trian']\n")
    assert "rule 1 has no 'trian'" in refusal()
    rules.unlink()
    assert "No such file" in refusal()


def test_a_function_of_the_administrators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "house_rules.py").write_text(
        "def check(user, action, model):\n    return {'ann': True, 'bob': None}[user]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    permissions = Permissions(False, "house_rules:check")
    assert permissions.allow("ann", "drop", "churn") is True
    assert permissions.allow("bob", "drop", "churn") is False
    for user, setting in (("carl", "house_rules:check"), ("ann", "house_rules:gone"), ("ann", "nowhere")):
        with pytest.raises(SqlmlError) as raised:
            Permissions(False, setting).allow(user, "drop", "churn")
        assert raised.value.condition == "SQLML_PERMISSION_DENIED"


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_change_begins_and_ends_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "new" / "audit.jsonl"
    log = AuditLog(path, "application_1", redacted=lambda text: text.replace("hunter2", "***"))
    with log.recording("ann", "drop", ("churn",), "DROP MODEL churn -- hunter2"):
        pass
    for error in (
        SqlmlError("SQLML_PERMISSION_DENIED", "no"),
        SqlmlError("SQLML_CANCELLED", "stop"),
        SqlmlError("SQLML_FIDELITY", "worse"),
        KeyboardInterrupt(),
    ):
        with pytest.raises(type(error)), log.recording("bob", "train", ("a", "b"), "TRAIN …"):
            raise error
    entries = _lines(path)
    assert [(entry["outcome"], entry.get("error")) for entry in entries] == [
        ("started", None),
        ("succeeded", None),
        ("started", None),
        ("denied", "SQLML_PERMISSION_DENIED"),
        ("started", None),
        ("cancelled", "SQLML_CANCELLED"),
        ("started", None),
        ("failed", "SQLML_FIDELITY"),
        ("started", None),
        ("failed", "KeyboardInterrupt"),
    ]
    assert entries[0]["statement"] == "DROP MODEL churn -- ***"
    assert (entries[1]["user"], entries[1]["action"], entries[1]["models"]) == ("ann", "drop", ["churn"])
    assert entries[0]["id"] == entries[1]["id"] != entries[2]["id"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_what_a_statement_makes_outside_the_registry_is_in_the_log_too(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    policy = Policy(Permissions(False, ""), AuditLog(path, "application_1"))
    with policy.permitted("ann", "predict", ("churn",), "ENRICH TABLE t WITH MODEL churn SHOW SQL", recorded=False):
        assert not path.exists()
    with policy.permitted("ann", "predict", ("churn",), "ENRICH TABLE t WITH MODEL churn CREATE VIEW v", recorded=True):
        assert [entry["outcome"] for entry in _lines(path)] == ["started"]
    assert [entry["outcome"] for entry in _lines(path)] == ["started", "succeeded"]


def test_what_a_long_statement_does_is_in_the_log_however_it_is_wrapped(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    forged = "\u2028{}\x85\x9b2J \udcff\n"
    statement = f"/* {forged} {'x' * 30_000} */ EXPORT MODEL churn TO 'stolen.onnx'"
    with AuditLog(path, "application_1").recording("ann", "export", ("churn",), statement):
        pass
    text = path.read_text(encoding="ascii")
    assert len(text.splitlines()) == 2 and "\x9b" not in text
    started, _ = _lines(path)
    recorded = str(started["statement"])
    assert recorded.startswith(f"/* {forged}") and recorded.endswith("EXPORT MODEL churn TO 'stolen.onnx'")
    digest = hashlib.sha256(statement.encode(errors="surrogatepass")).hexdigest()
    assert f"{len(statement) - 20_000} characters, SHA-256 of the whole {digest}" in recorded


def test_what_cannot_be_recorded_does_not_happen(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, "application_1")  # a folder
    with pytest.raises(SqlmlError) as raised, log.recording("ann", "drop", ("churn",), "DROP MODEL churn"):
        raise AssertionError("it happened")
    assert raised.value.condition == "SQLML_AUDIT_UNAVAILABLE"


def test_where_the_log_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit_path("/var/log/sqlml.jsonl", "http://mlflow") == Path("/var/log/sqlml.jsonl")
    assert audit_path("", "sqlite:////data/mlflow.db") == Path("/data/sqlml-audit.jsonl")
    monkeypatch.chdir(tmp_path)
    assert audit_path("", "http://mlflow") == tmp_path / ".sqlml" / "sqlml-audit.jsonl"
    assert audit_path("log", "sqlite:////data/mlflow.db") is audit_path("off", "http://mlflow") is None
    monkeypatch.setenv("SQLML_HOME", "/var/sqlml")
    assert audit_path("", "http://mlflow") == Path("/var/sqlml/sqlml-audit.jsonl")


def test_a_large_audit_log_is_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_MOST_BYTES", 500)
    monkeypatch.setattr(audit, "_MOST_FILES", 3)
    log = AuditLog(tmp_path / "audit.jsonl", "application_1")
    for _ in range(20):
        with log.recording("ann", "drop", ("churn",), "DROP MODEL churn"):
            pass
    old = sorted(tmp_path.glob("audit-*.jsonl"))
    assert len(old) == 3
    lines = [line for path in (*old, tmp_path / "audit.jsonl") for line in path.read_text().splitlines()]
    assert len(lines) >= 6
    assert all(json.loads(line)["action"] == "drop" for line in lines)
    with AuditLog(None, "application_1", off=True).recording("ann", "drop", ("churn",), "DROP MODEL churn"):
        pass

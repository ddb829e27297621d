"""Files that a statement names: below the allowed folders after symbolic links, plain, whole or not at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sqlml.errors import SqlmlError
from sqlml.system import allowed_paths
from sqlml.system.allowed_paths import AllowedPaths


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An allowed folder beside one that is not."""
    for name in ("home", "home/sub", "homes", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "secret").write_bytes(b"secret")
    (tmp_path / "home" / "model").write_bytes(b"model")
    return tmp_path / "home"


def _refused(path: object, home: Path, condition: str = "SQLML_PATH_NOT_ALLOWED", most: int = 100) -> SqlmlError:
    started = time.monotonic()
    with pytest.raises(SqlmlError) as caught:
        allowed_paths.read(str(path), most, AllowedPaths.of([str(home)]))
    assert caught.value.condition == condition
    assert time.monotonic() - started < 1
    return caught.value


def test_what_may_be_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = AllowedPaths.of([str(home)])
    (home / "a b").write_bytes(b"blank")
    (home / "link").symlink_to(home / "model")
    (home / "sub" / "up").symlink_to(home)
    for text, content in (
        (f"{home}/model", b"model"),
        (f"{home}/sub/../model", b"model"),
        (f"{home}/link", b"model"),
        (f"{home}/sub/up/model", b"model"),
        (f"file://{home}/a%20b", b"blank"),
        (f"file:{home}/model", b"model"),
        (f"file://localhost{home}/model", b"model"),
    ):
        assert allowed_paths.read(text, 100, allowed) == content
    monkeypatch.chdir(home)
    assert allowed_paths.read("model", 100, allowed) == allowed_paths.read("sub/../model", 100, allowed) == b"model"


def test_what_may_not_be_read(home: Path) -> None:
    other = home.parent / "other"
    (home / "link").symlink_to(other / "secret")
    (home / "folder").symlink_to(other)
    (home / "loop").symlink_to(home / "loop")
    for path in (
        other / "secret",
        f"{home}/../other/secret",
        home / "link",
        home / "folder" / "secret",
        home.parent / "homes" / "model",  # begins with the same letters
        f"file://{other}/secret",
        f"file://{home}/%2e%2e/other/secret",
        "/dev/zero",
        "/etc/shadow",
        "/proc/self/mem",
        f"http://127.0.0.1:1{home}/model",
        f"hdfs://host{home}/model",
        f"file://host{home}/model",
        f"{home}/model\0.onnx",
        home / "loop",
    ):
        error = _refused(path, home)
        # What it says is what the user wrote, not where that leads.
        assert "other/secret" not in error.message or "other/secret" in str(path)


def test_a_coded_end_of_text_is_no_path(home: Path) -> None:
    assert not AllowedPaths.of([str(home)]).holds(f"file:{home}/a%00b")


def test_what_is_no_plain_file_is_not_read(home: Path) -> None:
    os.mkfifo(home / "pipe")
    os.link(home.parent / "other" / "secret", home / "second")
    assert "is not a regular file" in _refused(home / "pipe", home).message
    assert "is a folder" in _refused(home / "sub", home).message
    assert "has a hard link" in _refused(home / "second", home).message
    assert "No such file" in _refused(home / "nothing", home, "SQLML_PATH_NOT_FOUND").message
    _refused(home / ("x" * 300), home, "SQLML_PATH_NOT_FOUND")
    with open(home / "large", "wb") as file:
        file.truncate(2**40)
    assert "1099511627776 bytes, but the limit is 100" in _refused(home / "large", home, "SQLML_MODEL_REFUSED").message


def test_folders_elsewhere() -> None:
    allowed = AllowedPaths.of(["hdfs://host:9000/models", "s3a://bucket/", "/local"])
    for text in ("hdfs://host:9000/models/a/b.onnx", "s3a://bucket/a.onnx", "/local/a.onnx", "file:/local/a.onnx"):
        assert allowed.holds(text), text
    for text in (
        "hdfs://host:9000/models2/a.onnx",
        "hdfs://host:9000/models/../secret",
        "hdfs://host:9000/models/%2E%2E/secret",
        "hdfs://host:9000/models/*.onnx",
        "hdfs://host:9000/models/{a,b}",
        "hdfs://other:9000/models/a",
        "s3a://bucket2/a",
        "s3://bucket/a",
        "http://169.254.169.254/local/a",
    ):
        assert not allowed.holds(text), text

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhengling.errors import ZhenglingError
from zhengling.service.server import read_token
from zhengling.service.settings import ServiceSettings


def written(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    path = written(
        tmp_path / "s.json", {"queue": 0, "timeout_seconds": 0.5, "documents": {"archive_depth": 0}}
    )
    found = ServiceSettings.from_file(path)
    assert (found.queue, found.timeout_seconds, found.documents.archive_depth) == (0, 0.5, 0)
    assert found.body_bytes == ServiceSettings().body_bytes
    assert found.documents.archive_bytes == ServiceSettings().documents.archive_bytes


def test_the_file_of_the_repository_has_the_defaults(repository: Path) -> None:
    assert ServiceSettings.from_file(repository / "configs" / "service.json") == ServiceSettings()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not JSON"),
        ([], "expected a JSON object, got list"),
        ({"quue": 1}, "unknown key 'quue', there are body_bytes"),
        ({"queue": -1}, "key 'queue': expected a number, 0 or more, got -1"),
        ({"workers": 0}, "key 'workers'"),
        ({"workers": True}, "key 'workers'"),
        ({"workers": 1.5}, "key 'workers'"),
        ({"timeout_seconds": "1"}, "key 'timeout_seconds'"),
        ({"documents": {"files": 1}}, "unknown key 'files'"),
        ({"documents": 1}, "expected a JSON object, got int"),
    ],
)
def test_faults(content: object, says: str, tmp_path: Path) -> None:
    path = written(tmp_path / "s.json", content)
    with pytest.raises(ZhenglingError) as caught:
        ServiceSettings.from_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match="can't be read"):
        ServiceSettings.from_file(tmp_path / "none.json")


def test_the_token_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZHENGLING_TOKEN", raising=False)
    assert read_token(None) is None
    assert read_token(written(tmp_path / "token", "secret\n")) == "secret"
    monkeypatch.setenv("ZHENGLING_TOKEN", "other")
    assert read_token(None) == "other"
    with pytest.raises(ZhenglingError, match="the token is empty"):
        read_token(written(tmp_path / "token", "\n"))
    with pytest.raises(ZhenglingError, match="can't read the token"):
        read_token(tmp_path / "none")

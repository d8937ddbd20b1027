from __future__ import annotations

import io
import json
import logging
import re
from typing import Any

import openpyxl
import pytest
from httpx import Response
from spacy.language import Language
from starlette.testclient import TestClient
from tests.documents import packed, pdf, word
from tests.service.conftest import SETTINGS, TEXT

from zhengling.schema import Bulletin, LabelScheme, faults
from zhengling.service.app import create_app

EVIL = "<script>alert(1)</script>\"'&"


def error(response: Response, *, status: int, code: str) -> str:
    assert response.status_code == status, response.text
    found = response.json()["error"]
    assert found["code"] == code
    assert "\n" not in found["message"]
    return str(found["message"])


def send(client: TestClient, path: str = "/v1/analyze", **options: Any) -> Response:
    return client.post(path, **options)


# What is served


def test_a_text(client: TestClient, scheme: LabelScheme) -> None:
    body = {"text": TEXT, "id": "t", "title": "题", "date": "2024-03-05", "source": "示例网"}
    answer = send(client, json=body).json()
    bulletin = Bulletin.from_dict(answer)
    assert bulletin.text == TEXT
    assert not list(faults(bulletin, scheme=scheme))
    assert bulletin.entities
    assert {key: answer[key] for key in body} == body


def test_answers_are_those_of_the_command_line(client: TestClient, nlp: Language) -> None:
    doc = nlp(TEXT)
    answer = send(client, json={"text": TEXT}).json()
    assert [(e["start"], e["end"], e["label"]) for e in answer["entities"]] == [
        (e.start_char, e.end_char, e.label_) for e in doc.ents
    ]


def test_files(client: TestClient) -> None:
    for name, content in (("a.txt", TEXT.encode()), ("b.docx", word(TEXT)), ("c.pdf", pdf([[TEXT[:10]]]))):
        answer = send(client, files={"file": (name, content)}).json()
        assert answer["text"].startswith(TEXT[:10])
        assert answer["id"] == name[0]


def test_a_batch_of_texts(client: TestClient) -> None:
    body = {
        "bulletins": [{"text": TEXT, "id": "a"}, {"text": " ", "id": "b"}, {"text": TEXT[:10], "id": "c"}]
    }
    answer = send(client, "/v1/analyze/batch", json=body).json()
    assert [one["id"] for one in answer["bulletins"]] == ["a", "c"]
    assert answer["errors"] == [{"place": "b", "message": "empty: there is no text to analyse"}]


def test_a_batch_of_files_with_an_archive(client: TestClient) -> None:
    files = [
        ("file", ("x.zip", packed({"a.txt": TEXT.encode(), "b.exe": b"MZ\0"}))),
        ("file", ("c.pdf", pdf([[]]))),
    ]
    answer = send(client, "/v1/analyze/batch", files=files).json()
    assert [one["id"] for one in answer["bulletins"]] == ["a"]
    assert [one["place"] for one in answer["errors"]] == ["x.zip/b.exe", "c.pdf"]


def test_a_ledger_of_what_was_analysed(client: TestClient) -> None:
    analysed = send(client, "/v1/analyze/batch", json={"bulletins": [{"text": TEXT, "title": "=1+1"}]}).json()
    (directive,) = analysed["bulletins"][0]["directives"]
    assert directive["deadline"]["text"] == "年底前"
    book = openpyxl.load_workbook(io.BytesIO(send(client, "/v1/ledger", json=analysed).content))
    heading, row = book.active.values
    assert dict(zip(heading, row, strict=True))["来源"] == "'=1+1"
    response = send(client, "/v1/ledger?format=csv&language=en", json=analysed)
    assert response.headers["content-disposition"] == 'attachment; filename="zhengling.csv"'
    assert response.content.decode("utf-8-sig").startswith("No.,Source")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"bulletins": 1},
        {"bulletins": [1]},
        {"bulletins": [{"id": "a", "text": "b", "entities": [{"start": 0, "end": 9, "label": "ORG"}]}]},
    ],
)
def test_a_ledger_of_something_else(client: TestClient, body: object) -> None:
    error(send(client, "/v1/ledger", json=body), status=422, code="unfit")
    error(send(client, "/v1/ledger?format=pdf", json=body), status=422, code="unfit")


def test_schema_and_health(client: TestClient, scheme: LabelScheme) -> None:
    found = client.get("/v1/schema").json()
    assert found["labels"] == scheme.to_dict()
    assert found["limits"]["text_characters"] == SETTINGS.text_characters
    assert client.get("/healthz").json()["status"] == "ok"


def test_metrics(client: TestClient) -> None:
    send(client, json={"text": TEXT})
    client.get("/no/such/path")
    client.get("/no/other/path")
    lines = client.get("/metrics").text.splitlines()
    (counted,) = [x for x in lines if 'requests_total{method="POST",path="/v1/analyze",status="200"}' in x]
    assert float(counted.split()[-1]) >= 1
    assert any("process_resident_memory_bytes" in line for line in lines)
    assert not any("/no/" in line for line in lines), "paths of strangers would grow without bound"


def test_description_works_without_a_network(client: TestClient) -> None:
    api = client.get("/openapi.json").json()
    assert {"/v1/analyze", "/v1/analyze/batch", "/v1/schema", "/healthz", "/metrics"} <= set(api["paths"])
    assert {"application/json", "multipart/form-data"} == set(
        api["paths"]["/v1/analyze"]["post"]["requestBody"]["content"]
    )
    html = client.get("/docs").text
    assert "/v1/analyze/batch" in html
    assert not re.search(r"(src|href)=\"(?!/|data:)", html)


@pytest.mark.parametrize(
    "path", ["/", "/?language=en", "/docs", "/assets/page.css", "/assets/page.js", "/assets/app.js"]
)
def test_the_page_is_whole_and_asks_nobody_else(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?://|@import|url\(", response.text)
    assert not re.search(r"<script(?! src=)|<style| style=| on\w+=", response.text)
    for target in re.findall(r"(?:src|href)=\"(/assets/[^\"]+)\"", response.text):
        assert client.get(target).status_code == 200


# Bad input


def test_no_markup_of_a_text_reaches_the_page(client: TestClient) -> None:
    body = dict.fromkeys(("text", "id", "title", "date", "source"), EVIL)
    for path in ("/page", "/page?language=en"):
        answer = send(client, path, json=body).json()
        assert "<script" not in answer["html"]
        assert answer["html"].count("&lt;script&gt;") >= 4
        assert answer["bulletins"][0]["text"] == EVIL
    answer = send(client, "/page", files={"file": (EVIL, b"\0")}).json()
    assert answer["html"] == ""
    assert answer["errors"]


@pytest.mark.parametrize(
    "text",
    [
        "\u202e政令\u202c，\u200b各地\u200d要\ufeff落实。\u2066x\u2069",
        "a\u0301\U0001f468\u200d\U0001f469 \U0010ffff\u0000\u0085\u2028。",
        "\r\n\n\r" * 300 + "各地要落实。" + "\n" * 700,
        "好" * 2000,
        "。" * 2000,
    ],
)
def test_texts_come_back_as_they_are(client: TestClient, text: str) -> None:
    answer = send(client, json={"text": text}).json()
    assert answer["text"] == text
    assert not list(faults(Bulletin.from_dict(answer)))


@pytest.mark.parametrize(
    "content",
    [b'{"text": "\xff\xfe"}', b"", b"{", b"[]" * 9, b'{"text": "\\ud800"}', b'{"text": NaN}', b"[" * 90_000],
)
def test_json_that_is_none(client: TestClient, content: bytes) -> None:
    error(
        send(client, content=content, headers={"content-type": "application/json"}),
        status=400,
        code="unreadable",
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        {"text": 1},
        {"text": ""},
        {"text": "a", "txet": "b"},
        {"text": " \n"},
        {"text": "a", "id": None},
    ],
)
def test_json_that_is_something_else(client: TestClient, body: object) -> None:
    error(send(client, json=body), status=422, code="unfit")


def test_values_are_not_quoted_in_errors(client: TestClient) -> None:
    assert "秘密" not in send(client, json={"text": {"秘密的话": 1}}).text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "x" * 500])
def test_other_types(client: TestClient, kind: str) -> None:
    error(send(client, content=b"x", headers={"content-type": kind}), status=415, code="unsupported")


@pytest.mark.parametrize(
    "headers", [{"content-type": "multipart/form-data"}, {"content-type": "multipart/form-data; boundary=x"}]
)
def test_forms_that_are_none(client: TestClient, headers: dict[str, str]) -> None:
    response = send(client, content=b"--y\r\nnothing", headers=headers)
    assert response.status_code in (400, 422)


def test_a_form_without_a_file(client: TestClient) -> None:
    error(
        send(
            client,
            data={"file": "text"},
            files={},
            headers={"content-type": "multipart/form-data; boundary=x"},
        ),
        status=400,
        code="unreadable",
    )


def test_file_names_lead_nowhere(client: TestClient) -> None:
    for name in ("../../x", "..\\..\\x.txt", "/etc/passwd", "C:\\x.txt", "../../x\u202e.txt"):
        answer = send(client, "/v1/analyze/batch", files={"file": (name, TEXT.encode())}).json()
        (found,) = answer["bulletins"]
        assert found["id"] in ("x", "passwd", "x�")
    answer = send(client, "/v1/analyze/batch", files={"file": ("../../x", b"\0")}).json()
    assert answer["errors"][0]["place"] == "x"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", pdf([[]]), "only pictures"),
        ("a.pdf", pdf([["x"]], password="p"), "needs a password"),
        ("a.doc", b"\xd0\xcf\x11\xe0\0", "unsupported type .doc"),
        ("a.zip", packed({f"{number}.txt": bytes(99_000) for number in range(11)}), "archive_bytes"),
        ("a.zip", packed({"a.txt": b"a.", "b.txt": b"b."}), "send several to /v1/analyze/batch"),
        ("a.txt", b"", "empty"),
    ],
)
def test_documents_that_can_not_be_read(client: TestClient, name: str, content: bytes, says: str) -> None:
    assert says in error(send(client, files={"file": (name, content)}), status=422, code="unfit")


# Limits


def test_a_body_that_is_too_large(client: TestClient) -> None:
    large = b'{"text": "' + b"a" * SETTINGS.body_bytes + b'"}'
    headers = {"content-type": "application/json"}
    assert "limit body_bytes" in error(
        send(client, content=large, headers=headers), status=413, code="too_large"
    )
    chunks = (large[at : at + 9_000] for at in range(0, len(large), 9_000))
    error(send(client, content=chunks, headers=headers), status=413, code="too_large")
    error(send(client, files={"file": ("a.txt", large)}), status=413, code="too_large")


def test_a_text_that_is_too_long(client: TestClient) -> None:
    long = "好" * (SETTINGS.text_characters + 1)
    message = error(send(client, json={"text": long}), status=413, code="too_large")
    assert (
        message == "characters in a text: 2001, more than 2000 (limit text_characters); send less at a time"
    )
    error(send(client, files={"file": ("a.txt", long.encode())}), status=413, code="too_large")
    error(
        send(client, "/v1/analyze/batch", json={"bulletins": [{"text": long}]}), status=413, code="too_large"
    )


@pytest.mark.parametrize(
    "text", ["好" * 10_000_000, "\n" * 1_000_000 + "好"], ids=["one character", "line breaks"]
)
def test_huge_texts(nlp: Language, text: str) -> None:
    """Refused at once by default; what is read of files is refused likewise."""
    with TestClient(create_app(nlp)) as client:
        for options in ({"json": {"text": text}}, {"files": {"file": ("a.txt", text.encode())}}):
            error(send(client, **options), status=413, code="too_large")


def test_too_many_texts(client: TestClient) -> None:
    many = {"bulletins": [{"text": "a"}] * 6}
    assert "limit batch_texts" in error(
        send(client, "/v1/analyze/batch", json=many), status=413, code="too_large"
    )
    archive = packed({f"{number}.txt": b"a" for number in range(6)})
    error(send(client, "/v1/analyze/batch", files={"file": ("x.zip", archive)}), status=413, code="too_large")


# The token, logs and faults


def test_the_token(nlp: Language) -> None:
    with TestClient(create_app(nlp, settings=SETTINGS, token="right-令")) as client:
        for headers in (
            {},
            {"authorization": "Bearer wrong"},
            {"authorization": "right"},
            {"authorization": "Basic right"},
        ):
            response = send(client, json={"text": TEXT}, headers=headers)
            error(response, status=401, code="unauthorized")
            assert response.headers["www-authenticate"] == "Bearer"
        assert client.get("/metrics").status_code == client.get("/v1/schema").status_code == 401
        assert client.get("/no/such").status_code == 401
        assert client.get("/healthz").status_code == client.get("/").status_code == 200
    with TestClient(create_app(nlp, settings=SETTINGS, token="right")) as client:
        assert send(client, json={"text": TEXT}, headers={"authorization": "bearer right"}).status_code == 200


def test_other_paths_and_methods(client: TestClient) -> None:
    error(client.get("/no/such"), status=404, code="http")
    error(client.get("/v1/analyze"), status=405, code="http")
    assert client.get("/?language=fr").status_code == 422


def test_logs_have_no_texts(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    send(client, json={"text": TEXT, "title": "秘密题目"})
    send(client, json={"text": 1, "title": "秘密题目"})
    send(client, files={"file": ("秘密文件.txt", b"\0")})
    send(client, "/秘密路径")
    entries = [json.loads(record.message) for record in caplog.records if record.name == "zhengling.service"]
    assert [entry["status"] for entry in entries] == [200, 422, 422, 404]
    assert entries[0]["path"] == "/v1/analyze"
    assert not any(
        "秘密" in record.getMessage() or "示例" in record.getMessage() for record in caplog.records
    )


def test_a_fault_inside_tells_nothing_outside(
    nlp: Language, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The only place where something of ours is replaced: a fault must come from somewhere."""

    def broken(*_: object, **__: object) -> None:
        raise ValueError(f"can't stand {TEXT}")

    monkeypatch.setattr("zhengling.service.engine.analyse", broken)
    with TestClient(create_app(nlp, settings=SETTINGS)) as client:
        response = send(client, json={"text": TEXT})
    message = error(response, status=500, code="fault")
    assert response.headers["x-request-id"] in message
    assert "示例" not in response.text + caplog.text
    assert "ValueError at test_api.py" in caplog.text

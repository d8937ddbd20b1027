"""Whole runs: their rows, their counts, what resumes and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from spacy.language import Language
from tests.batch.conftest import BOMB
from tests.batch.runs import (
    contents,
    failing_after,
    in_process,
    manifest,
    quarantine,
    rows,
    run,
    texts,
    write_jsonl,
)

import zhengling
from zhengling.analysis import analyse
from zhengling.batch.job import BatchSettings, Job
from zhengling.batch.manifest import Finished
from zhengling.batch.ranges import Part
from zhengling.batch.writing import SCHEMA
from zhengling.errors import ZhenglingError
from zhengling.inputs import Source
from zhengling.store.tables import nested


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "in.jsonl", texts(10))


@pytest.fixture(scope="module")
def nlp(tiny: Path) -> Language:
    return zhengling.load(tiny, threads=1)


def test_a_row_a_document(source: Path, tmp_path: Path, tiny: Path, nlp: Language) -> None:
    counts = run(source, tmp_path / "out", tiny)
    assert (counts.documents, counts.rows, counts.quarantined) == (10, 10, 0)
    assert pq.read_schema(tmp_path / "out/parts/part-000000.parquet").names == SCHEMA.names
    found = rows(tmp_path / "out")
    expected = nested(
        analyse(nlp, (Source(f"d{n}", "", text) for n, text in enumerate(texts(10))))
    ).to_pylist()
    places = [{"file": "in.jsonl", "row": number} for number in range(1, 11)]
    assert found == [row | place for row, place in zip(expected, places, strict=True)]
    assert sum(len(row["entities"]) for row in found) > 10


def test_the_manifest_says_what_was_read_with_what(source: Path, tmp_path: Path, tiny: Path) -> None:
    run(source, tmp_path / "out", tiny)
    found = manifest(tmp_path / "out")
    assert found["state"] == "complete"
    assert found["counts"] == {"documents": 10, "rows": 10, "quarantined": 0}
    assert [part["rows"] for part in found["parts"]] == [4, 4, 2]
    assert found["settings"]["part_documents"] == 4
    assert len(found["input"]["sha256"]) == len(found["model"]["sha256"]) == 64


def test_a_stopped_run_goes_on(source: Path, tmp_path: Path, tiny: Path) -> None:
    run(source, tmp_path / "whole", tiny)
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out", tiny, engine=failing_after(1))
    first = tmp_path / "out/parts/part-000000.parquet"
    written = first.stat().st_mtime_ns
    assert manifest(tmp_path / "out")["state"] == "running"
    run(source, tmp_path / "out", tiny)
    assert first.stat().st_mtime_ns == written
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert manifest(tmp_path / "out")["parts"] == manifest(tmp_path / "whole")["parts"]


def test_a_complete_run_is_not_done_again(source: Path, tmp_path: Path, tiny: Path) -> None:
    first = run(source, tmp_path / "out", tiny)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/parts").iterdir()}
    assert run(source, tmp_path / "out", tiny) == first
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "out/parts").iterdir()}


@pytest.mark.parametrize("damage", ["remove", "change"])
def test_a_damaged_part_is_done_again(source: Path, tmp_path: Path, tiny: Path, damage: str) -> None:
    run(source, tmp_path / "out", tiny)
    before, said = contents(tmp_path / "out"), list[str]()
    path = tmp_path / "out/parts/part-000001.parquet"
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9])
    run(source, tmp_path / "out", tiny, say=said.append)
    assert contents(tmp_path / "out") == before
    assert said == [f"{path}: missing or damaged, it is done again"]


def test_another_run_into_the_same_folder_is_refused(source: Path, tmp_path: Path, tiny: Path) -> None:
    run(source, tmp_path / "out", tiny)
    before = contents(tmp_path / "out")
    with pytest.raises(ZhenglingError, match=r"settings part_documents \(4 there, 5 now\).*--overwrite"):
        run(source, tmp_path / "out", tiny, settings=BatchSettings(part_documents=5, group_documents=3))
    source.write_text(source.read_text() + '{"text": "一"}\n')
    with pytest.raises(ZhenglingError, match=r"input units \(10 there, 11 now\); input sha256 \("):
        run(source, tmp_path / "out", tiny)
    assert contents(tmp_path / "out") == before


def test_another_model_is_refused(source: Path, tmp_path: Path, tiny: Path) -> None:
    run(source, tmp_path / "out", tiny)
    other = tmp_path / "other"
    zhengling.load(tiny).to_disk(other)
    config = (other / "config.cfg").read_text()
    (other / "config.cfg").write_text(config.replace("window = 254", "window = 100"))
    with pytest.raises(ZhenglingError, match=r"differs in model sha256 \("):
        run(source, tmp_path / "out", other)


def test_a_model_with_another_card_is_the_same(source: Path, tmp_path: Path, tiny: Path) -> None:
    run(source, tmp_path / "out", tiny)
    other = tmp_path / "other"
    zhengling.load(tiny).to_disk(other)
    (other / "README.md").write_text("figures")
    assert run(source, tmp_path / "out", other).rows == 10


def test_overwrite_starts_anew(source: Path, tmp_path: Path, tiny: Path) -> None:
    run(source, tmp_path / "out", tiny)
    settings = BatchSettings(part_documents=50)
    assert run(source, tmp_path / "out", tiny, settings=settings, overwrite=True).rows == 10
    assert len(list((tmp_path / "out/parts").iterdir())) == 1


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_other_things_stays_as_it_is(
    source: Path, tmp_path: Path, tiny: Path, overwrite: bool
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("years of work")
    with pytest.raises(ZhenglingError, match="not empty, and not of this command"):
        run(source, tmp_path / "out", tiny, overwrite=overwrite)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_input_and_output_apart(source: Path, tmp_path: Path, tiny: Path) -> None:
    for output in (source, source.parent / "sub/..", source.parent):
        with pytest.raises(ZhenglingError, match="lie in one another"):
            run(source, output, tiny)
    with pytest.raises(ZhenglingError, match="lie in one another"):
        run(source.parent, source.parent / "out", tiny)


def test_two_runs_at_once_are_refused(source: Path, tmp_path: Path, tiny: Path) -> None:
    def nested_run(parts: Iterable[Part], job: Job) -> Generator[Finished]:
        with pytest.raises(ZhenglingError, match="another run is writing into this folder"):
            run(source, tmp_path / "out", tiny)
        return in_process(parts, job)

    assert run(source, tmp_path / "out", tiny, engine=nested_run).rows == 10


def test_input_that_changes_while_it_is_read(source: Path, tmp_path: Path, tiny: Path) -> None:
    def change(parts: Iterable[Part], job: Job) -> Generator[Finished]:
        for number, finished in enumerate(in_process(parts, job)):
            yield finished
            if number == 0:
                os.utime(source, ns=(1, 1))

    with pytest.raises(ZhenglingError, match=r"in\.jsonl: changed while it was read .*intact"):
        run(source, tmp_path / "out", tiny, engine=change)
    assert [part["part"] for part in manifest(tmp_path / "out")["parts"]] == [0]
    assert len(rows(tmp_path / "out")) == 4
    assert run(source, tmp_path / "out", tiny).rows == 10


def test_everything_that_has_no_row_is_in_the_quarantine(tmp_path: Path, tiny: Path) -> None:
    source = tmp_path / "in.jsonl"
    good = [json.dumps({"id": f"g{n}", "text": text}).encode() for n, text in enumerate(texts(5))]
    bad = {
        b'{"id": "x", "text": "\xff\xfe"}': (None, "not UTF-8"),
        b'{"id": "x", "text": ': (None, "broken JSON"),
        b"[1]": (None, "expected a JSON object, got list"),
        b'{"id": "none"}': ("none", "no text: 'text' is missing"),
        b'{"id": "null", "text": null}': ("null", "no text: 'text' is missing"),
        b'{"id": "five", "text": 5}': ("five", "no text: 'text' has the wrong type int"),
        b'{"id": "blank", "text": " \\n"}': ("blank", "empty"),
        b'{"id": "long", "text": "' + b"a" * 999 + b'"}': ("long", "999 characters, more than 500"),
        b'{"text": "' + b"b" * 3000 + b'"}': (None, "a line of more than 2000 bytes"),
        b'{"id": ["x"], "text": "a"}': (None, "'id' has the wrong type list"),
        json.dumps({"id": "bomb", "text": f"一{BOMB}丁"}).encode(): ("bomb", "analysing it raised "),
    }
    lines = [*good[:2], *bad, *good[2:]]
    source.write_bytes(b"\n".join(lines))
    settings = BatchSettings(part_documents=6, group_documents=4, text_characters=500, line_bytes=2000)
    counts = run(source, tmp_path / "out", tiny, settings=settings)
    assert (counts.documents, counts.rows, counts.quarantined) == (16, 5, 11)
    assert [row["id"] for row in rows(tmp_path / "out")] == ["g0", "g1", "g2", "g3", "g4"]
    found = quarantine(tmp_path / "out")
    assert [(one["file"], one["row"], one["part"]) for one in found] == [
        ("in.jsonl", row, (row - 1) // 6) for row in range(3, 14)
    ]
    for one, (name, reason) in zip(found, bad.values(), strict=True):
        assert one["id"] == name
        assert one["reason"].startswith(reason)


def test_a_part_with_nothing_but_faults(tmp_path: Path, tiny: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("{\n" * 5)
    counts = run(source, tmp_path / "out", tiny)
    assert (counts.rows, counts.quarantined, rows(tmp_path / "out")) == (0, 5, [])


@pytest.mark.parametrize("content", ["", "\n\n \n"])
def test_nothing_to_read(tmp_path: Path, tiny: Path, content: str) -> None:
    (tmp_path / "in.jsonl").write_text(content)
    with pytest.raises(ZhenglingError, match="empty: there is no document in it"):
        run(tmp_path / "in.jsonl", tmp_path / "out", tiny)


def test_a_manifest_that_can_not_be_read(source: Path, tmp_path: Path, tiny: Path) -> None:
    run(source, tmp_path / "out", tiny)
    (tmp_path / "out/manifest.json").write_text("{")
    with pytest.raises(ZhenglingError, match=r"manifest\.json: not a manifest that can be read"):
        run(source, tmp_path / "out", tiny)
    assert run(source, tmp_path / "out", tiny, overwrite=True).rows == 10


def test_groups_of_other_sizes_change_no_row_but_what_the_network_rounds(tmp_path: Path, tiny: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", texts(10))
    run(source, tmp_path / "a", tiny)
    run(source, tmp_path / "b", tiny, settings=BatchSettings(part_documents=7, group_documents=1))
    for one, other in zip(rows(tmp_path / "a"), rows(tmp_path / "b"), strict=True):
        assert [(e["start"], e["end"], e["label"]) for e in one["entities"]] == [
            (e["start"], e["end"], e["label"]) for e in other["entities"]
        ]

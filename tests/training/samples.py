"""Invented text, annotated and not, and a random encoder that is small enough to train in a test."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from transformers import BertConfig, BertModel

from zhengling.characters import SPECIAL_TOKENS, CharacterVocabulary, normalise_character
from zhengling.formats.bulletin import parse
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence
from zhengling_training.config import load_recipe
from zhengling_training.convert_e5 import character_tokenizer
from zhengling_training.encoder_files import TOKENIZER, save_encoder
from zhengling_training.finetune import FinetuneRecipe
from zhengling_training.ner_heads import HeadsRecipe
from zhengling_training.pretrain import PretrainRecipe

CONFIGS = Path(__file__).parents[2] / "configs"
SCHEME = LabelScheme.from_file(CONFIGS / "schemes" / "zh_bulletin.json")
MSRA = LabelScheme.from_file(CONFIGS / "schemes" / "msra.json")

PLACES = ("青溪县", "柳湾区", "北岭市", "云台镇")
BODIES = ("民政局", "福利院", "慈善总会", "救助站")
PEOPLE = ("赵青山", "钱小河", "孙一鸣", "周晓岚")
DAYS = ("3月5日", "今年6月", "2024年底", "上半年")
WORK = (("养老", "elderly", "高龄老年人"), ("殡葬", "funeral", "逝者家属"), ("助残", "disability", "残疾人"))


def invented_lines(count: int, *, seed: int = 0) -> list[str]:
    """Lines of running text; the same seed gives the same lines."""
    random = Random(seed)
    return [_line(random) for _ in range(count)]


def _line(random: Random) -> str:
    place, body, person, day = map(random.choice, (PLACES, BODIES, PEOPLE, DAYS))
    work, _, group = random.choice(WORK)
    amount = random.randrange(100, 1000)
    return f"{day}，{place}{body}开展{work}服务，惠及{group}{amount}人。{person}要求各地做好{work}工作。"


def invented_bulletins(count: int, *, seed: int = 0) -> list[Bulletin]:
    """Annotated bulletins of the scheme ``zh_bulletin``."""
    random = Random(seed)
    return [parse(_bulletin(random), identifier=f"invented-{number}") for number in range(count)]


def _bulletin(random: Random) -> str:
    place, body, person, day = map(random.choice, (PLACES, BODIES, PEOPLE, DAYS))
    (work, domain, group), (also, other, others) = random.choice(WORK), random.choice(WORK)
    return f"""date: 2024-03-05

OTHER | | [{place}{body}](ORG)部署{work}工作

REPORT | {domain} | [{day}](DATE)，[{place}{body}](ORG)开展{work}服务，惠及[{group}](GROUP)。
CONTEXT | | [{person}](PERSON)指出，这项工作很有意义。
DIRECTIVE | {other} | 各地要为[{others}](GROUP)做好{also}服务，[{day}](DATE)前完成。
"""


def plain_names(bulletins: Iterable[Bulletin]) -> list[Bulletin]:
    """The same bulletins in the scheme ``msra``: names only, sentences without labels."""
    labels = {"PERSON": "PER", "ORG": "ORG"}
    return [
        replace(
            bulletin,
            entities=tuple(
                Entity(e.start, e.end, labels[e.label]) for e in bulletin.entities if e.label in labels
            ),
            sentences=tuple(Sentence(s.start, s.end) for s in bulletin.sentences),
        )
        for bulletin in bulletins
    ]


def tokens() -> list[str]:
    """The tiny vocabulary: every character of the invented text, and the special tokens."""
    seen = "".join([*invented_lines(400), *(b.text for b in invented_bulletins(60)), "0123456789"])
    characters = {normalise_character(character) for character in seen} - {" "}
    return [*SPECIAL_TOKENS, " ", *sorted(characters)]


def make_encoder(folder: Path, *, layers: int = 2, size: int = 32, seed: int = 0) -> Path:
    """Write a random encoder over the tiny vocabulary."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(tokens()),
        hidden_size=size,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * size,
        max_position_embeddings=512,
    )
    tokenizer = character_tokenizer(tokens()).to_str(pretty=True).encode("utf-8")
    save_encoder(BertModel(config, add_pooling_layer=False), folder, tokenizer=tokenizer)
    return folder


def heads_recipe(encoder: Path, sets: dict[str, Any], **changes: object) -> HeadsRecipe:
    """The shipped recipe over other sets, for a tiny run."""
    shipped = load_recipe(CONFIGS / "ner_heads.cfg", HeadsRecipe).model_dump()
    schedule = {"epochs": 4, "encoder_rate": 3e-3, "heads_rate": 1e-2, "batch_characters": 400} | changes
    return HeadsRecipe.model_validate(
        shipped
        | {
            "data": {},
            "sets": sets,
            "encoder": {"start": str(encoder)},
            "windows": {"size": 60, "overlap": 10, "batch_characters": 240},
            "schedule": shipped["schedule"] | schedule,
        }
    )


def set_of(*train: Path, **settings: Any) -> dict[str, Any]:
    return {
        "scheme": str(CONFIGS / "schemes" / "msra.json"),
        "train": [str(path) for path in train],
        **settings,
    }


def vocabulary_of(encoder: Path) -> CharacterVocabulary:
    """The characters of an encoder folder."""
    return CharacterVocabulary.from_tokenizer(encoder / TOKENIZER)


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write a text file."""
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def write_jsonl(path: Path, bulletins: Iterable[Bulletin]) -> Path:
    """Write canonical JSONL."""
    return write_lines(path, (json.dumps(b.to_dict(), ensure_ascii=False) for b in bulletins))


def pretrain_recipe(encoder: Path, corpus: Path, **changes: object) -> PretrainRecipe:
    """The shipped recipe for a tiny run; ``schedule__steps=3`` changes ``schedule.steps``."""
    overrides = {
        "encoder.start": str(encoder),
        "encoder.layers": 2,
        "corpus.files": [str(corpus)],
        "corpus.exclude": [],
        "corpus.row_length": 30,
        "corpus.held_out_rows": 16,
        "schedule.steps": 40,
        "schedule.batch_rows": 8,
        "schedule.warmup_steps": 4,
        "schedule.learning_rate": 1e-2,
        "schedule.evaluate_every": 20,
    }
    overrides |= {key.replace("__", "."): value for key, value in changes.items()}
    return load_recipe(CONFIGS / "pretrain.cfg", PretrainRecipe, overrides=overrides)


def finetune_recipe(encoder: Path, data: Path, **changes: object) -> FinetuneRecipe:
    """The shipped recipe for a tiny run; ``schedule__epochs=3`` changes ``schedule.epochs``."""
    overrides = finetune_overrides(encoder, data, **changes)
    return load_recipe(CONFIGS / "zh_bulletin_sm.cfg", FinetuneRecipe, overrides=overrides)


def finetune_overrides(encoder: Path, data: Path, **changes: object) -> dict[str, Any]:
    """What a tiny run changes of the shipped recipe."""
    overrides: dict[str, Any] = {
        "data.scheme": str(CONFIGS / "schemes" / "zh_bulletin.json"),
        "data.train": [str(data)],
        "data.corrections": [],
        "data.detached": [],
        "data.held_out": 0.3,
        "encoder.start": str(encoder),
        "heads.size": 16,
        "windows.size": 60,
        "windows.overlap": 10,
        "windows.batch_characters": 240,
        "schedule.epochs": 3,
        "schedule.restarts": 0,
        "schedule.batch_windows": 4,
        "schedule.encoder_rate": 3e-3,
        "schedule.heads_rate": 1e-2,
    }
    return overrides | {key.replace("__", "."): value for key, value in changes.items()}

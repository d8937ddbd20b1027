"""Speed of pipelines and of other tools: characters per CPU-second, loading, memory, growth with length.

    python benchmarks/speed.py measure CORPUS --model zh_bulletin_sm=models/zh_bulletin_sm \\
        --peers-python PEERS/bin/python --data DATA
    python benchmarks/speed.py page

CORPUS is a folder with the files that ``speed_corpus.json`` pins. Each system is a process of one thread;
rounds are interleaved, so that what else the machine does meets all of them. ``measure`` keeps what it found
in ``speed.json``; ``page`` puts it into ``speed.md`` and draws ``speed.svg``.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from zhengling.errors import DataError, ZhenglingError
from zhengling.files import write_text
from zhengling.formats import read_bulletins
from zhengling.schema import Bulletin
from zhengling_training.evaluation.facts import digest, machine, now, versions
from zhengling_training.network_weights import read_graph

HERE = Path(__file__).parent
WORKER, PINS = HERE / "speed_worker.py", HERE / "speed_corpus.json"
RESULTS, PAGE, PICTURE = HERE / "speed.json", HERE / "speed.md", HERE / "speed.svg"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
OURS, TORCH = "zhengling", ("zhengling_torch", "zhengling_bf16")
PEERS = ("jieba", "jiagu", "lac")
LABELS = ("PERSON", "LOC", "ORG")

app = typer.Typer(pretty_exceptions_enable=False)


@dataclass(frozen=True)
class System:
    """What is measured: a system of the worker, with a model where it takes one."""

    name: str
    kind: str
    python: str = sys.executable
    model: str = ""


@dataclass
class Worker:
    """A running system."""

    process: subprocess.Popen[str]
    loading: dict[str, Any] = field(default_factory=dict)

    def ask(self, texts: Sequence[str]) -> dict[str, Any]:
        """Have texts read.

        Raises:
            ZhenglingError: the process ended.
        """
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(list(texts)) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line that the process says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise ZhenglingError(f"the process ended with status {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@app.command()
def measure(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    corpus: Annotated[Path, typer.Argument(help="Folder with the pinned files.")],
    models: Annotated[list[str], typer.Option("--model", help="NAME=PATH of a pipeline.")],
    data: Annotated[Path, typer.Option(help="Annotated bulletins, for F1 of persons, places and bodies.")],
    peers_python: Annotated[
        str, typer.Option(help="Python of the environment with the peers.")
    ] = sys.executable,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved passes.")] = 3,
    characters: Annotated[
        int, typer.Option(min=1000, help="In the long text and in the short ones.")
    ] = 20_000,
    longest: Annotated[int, typer.Option(min=1000, help="Of the texts that show growth.")] = 100_000,
    torch: Annotated[bool, typer.Option("--torch", help="PyTorch's backends and BERT-base, too.")] = False,
) -> None:
    """Measure all systems and keep the results."""
    pinned = read_pins(corpus)
    texts = {"long": [pinned["long"][:characters]], "short": _until(pinned["short"].splitlines(), characters)}
    systems = list(_systems(models, peers_python, torch=torch))
    gold = list(read_bulletins(data))
    results: dict[str, Any] = {}
    with ExitStack() as stack:
        workers = {system.name: _start(system, stack, results) for system in systems}
        running = {name: worker for name, worker in workers.items() if worker is not None}
        _rounds(running, texts, results, rounds=rounds)
        for name, worker in running.items():
            answer = worker.ask([bulletin.text for bulletin in gold])
            results[name]["f1"] = names_f1(gold, answer["spans"])
            results[name]["memory"] = answer["memory"]
    for system in systems:
        if system.kind == OURS:
            results[system.name]["growth"] = _growth(system, pinned["long"], longest=longest)
            results[system.name]["operations"] = asdict(operations(system.model))
    facts = {"date": now(), "machine": asdict(machine()), "versions": versions(), "peak": sgemm_peak()}
    settings = {"rounds": rounds, "characters": characters, "data": digest(data)}
    content = {**facts, **settings, "systems": results}
    write_text(RESULTS, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def read_pins(corpus: Path) -> dict[str, str]:
    """The pinned texts by their role.

    Raises:
        DataError: a file is missing or not the one that is pinned.
    """
    found = {}
    for role, pin in json.loads(PINS.read_text(encoding="utf-8")).items():
        path = corpus / pin["file"]
        if not path.is_file():
            raise DataError("missing; the corpus must hold it", path=path)
        if digest(path) != pin["sha256"]:
            raise DataError("not the file that is pinned: its sha256 is another", path=path)
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            if "shortest" in pin:
                long_enough = (line.strip() for line in lines if len(line.strip()) >= pin["shortest"])
                found[role] = "\n".join(islice(long_enough, 20_000))
            else:
                found[role] = lines.read()
    return found


def _until(lines: Iterable[str], characters: int) -> list[str]:
    found: list[str] = []
    count = 0
    for line in lines:
        if count >= characters:
            break
        found.append(line)
        count += len(line)
    return found


def _systems(models: Iterable[str], peers_python: str, *, torch: bool) -> Iterator[System]:
    for entry in models:
        name, equals, path = entry.partition("=")
        if not equals:
            raise ZhenglingError(f"--model {entry}: expected NAME=PATH")
        yield System(name, OURS, model=path)
    first = models[0].partition("=")  # type: ignore[index]
    if torch:
        for kind in TORCH:
            yield System(f"{first[0]} ({kind.removeprefix('zhengling_')})", kind, model=first[2])
        yield System("BERT-base, random weights, Hugging Face", "bert_base")
    for peer in PEERS:
        yield System(peer, peer, python=peers_python)


def _start(system: System, stack: ExitStack, results: dict[str, Any]) -> Worker | None:
    """Start a system; one that doesn't run is noted with its last line of complaint."""
    complaints = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115
    process = stack.enter_context(
        subprocess.Popen(
            [system.python, str(WORKER), system.kind, system.model],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
            text=True,
        )
    )
    worker = Worker(process)
    try:
        loading = worker.answer()
    except ZhenglingError:
        complaints.seek(0)
        complaint = (complaints.read().strip().splitlines() or ["no reason given"])[-1]
        results[system.name] = {"kind": system.kind, "missing": complaint}
        return None
    results[system.name] = {"kind": system.kind, "load": loading, "long": [], "short": []}
    stack.callback(_stop, process)
    return worker


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def _rounds(
    workers: Mapping[str, Worker], texts: Mapping[str, list[str]], results: dict[str, Any], *, rounds: int
) -> None:
    for _ in range(rounds):
        for role, chosen in texts.items():
            characters = sum(map(len, chosen))
            for name, worker in workers.items():
                answer = worker.ask(chosen)
                answer.pop("spans")
                results[name][role].append(answer | {"characters": characters})


def _growth(system: System, text: str, *, longest: int) -> dict[str, Any]:
    """CPU time per character and peak memory for one document of growing length, the process started anew."""
    found = {}
    with ExitStack() as stack:
        worker = _start(system, stack, {})
        assert worker is not None
        length = 1000
        while length <= longest:
            document = (text * math.ceil(length / len(text)))[:length]
            passes = max(1, 10_000 // length)
            answers = [worker.ask([document]) for _ in range(passes)]
            seconds = statistics.median(answer["cpu"] for answer in answers)
            found[str(length)] = {"microseconds": 1e6 * seconds / length, "memory": answers[-1]["memory"]}
            length *= 10
    return found


def names_f1(gold: Sequence[Bulletin], found: Sequence[Sequence[Sequence[Any]]]) -> float:
    """Strict F1 over persons, places and bodies; other tools know no other labels."""
    right = wanted = given = 0
    for bulletin, spans in zip(gold, found, strict=True):
        true = {(e.start, e.end, e.label) for e in bulletin.entities if e.label in LABELS}
        guess = {(start, end, label) for start, end, label in spans}
        right, wanted, given = right + len(true & guess), wanted + len(true), given + len(guess)
    return 2 * right / (wanted + given) if wanted + given else 0.0


@dataclass(frozen=True)
class Operations:
    """Floating-point operations of a network: for each character read, and for each pair in attention."""

    character: int
    pair: int


def operations(model: str) -> Operations:
    """Count them from the parameters of a pipeline."""
    network = read_graph((Path(model) / "bulletin_encoder" / "encoder.onnx").read_bytes())
    products = [
        value.size
        for name, value in network.parameters.items()
        if value.ndim == 2 and "embeddings" not in name
    ]
    size = len(network.parameters["tagger.weight"][0])
    return Operations(character=2 * sum(products), pair=4 * size * network.layers)


def sgemm_peak(*, size: int = 1024, passes: int = 5) -> float:
    """Floating-point operations per CPU-second of numpy's product of matrices, the best of some passes."""
    matrix = np.random.default_rng(0).random((size, size), np.float32)
    best = math.inf
    for _ in range(passes):
        start = time.process_time()
        matrix @ matrix
        best = min(best, time.process_time() - start)
    return 2 * size**3 / best


@app.command()
def page() -> None:
    """Put the results into the page and draw the picture."""
    from speed_page import picture, tables  # noqa: PLC0415 - beside this script

    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    write_text(PAGE, "\n".join([f"{before}{BEGIN}", *tables(content), f"{END}{after}"]))
    write_text(PICTURE, picture(content))


if __name__ == "__main__":
    try:
        app()
    except ZhenglingError as error:
        raise SystemExit(f"error: {error}") from error

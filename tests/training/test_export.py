from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from tests.conftest import MODEL
from tests.training.samples import SCHEME, invented_bulletins, invented_lines, tokens

import zhengling
from zhengling.characters import CharacterVocabulary
from zhengling.components import bulletin_of
from zhengling.encoder import BulletinEncoder, Floats, OnnxBackend, WindowSettings
from zhengling.errors import ZhenglingError
from zhengling.schema import faults
from zhengling_training.calibrate import Calibration
from zhengling_training.convolution import ConvolutionConfig, start_convolution
from zhengling_training.encoder_files import TOKENIZER, load_encoder
from zhengling_training.export import (
    TorchBackend,
    build_pipeline,
    network_of,
    numpy_heads,
    save_pipeline,
    to_onnx,
)
from zhengling_training.model import BulletinModel
from zhengling_training.network_graph import write_graph
from zhengling_training.network_weights import read_graph
from zhengling_training.products import PRODUCTS

Ids = NDArray[np.int64]
SHAPES = [(1,), (2,), (9,), (31, 31), (40, 7, 1), (254, 3), (5, 200, 60, 61, 62)]


@pytest.fixture(scope="module", params=["layers", "convolutions", "pairs"])
def network(encoder: Path, request: pytest.FixtureRequest) -> BulletinModel:
    """Random, with weights large enough that all layers tell."""
    torch.manual_seed(4)
    found = load_encoder(encoder)
    table = found.embeddings.word_embeddings.weight
    pairs = 50 if request.param == "pairs" else 0
    sizes = ConvolutionConfig(len(table), 24, 40, (1, 2, 4), pairs=pairs, pair_size=8, dropout=0.1)
    chosen = found if request.param == "layers" else start_convolution(table, sizes)
    model = BulletinModel(chosen, SCHEME, head_size=16, dropout=0.1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(4)
    return model.eval()


@pytest.fixture(scope="module")
def exported(network: BulletinModel) -> bytes:
    return to_onnx(network)


@pytest.fixture(scope="module", params=["blocks", "rows"])
def quantised(network: BulletinModel, request: pytest.FixtureRequest) -> bytes:
    return to_onnx(network, form=request.param)


def windows(lengths: tuple[int, ...], *, seed: int = 0, even: bool = False) -> tuple[Ids, Ids]:
    """Ids and mask of random windows; ``even`` pads as ``BulletinEncoder`` does."""
    random = np.random.default_rng(seed)
    longest = max(lengths) + 2
    ids = np.zeros((len(lengths), longest + (longest % 2 if even else 0)), np.int64)
    mask = np.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, : length + 2] = random.integers(5, len(tokens()), length + 2)
        mask[row, : length + 2] = 1
    return ids, mask


def gap(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max())


@pytest.mark.parametrize("lengths", SHAPES)
def test_the_exported_network_agrees_with_torch(
    network: BulletinModel, exported: bytes, lengths: tuple[int, ...]
) -> None:
    ids, mask = windows(lengths, seed=len(lengths))
    real = mask == 1
    mine, theirs = OnnxBackend(exported, threads=1).run(ids, mask), TorchBackend(network).run(ids, mask)
    for one, other in zip(mine, theirs, strict=True):
        assert one.dtype == np.float32
        assert one.shape == other.shape
        assert gap(one[real], other[real]) <= 1e-4
        assert np.abs(other[real]).max() > 0.5  # there is something to agree on


def test_export_leaves_the_network_as_it_was(network: BulletinModel, exported: bytes) -> None:
    assert getattr(network.encoder.config, "_attn_implementation", "eager") == "eager"
    onnx.checker.check_model(onnx.load_from_string(exported))


@pytest.mark.parametrize("form", list(PRODUCTS))
def test_parameters_come_back_from_every_form(network: BulletinModel, form: str) -> None:
    given = network_of(network)
    found = read_graph(write_graph(given, form=form))
    assert (found.heads, found.epsilon, found.activation) == (given.heads, given.epsilon, given.activation)
    assert set(found.parameters) == set(given.parameters)
    assert write_graph(found, form="fp32") == write_graph(
        read_graph(write_graph(found, form="fp32")), form="fp32"
    )
    for name, value in given.parameters.items():
        if "position_embeddings" in name or "token_type" in name:
            continue  # their sum comes back, see the next test
        assert gap(found.parameters[name], value) <= (0 if form == "fp32" else np.abs(value).max() / 100)


def test_a_network_read_back_says_the_same(network: BulletinModel, exported: bytes) -> None:
    ids, mask = windows((31, 7), seed=5)
    again = OnnxBackend(write_graph(read_graph(exported), form="fp32"), threads=1).run(ids, mask)
    for one, other in zip(again, OnnxBackend(exported, threads=1).run(ids, mask), strict=True):
        assert gap(one, other) == 0


def test_the_default_model_is_read_and_written_in_its_own_form() -> None:
    old = (MODEL / "bulletin_encoder" / "encoder.onnx").read_bytes()
    given = read_graph(old)
    new = write_graph(given, form="rows")
    for name, value in read_graph(new).parameters.items():
        if "attention" in name:
            # A row whose scale is bound by sums of neighbours gets a scale that differs by less than a step.
            step = np.abs(given.parameters[name]).max(axis=-1, keepdims=True) / 100
            assert (np.abs(value - given.parameters[name]) <= step).all(), name
    random = np.random.default_rng(1)
    ids, mask = random.integers(5, 9000, (2, 80)), np.ones((2, 80), np.int64)
    mask[1, 50:] = 0
    one, other = (OnnxBackend(content, threads=1).run(ids, mask) for content in (old, new))
    for mine, theirs in zip(one, other, strict=True):
        assert np.abs(mine - theirs)[mask == 1].mean() < 0.05 * np.abs(theirs[mask == 1]).mean()


@pytest.mark.parametrize("content", [b"", b"not a model", onnx.ModelProto().SerializeToString()])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(ZhenglingError, match="not an ONNX model of a bulletin encoder"):
        read_graph(content)


def test_a_network_without_its_table_of_characters_is_refused(quantised: bytes) -> None:
    model = onnx.load_from_string(quantised)
    for tensor in list(model.graph.initializer):
        if tensor.name.startswith("encoder.embeddings.word_embeddings"):
            model.graph.initializer.remove(tensor)
    with pytest.raises(ZhenglingError, match=r"not an ONNX model of a bulletin encoder: .*word_embeddings"):
        read_graph(model.SerializeToString())


def test_an_activation_that_cannot_be_exported_is_named(encoder: Path) -> None:
    torch.manual_seed(4)
    model = BulletinModel(load_encoder(encoder), SCHEME, head_size=16, dropout=0.1)
    model.encoder.config.hidden_act = "relu"
    with pytest.raises(ZhenglingError, match="'relu'"):
        to_onnx(model)


@pytest.mark.parametrize("lengths", SHAPES)
def test_the_quantised_network_is_near(exported: bytes, quantised: bytes, lengths: tuple[int, ...]) -> None:
    ids, mask = windows(lengths, seed=7, even=True)
    real = mask == 1
    (_, exact), (_, near) = (OnnxBackend(m, threads=1).run(ids, mask) for m in (exported, quantised))
    one, other = exact[real], near[real]
    cosine = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    assert cosine.min() > 0.99
    assert cosine.mean() > 0.999


def test_quantised_weights_are_small(exported: bytes, quantised: bytes) -> None:
    assert len(quantised) < len(exported)
    graph = onnx.load_from_string(quantised).graph
    assert {node.op_type for node in graph.node} & {"MatMulNBits", "MatMulIntegerToFloat"}
    kept = {t.name for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT and len(t.dims) == 2}
    assert not [name for name in kept if "word_embeddings.weight" in name and not name.endswith(".scale")]


@pytest.mark.parametrize("lengths", SHAPES)
def test_a_quantised_window_does_not_depend_on_its_batch(quantised: bytes, lengths: tuple[int, ...]) -> None:
    backend = OnnxBackend(quantised, threads=1)
    ids, mask = windows(lengths, seed=3, even=True)
    together = backend.run(ids, mask)
    for row, length in enumerate(lengths):
        size = length + 2 + length % 2
        alone = backend.run(ids[row : row + 1, :size], mask[row : row + 1, :size])
        for joined, single in zip(together, alone, strict=True):
            assert gap(joined[row, : length + 2], single[0, : length + 2]) <= 1e-5


def test_a_quantised_text_does_not_depend_on_its_company(
    quantised: bytes, vocabulary: CharacterVocabulary
) -> None:
    texts = [*invented_lines(6), *(b.text for b in invented_bulletins(3)), "民", "".join(invented_lines(9))]
    spans = [[(0, len(text))] for text in texts]
    encoder = BulletinEncoder(OnnxBackend(quantised, threads=1), vocabulary, WindowSettings(60, 10, 300))
    together = encoder.encode(texts, spans)
    for text, span, joined in zip(texts, spans, together, strict=True):
        (alone,) = encoder.encode([text], [span])
        assert gap(joined.emissions, alone.emissions) <= 1e-5
        assert gap(joined.sentences, alone.sentences) <= 1e-5


def test_numpy_heads_agree_with_torch(network: BulletinModel) -> None:
    pooled = torch.randn(
        20, 2 * network.encoder.config.hidden_size, generator=torch.Generator().manual_seed(1)
    )
    heads = numpy_heads(network)
    assert list(heads) == ["functions", "domains"]
    for name, head in heads.items():
        with torch.inference_mode():
            expected = network.heads[name](pooled).numpy()
        assert gap(head(pooled.numpy().astype(np.float64)), expected) < 1e-4


def test_a_pipeline_survives_the_disk(
    network: BulletinModel, quantised: bytes, encoder: Path, tmp_path: Path
) -> None:
    heads = numpy_heads(network)
    nlp = build_pipeline(
        model=quantised,
        tokenizer=(encoder / TOKENIZER).read_bytes(),
        heads=heads,
        calibration=Calibration(1.5, dict.fromkeys(heads, 2.0), dict.fromkeys(SCHEME.domain_names, 0.4)),
        scheme=SCHEME,
        windows=WindowSettings(60, 10, 300),
        meta={"name": "tiny", "version": "1.2.3"},
    )
    save_pipeline(nlp, tmp_path / "tiny")
    loaded = zhengling.load(tmp_path / "tiny", threads=1)
    assert loaded.pipe_names == nlp.pipe_names
    assert (loaded.meta["name"], loaded.meta["version"], loaded.lang) == ("tiny", "1.2.3", "zh")
    settings = loaded.get_pipe("bulletin_encoder").settings  # type: ignore[attr-defined]
    assert settings == WindowSettings(60, 10, 300)
    for bulletin in invented_bulletins(3):
        first, second = (bulletin_of(pipeline(bulletin.text)) for pipeline in (nlp, loaded))
        assert first == second
        assert list(faults(first, scheme=SCHEME)) == []


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A stand-in for a full disk; Python ignores the signal and raises the error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_pipeline_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "config.cfg").write_text("old", encoding="utf-8")
    nlp = build_pipeline(
        model=b"",
        tokenizer=b"",
        heads={},
        calibration=Calibration(1.0, {}, {}),
        scheme=SCHEME,
        windows=WindowSettings(),
        meta={"name": "tiny", "description": "d" * 20_000},
    )
    with files_of_at_most(10_000), pytest.raises(OSError, match="File too large"):
        save_pipeline(nlp, tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old" / "config.cfg").read_text(encoding="utf-8") == "old"

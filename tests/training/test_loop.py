from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from zhengling.errors import ZhenglingError
from zhengling_training.config import Section
from zhengling_training.loop import (
    LoopSettings,
    Share,
    adamw,
    computes_in_bf16,
    cosine_rate,
    recipe_hash,
    restarting_rate,
    run_loop,
)

STEPS = 12


class Toy(nn.Module):
    """A network with dropout, so that the random state matters."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.GELU(), nn.Linear(8, 2))

    def forward(self, values: Tensor) -> Tensor:
        return self.layers(values)


class EndedError(Exception):
    """Stands for a process that is ended from outside."""


def loss_of(model: nn.Module, share: Share, device: torch.device) -> Tensor:
    """Rows that follow from the step; a share takes its part of them."""
    rows = torch.randn(8, 4, generator=torch.Generator().manual_seed(share.step))
    return model(rows.chunk(share.places)[share.place].to(device)).square().mean()


def observe(model: nn.Module, step: int) -> dict[str, Any]:
    model.eval()
    with torch.inference_mode():
        return {"measure": model(torch.ones(1, 4)).sum().item()}


def run(
    folder: Path,
    *,
    recipe: str = "one",
    model: nn.Module | None = None,
    watch: Callable[[nn.Module, int], dict[str, Any]] = observe,
    **options: Any,
) -> tuple[nn.Module, list[dict[str, Any]]]:
    """Train the toy; the curve comes without its seconds."""
    model = model or Toy()
    settings = {"steps": STEPS, "seed": 1, "checkpoint_minutes": 0.0, "observe_every": 3, **options}
    record = run_loop(
        model,
        adamw([(model, 0.05)], weight_decay=0.1),
        settings=LoopSettings(rate_at=lambda step: 1 / (1 + step), **settings),
        loss_of=loss_of,
        observe=watch,
        output=folder,
        recipe_hash=recipe,
    )
    return model, [{k: v for k, v in seen.items() if k != "seconds"} for seen in record["curve"]]


def same(one: nn.Module, other: nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())


@given(steps=st.integers(2, 500), share=st.floats(0, 0.9), final=st.floats(0, 1), step=st.integers(0, 600))
def test_cosine_rate_rises_then_falls_to_its_end(steps: int, share: float, final: float, step: int) -> None:
    warmup = int(share * steps)

    def rate(at: int) -> float:
        return cosine_rate(at, steps=steps, warmup=warmup, final=final)

    assert 0 <= rate(step) <= 1 + 1e-12
    if step < warmup:
        assert rate(step) == pytest.approx((step + 1) / warmup)
    else:
        assert final - 1e-12 <= rate(step + 1) <= rate(step) + 1e-12
    assert rate(warmup) == pytest.approx(1.0)
    assert rate(steps) == pytest.approx(final)


def test_cosine_rate_is_half_way_in_the_middle() -> None:
    assert cosine_rate(60, steps=100, warmup=20, final=0.2) == pytest.approx(0.6)
    assert cosine_rate(40, steps=100, warmup=20, final=0.0) == pytest.approx((1 + math.cos(math.pi / 4)) / 2)


@given(
    first=st.integers(2, 200), cycle=st.integers(1, 100), restarts=st.integers(1, 4), peak=st.floats(0.1, 1)
)
def test_rates_restart_at_the_peak_and_fall_in_every_cycle(
    first: int, cycle: int, restarts: int, peak: float
) -> None:
    rates = [
        restarting_rate(step, first=first, warmup=1, cycle=cycle, peak=peak, final=0.05)
        for step in range(first + restarts * cycle)
    ]
    assert rates[:first] == [cosine_rate(step, steps=first, warmup=1, final=0.05) for step in range(first)]
    for begin in range(first, len(rates), cycle):
        own = rates[begin : begin + cycle]
        assert own[0] == pytest.approx(peak)
        assert own == sorted(own, reverse=True)
        assert own[-1] >= 0.05


def test_observations_come_at_their_steps_and_at_the_end(tmp_path: Path) -> None:
    _, curve = run(tmp_path, observe_every=5)
    assert [seen["step"] for seen in curve] == [5, 10, 12]


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    _, curve = run(tmp_path, steps=40, observe_every=1)
    losses = [seen["loss"] for seen in curve]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_the_same_seed_gives_the_same_run_and_another_does_not(tmp_path: Path) -> None:
    first, curve = run(tmp_path / "a")
    second, again = run(tmp_path / "b")
    third, _ = run(tmp_path / "c", seed=2)
    assert same(first, second)
    assert curve == again
    assert not same(first, third)


@pytest.mark.parametrize("at", [1, 3, 7, STEPS])
def test_an_ended_run_goes_on_as_if_it_had_not_been(tmp_path: Path, at: int) -> None:
    whole, curve = run(tmp_path / "whole", observe_every=1)

    def ends(model: nn.Module, step: int) -> dict[str, Any]:
        if step == at:
            raise EndedError
        return observe(model, step)

    with pytest.raises(EndedError):
        run(tmp_path / "ended", watch=ends, observe_every=1)
    resumed, joined = run(tmp_path / "ended", observe_every=1)
    assert same(whole, resumed)
    assert joined == curve


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    first, curve = run(tmp_path)

    def never(model: nn.Module, step: int) -> dict[str, Any]:
        raise AssertionError(step)

    second, again = run(tmp_path, watch=never)
    assert same(first, second)
    assert again == curve


def test_seconds_add_up_over_a_resumed_run(tmp_path: Path) -> None:
    def ends(model: nn.Module, step: int) -> dict[str, Any]:
        if step == 6:
            raise EndedError
        return {}

    options = {"settings": LoopSettings(STEPS, 1, lambda _: 1.0, checkpoint_minutes=0.0, observe_every=3)}
    common = {"loss_of": loss_of, "output": tmp_path, "recipe_hash": "x", **options}
    with pytest.raises(EndedError):
        model = Toy()
        run_loop(model, adamw([(model, 0.1)], weight_decay=0.0), observe=ends, **common)  # type: ignore[arg-type]
    model = Toy()
    record = run_loop(model, adamw([(model, 0.1)], weight_decay=0.0), observe=observe, **common)  # type: ignore[arg-type]
    seconds = [seen["seconds"] for seen in record["curve"]]
    assert seconds == sorted(seconds)
    assert record["seconds"] == seconds[-1] > 0


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(ZhenglingError, match="holds checkpoints of another recipe; choose another folder"):
        run(tmp_path, recipe="two")


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(ZhenglingError, match="another architecture"):
        run(tmp_path, model=nn.Sequential(nn.Linear(4, 2)))


def test_accumulated_shares_make_the_step_of_the_whole_batch(tmp_path: Path) -> None:
    models = [run(tmp_path / str(parts), model=nn.Linear(4, 2, bias=False), steps=0)[0] for parts in (1, 4)]
    models[1].load_state_dict(models[0].state_dict())
    curves = [
        run(tmp_path / f"run-{parts}", model=model, accumulate=parts)[1]
        for parts, model in zip((1, 4), models, strict=True)
    ]
    for one, four in zip(*curves, strict=True):
        assert one == pytest.approx(four, abs=1e-5)
    assert torch.allclose(models[0].weight, models[1].weight, atol=1e-5)  # type: ignore[arg-type]


def test_every_share_of_every_step_is_asked_for_once(tmp_path: Path) -> None:
    asked: list[Share] = []

    def noted(model: nn.Module, share: Share, device: torch.device) -> Tensor:
        asked.append(share)
        return loss_of(model, share, device)

    model = Toy()
    settings = LoopSettings(5, 1, lambda _: 1.0, accumulate=2)
    run_loop(
        model,
        adamw([(model, 0.1)], weight_decay=0.0),
        settings=settings,
        loss_of=noted,
        observe=observe,
        output=tmp_path,
        recipe_hash="x",
    )
    assert asked == [Share(step, place, 2) for step in range(5) for place in range(2)]


def test_gradients_are_clipped(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    run_loop(
        model,
        optimizer,
        settings=LoopSettings(1, 1, lambda _: 1.0),
        loss_of=lambda wrapped, share, device: 1e6 * wrapped(torch.ones(1, 4)).sum(),
        observe=lambda wrapped, step: {},
        output=tmp_path,
        recipe_hash="x",
    )
    assert (model.weight - before).norm() <= 1.0 + 1e-6


def test_decay_on_matrices_only_and_a_rate_for_each_module() -> None:
    first, second = nn.Linear(2, 2), nn.LayerNorm(2)
    groups = adamw([(first, 0.1), (second, 0.2)], weight_decay=0.3).param_groups
    found = {id(p): (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert found[id(first.weight)] == (0.1, 0.3)
    assert found[id(first.bias)] == (0.1, 0.0)
    assert found[id(second.weight)] == found[id(second.bias)] == (0.2, 0.0)
    assert len(found) == 4


class _Recipe(Section):
    rate: float = 1.0
    name: str = "a"


def test_the_hash_follows_the_values() -> None:
    assert recipe_hash(_Recipe()) == recipe_hash(_Recipe(rate=1.0, name="a"))
    assert len({recipe_hash(_Recipe()), recipe_hash(_Recipe(rate=2.0)), recipe_hash(_Recipe(name="b"))}) == 3


@pytest.mark.parametrize(("precision", "expected"), [("no", False), ("bf16", True)])
def test_precision_as_it_is_said(precision: str, expected: bool) -> None:
    assert computes_in_bf16(precision, torch.device("cpu")) is expected


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="the processor's flags are read from Linux")
def test_bf16_without_instructions_for_it_is_not_chosen() -> None:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    expected = "avx512_bf16" in flags or "amx_bf16" in flags
    assert computes_in_bf16("auto", torch.device("cpu")) is expected

from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.samples import CONFIGS, write_lines

from zhengling.errors import ZhenglingError
from zhengling_training.config import Section, load_recipe
from zhengling_training.finetune import FinetuneRecipe
from zhengling_training.ner_heads import HeadsRecipe
from zhengling_training.pretrain import PretrainRecipe


class Where(Section):
    """A section with a key that must be given."""

    start: str
    layers: int | None = None


class How(Section):
    """A section in which all keys have defaults."""

    rate: float = 0.5
    seed: int = 1
    files: list[str] = []


class Recipe(Section):
    """Two sections."""

    where: Where
    how: How = How()


def written(folder: Path, *lines: str) -> Path:
    return write_lines(folder / "some.cfg", lines)


def message_of(path: Path, **options: object) -> str:
    with pytest.raises(ZhenglingError) as caught:
        load_recipe(path, Recipe, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_values_and_defaults(tmp_path: Path) -> None:
    path = written(tmp_path, "[where]", 'start = "here"', "[how]", "rate = 2", 'files = ["a", "b"]')
    expected = Recipe(where=Where(start="here"), how=How(rate=2.0, files=["a", "b"]))
    assert load_recipe(path, Recipe) == expected


@pytest.mark.parametrize(
    "path, kind",
    [
        ("pretrain", PretrainRecipe),
        ("zh_bulletin_sm", FinetuneRecipe),
        ("zh_bulletin_corpus", FinetuneRecipe),
        ("own_labels", FinetuneRecipe),
        ("zh_bulletin_base", FinetuneRecipe),
        ("zh_bulletin_large", FinetuneRecipe),
        ("ner_heads", HeadsRecipe),
        ("probe", HeadsRecipe),
    ],
)
def test_the_shipped_recipes_are_sound(path: str, kind: type[Section]) -> None:
    assert isinstance(load_recipe(CONFIGS / f"{path}.cfg", kind), kind)


def test_overrides_win(tmp_path: Path) -> None:
    path = written(tmp_path, "[where]", 'start = "here"', "[how]", "seed = 3")
    recipe = load_recipe(path, Recipe, overrides={"how.seed": 7, "where.layers": 2})
    assert (recipe.how.seed, recipe.where.layers, recipe.where.start) == (7, 2, "here")


def test_unknown_key_names_itself_and_the_nearest(tmp_path: Path) -> None:
    message = message_of(written(tmp_path, "[where]", 'start = "x"', "[how]", "raet = 0.1"))
    assert "unknown key how.raet" in message
    assert "did you mean how.rate?" in message
    assert "some.cfg" in message


def test_unknown_key_far_from_all_lists_the_known(tmp_path: Path) -> None:
    message = message_of(written(tmp_path, "[where]", 'start = "x"', "[how]", "zzzzzz = 0.1"))
    assert "unknown key how.zzzzzz, known: rate, seed, files" in message


def test_unknown_section_names_the_nearest(tmp_path: Path) -> None:
    message = message_of(written(tmp_path, "[where]", 'start = "x"', "[hows]", "seed = 1"))
    assert "unknown key hows, did you mean how?" in message


def test_unknown_override_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, "[where]", 'start = "x"', "[how]", "seed = 1")
    assert "how.sed, did you mean how.seed?" in message_of(path, overrides={"how.sed": 3})


def test_missing_key_is_named(tmp_path: Path) -> None:
    assert "missing key where.start" in message_of(written(tmp_path, "[where]", "layers = 2"))


def test_missing_section_is_named(tmp_path: Path) -> None:
    assert "missing key where" in message_of(written(tmp_path, "[how]", "seed = 2"))


@pytest.mark.parametrize("value", ['"1"', "1.5", "true", "null"])
def test_types_are_not_bent(tmp_path: Path, value: str) -> None:
    message = message_of(written(tmp_path, "[where]", 'start = "x"', "[how]", f"seed = {value}"))
    assert "how.seed: " in message
    assert ", got " in message


def test_wrong_type_in_a_list_names_its_place(tmp_path: Path) -> None:
    message = message_of(written(tmp_path, "[where]", 'start = "x"', "[how]", 'files = ["a", 2]'))
    assert "how.files.1" in message
    assert "got 2" in message


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    message = message_of(written(tmp_path, "[where]", "layer = 2", "[how]", 'rate = "fast"'))
    for part in ("missing key where.start", "did you mean where.layers?", "how.rate: "):
        assert part in message


def test_no_such_file(tmp_path: Path) -> None:
    message = message_of(tmp_path / "none.cfg")
    assert "none.cfg: can't read the recipe" in message


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    assert f"{tmp_path}: can't read the recipe" in message_of(tmp_path)


@pytest.mark.parametrize(
    "lines",
    [
        ["start = 1"],
        ["[where"],
        ["[where]", "start"],
        ["[where]", "start = ${none.key}"],
        ["{}"],
        ["[where.deep.deeper]", "x = 1"],
    ],
)
def test_bad_syntax_is_one_line_that_names_the_file(tmp_path: Path, lines: list[str]) -> None:
    message = message_of(written(tmp_path, *lines))
    assert message.startswith(str(tmp_path / "some.cfg"))
    assert "\n" not in message


@pytest.mark.parametrize("again", ['start = "b"', '[where]\nstart = "b"'])
def test_a_key_or_section_given_twice_is_refused(tmp_path: Path, again: str) -> None:
    message = message_of(written(tmp_path, "[where]", 'start = "a"', again))
    assert "some.cfg: not a recipe" in message


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.cfg"
    path.write_bytes('[where]\nstart = "政令"\n'.encode("gb18030"))
    assert "some.cfg: not a recipe" in message_of(path)


@pytest.mark.parametrize("overrides", [{"seed": 1}, {"nowhere.seed": 1}, {"where.start.deep": 1}])
def test_overrides_that_lead_nowhere_are_refused(tmp_path: Path, overrides: dict[str, object]) -> None:
    path = written(tmp_path, "[where]", 'start = "x"', "[how]", "seed = 1")
    assert "some.cfg" in message_of(path, overrides=overrides)


def test_an_override_without_its_section_names_the_whole_key(tmp_path: Path) -> None:
    path = written(tmp_path, "[where]", 'start = "x"', "[how]", "seed = 1")
    assert message_of(path, overrides={"seed": 1}).endswith(
        "--set seed: no key of the recipe, did you mean how.seed?"
    )


def test_a_recipe_cannot_be_changed(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, "[where]", 'start = "x"'), Recipe)
    with pytest.raises(ValueError, match="frozen"):
        recipe.where = Where(start="y")

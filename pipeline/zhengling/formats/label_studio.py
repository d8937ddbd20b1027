"""Label Studio's JSON: a list of tasks with their annotations.

Written for this labelling interface, whose names are the defaults of Label Studio's own template for
named entities::

    <View>
      <Labels name="label" toName="text">      <!-- entities -->
      <Labels name="function" toName="text">   <!-- sentences -->
      <Choices name="domain" toName="text" perRegion="true" choice="multiple" whenTagName="function">
      <Text name="text" value="$text"/>
    </View>

``data`` holds text, id and facts. Entities and sentences are results of type ``labels``; the domains of a
sentence are a result of type ``choices`` with the id of its region (``taxonomy`` is read too, its last
level counts). When reading, labels of any other name are entities, unless the scheme has them as
functions. Without an id in ``data`` the task's id is taken.

Label Studio counts UTF-16 units. ``value.text`` verifies it: if a task doesn't fit, code points are
tried, and if those don't fit either, the task is a fault. Without ``value.text`` offsets are UTF-16.
Cancelled annotations and predictions are passed over; several annotations of one task, and relations, are
faults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.files import write_text
from zhengling.formats.base import Context, Format, Record, make_bulletin
from zhengling.formats.sources import dump_json, foreign_meta, parse_json, read_text, typed
from zhengling.formats.utf16 import span_to_points, to_points, to_units
from zhengling.schema import Bulletin, Entity, Sentence

ENTITY_NAME, FUNCTION_NAME, DOMAIN_NAME, TEXT_NAME = "label", "function", "domain", "text"
_CHOICES = ("choices", "taxonomy")

_Convert = Callable[[int, int], tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class _Region:
    """A labelled range as it stands in the file."""

    identifier: str
    name: str
    labels: tuple[str, ...]
    start: int
    end: int
    surface: str | None


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read an export, in the form called JSON (not JSON-MIN)."""
    try:
        tasks = parse_json(read_text(path))
    except DataError as error:
        raise DataError(error.message, path=path, line=error.line) from error
    if not isinstance(tasks, list):
        raise DataError("expected a list of tasks", path=path)
    for number, task in enumerate(tasks, 1):
        place = f"task {number}"
        try:
            bulletin = _bulletin(task, context, default_id=f"{path.stem}-{number}")
        except DataError as error:
            context.fault(DataError(f"{place}{_named(task)}: {error.message}", path=path))
            continue
        yield Record(bulletin, path, place=place)


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write a list of tasks that Label Studio imports."""
    tasks = ",\n".join(dump_json(_task(bulletin)) for bulletin in bulletins)
    write_text(path, f"[\n{tasks}\n]\n")


def _named(task: Any) -> str:
    """The id of a task, if it has one."""
    return f" (id {task['id']})" if isinstance(task, dict) and "id" in task else ""


def _bulletin(task: Any, context: Context, *, default_id: str) -> Bulletin:
    data = typed(task, "data", dict)
    text = typed(data, "text", str)
    results = _results(task)
    regions = [_region(result) for result in results if result.get("type") == "labels"]
    domains = {_id(result): _choices(result) for result in results if result.get("type") in _CHOICES}
    convert = _counting(text, regions)
    entities, sentences = [], []
    for region in regions:
        start, end = convert(region.start, region.end) or (region.start, region.end)
        if region.name == FUNCTION_NAME or any(map(context.is_function, region.labels)):
            function = region.labels[0] if region.labels else None
            sentences.append(Sentence(start, end, function, domains.pop(region.identifier, ())))
        else:
            entities.append(Entity(start, end, region.labels[0]))
    if domains:
        raise DataError(f"domains of region {next(iter(domains))!r}, which is no sentence")
    meta, strange = foreign_meta(data, known=("id", "text"))
    if strange:
        raise DataError(f"key {strange[0]!r} of data: a bulletin can't carry this; take it out")
    identifier = data.get("id", task.get("id", default_id))
    return make_bulletin(str(identifier), text, entities=entities, sentences=sentences, meta=meta)


def _results(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of a task's one annotation."""
    annotations = [
        annotation
        for annotation in (typed(task, "annotations", list) if "annotations" in task else [])
        if not (isinstance(annotation, dict) and annotation.get("was_cancelled"))
    ]
    if len(annotations) > 1:
        raise DataError(f"{len(annotations)} annotations; keep the one that holds")
    results = typed(annotations[0], "result", list) if annotations else []
    for result in results:
        if typed(result, "type", str) not in ("labels", *_CHOICES):
            raise DataError(f"a result of type {result['type']!r}, which a bulletin can't carry; take it out")
    return results


def _region(result: dict[str, Any]) -> _Region:
    name = typed(result, "from_name", str)
    value = typed(result, "value", dict)
    labels = typed(value, "labels", list)
    surface = typed(value, "text", str) if value.get("text") is not None else None
    one = len(labels) == 1 or (not labels and name == FUNCTION_NAME)
    if not one or not all(isinstance(label, str) for label in labels):
        raise DataError(f"{surface or 'a region'!r} has the labels {labels}; one is needed")
    return _Region(
        identifier=_id(result),
        name=name,
        labels=tuple(labels),
        start=typed(value, "start", int),
        end=typed(value, "end", int),
        surface=surface,
    )


def _id(result: dict[str, Any]) -> str:
    return str(typed(result, "id", str))


def _choices(result: dict[str, Any]) -> tuple[str, ...]:
    """Choices of a region; of a taxonomy's paths the last names."""
    kind = typed(result, "type", str)
    chosen = typed(typed(result, "value", dict), kind, list)
    names = [
        choice[-1] if kind == "taxonomy" and isinstance(choice, list) and choice else choice
        for choice in chosen
    ]
    if not all(isinstance(name, str) for name in names):
        raise DataError(f"expected names in {kind}, got {dump_json(chosen)[:60]}")
    return tuple(dict.fromkeys(names))


def _counting(text: str, regions: list[_Region]) -> _Convert:
    """The reading of offsets that all regions of a task fit: UTF-16 units, else code points."""
    table = to_points(text)

    def by_units(start: int, end: int) -> tuple[int, int] | None:
        return span_to_points(table, start, end)

    def by_points(start: int, end: int) -> tuple[int, int] | None:
        return (start, end) if 0 <= start <= end <= len(text) else None

    misfit = _misfit(text, regions, by_units)
    if misfit is None:
        return by_units
    if _misfit(text, regions, by_points) is None:
        return by_points
    found = by_units(misfit.start, misfit.end)
    raise DataError(
        f"[{misfit.start}, {misfit.end}) should be {misfit.surface!r} but is "
        f"{'out of range' if found is None else repr(text[slice(*found)])}; was the text changed?"
    )


def _misfit(text: str, regions: list[_Region], convert: _Convert) -> _Region | None:
    """The first region that doesn't hold the text it says it does."""
    for region in regions:
        span = convert(region.start, region.end)
        if span is None or (region.surface is not None and not _same(region.surface, text[slice(*span)])):
            return region
    return None


def _same(surface: str, found: str) -> bool:
    """Equal, or so once the line breaks that some versions write as a backslash and an n are real."""
    return found in (surface, surface.replace("\\n", "\n"))


def _task(bulletin: Bulletin) -> dict[str, Any]:
    return {
        "data": {"id": bulletin.id, **bulletin.meta, "text": bulletin.text},
        "annotations": [{"result": list(_write_results(bulletin))}],
    }


def _write_results(bulletin: Bulletin) -> Iterator[dict[str, Any]]:
    units = to_units(bulletin.text)

    def result(
        identifier: str, name: str, kind: str, span: Entity | Sentence, names: list[str]
    ) -> dict[str, Any]:
        value = {
            "start": units[span.start],
            "end": units[span.end],
            "text": bulletin.surface(span),
            kind: names,
        }
        return {"id": identifier, "from_name": name, "to_name": TEXT_NAME, "type": kind, "value": value}

    for number, entity in enumerate(bulletin.entities):
        yield result(f"entity-{number}", ENTITY_NAME, "labels", entity, [entity.label])
    for number, sentence in enumerate(bulletin.sentences):
        function = [] if sentence.function is None else [sentence.function]
        yield result(f"sentence-{number}", FUNCTION_NAME, "labels", sentence, function)
        if sentence.domains:
            yield result(f"sentence-{number}", DOMAIN_NAME, "choices", sentence, list(sentence.domains))


FORMAT = Format("label_studio", (".json",), "Label Studio's JSON, a list of tasks", read, write)

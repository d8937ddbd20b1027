"""Texts and files out of requests, within the limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from zhengling.errors import DataError
from zhengling.formats.documents import Document, read_document
from zhengling.formats.documents.base import facts
from zhengling.formats.sources import parse_json
from zhengling.inputs import Source, name_sources
from zhengling.service import refusals
from zhengling.service.settings import ServiceSettings

JSON, FORM = "application/json", "multipart/form-data"


class TextBody(BaseModel):
    """A text to analyse, with what is known of it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(description="The raw text; offsets in the answer count its code points.", min_length=1)
    id: str = Field(default="text", description="Name of the bulletin.")
    title: str | None = None
    date: str | None = Field(default=None, description="ISO form; relative deadlines are counted from it.")
    source: str | None = None

    def to_source(self) -> Source:
        """As an input of the analysis."""
        meta = facts(title=self.title, date=self.date, source=self.source)
        return Source(id=self.id, place=self.id, text=self.text, meta=meta)


class BatchBody(BaseModel):
    """Texts to analyse."""

    model_config = ConfigDict(extra="forbid", strict=True)

    bulletins: list[TextBody] = Field(min_length=1)


class AnalysedBody(BaseModel):
    """Analysed bulletins, as /v1/analyze/batch answers them."""

    bulletins: list[dict[str, Any]]


class FileForm(BaseModel):
    """Files to analyse: .txt, .md, .html, .docx, .pdf, or .zip of these."""

    file: list[bytes] = Field(json_schema_extra={"items": {"type": "string", "format": "binary"}})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form; of its name nothing but the last part is kept."""

    name: str
    content: bytes


Inputs = list[TextBody] | list[Upload]


async def read_inputs(
    request: Request, *, body: type[TextBody] | type[BatchBody], settings: ServiceSettings
) -> Inputs:
    """Texts of a JSON body, or files of a form.

    Raises:
        Refusal: too large, unreadable, or not what is needed.
    """
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind == FORM:
        return await _uploads(request, settings=settings)
    if kind != JSON:
        raise refusals.Refusal(415, "unsupported", f"content type {kind[:80]!r}: send {JSON} or {FORM}")
    texts = _texts(await read_json(request, settings=settings), body=body)
    if len(texts) > settings.batch_texts:
        raise _too_many(len(texts), settings=settings)
    return texts


async def read_json(request: Request, *, settings: ServiceSettings) -> Any:
    """The value of a JSON body, in UTF-8.

    Raises:
        Refusal: too large, or no JSON.
    """
    content = b"".join([chunk async for chunk in _stream(request, settings=settings)])
    try:
        return parse_json(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise refusals.unreadable(f"not UTF-8 at byte {error.start}; encode the JSON in UTF-8") from error
    except DataError as error:
        raise refusals.unreadable(str(error)) from error


def sources_of(inputs: Inputs, *, settings: ServiceSettings) -> Iterator[Source | DataError]:
    """Sources of texts and files; slow, so for a thread.

    Raises:
        Refusal: a text is too long, or there are too many.
    """
    named = [entry.to_source() for entry in inputs if isinstance(entry, TextBody)]
    uploads = [entry for entry in inputs if isinstance(entry, Upload)]
    found = (one for upload in uploads for one in _documents(upload, settings=settings))
    for number, source in enumerate([*named] or name_sources(found), start=1):
        if number > settings.batch_texts:
            raise _too_many(number, settings=settings)
        yield source if isinstance(source, DataError) else _fit(source, settings=settings)


def _documents(upload: Upload, *, settings: ServiceSettings) -> Iterator[Document | DataError]:
    return read_document(upload.content, place=upload.name, limits=settings.documents)


def _fit(source: Source, *, settings: ServiceSettings) -> Source | DataError:
    length, limit = len(source.text), settings.text_characters
    if length > limit:
        raise refusals.too_large(length, what="characters in a text", limit=limit, name="text_characters")
    if not source.text.strip():
        return DataError("empty: there is no text to analyse", path=source.place)
    return source


def _too_many(count: int, *, settings: ServiceSettings) -> refusals.Refusal:
    return refusals.too_large(
        count, what="texts in a request", limit=settings.batch_texts, name="batch_texts"
    )


async def _stream(request: Request, *, settings: ServiceSettings) -> AsyncGenerator[bytes, None]:
    """The body in chunks, up to the limit, whatever its headers say."""
    limit, size = settings.body_bytes, 0
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit():
        size = int(declared[:20])
    if size > limit:
        raise refusals.too_large(size, what="bytes in the body", limit=limit, name="body_bytes")
    size, chunks = 0, request.stream()
    deadline = asyncio.get_running_loop().time() + settings.timeout_seconds
    try:
        while (chunk := await _within(deadline, chunks)) is not None:
            size += len(chunk)
            if size > limit:
                raise refusals.too_large(size, what="bytes in the body", limit=limit, name="body_bytes")
            yield chunk
    except TimeoutError:
        raise refusals.slow(settings.timeout_seconds) from None
    except ClientDisconnect as error:
        raise refusals.unreadable("the connection was closed before the end of the body") from error


async def _within(deadline: float, chunks: AsyncIterator[bytes]) -> bytes | None:
    """The next chunk, None after the last."""
    async with asyncio.timeout_at(deadline):
        return await anext(chunks, None)


def _texts(data: Any, *, body: type[TextBody] | type[BatchBody]) -> list[TextBody]:
    try:
        checked = body.model_validate(data)
    except ValidationError as error:
        raise refusals.unfit(_said(error)) from error
    return [checked] if isinstance(checked, TextBody) else checked.bulletins


def _said(error: ValidationError) -> str:
    """The first faults with their places and without the values."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    lines = [f"{'.'.join(map(str, one['loc']))[:80] or 'body'}: {one['msg']}" for one in found[:5]]
    return "; ".join(lines)


async def _uploads(request: Request, *, settings: ServiceSettings) -> list[Upload]:
    parser = MultiPartParser(
        Headers(raw=request.headers.raw),
        _stream(request, settings=settings),
        max_files=settings.batch_texts,
        max_fields=settings.batch_texts,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, LookupError) as error:
        raise refusals.unreadable(f"no form that can be read: {str(error)[:200]}") from error
    try:
        entries = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        uploads = [Upload(_base(entry.filename or ""), await entry.read()) for entry in entries]
    finally:
        await form.close()
    if not uploads:
        raise refusals.unfit("file: no file in the form; send it in a field named file")
    return uploads


def _base(name: str) -> str:
    """The last part of a file's name, in characters that can be shown."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(c if c.isprintable() else "�" for c in last)[:200] or "file"

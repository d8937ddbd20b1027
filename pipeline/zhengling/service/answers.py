"""What requests and answers look like, for the API's description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from zhengling.service.requests import FORM, JSON, FileForm

_NUMBER, _TEXT = {"type": "integer", "minimum": 0}, {"type": "string"}
_SCORE = {"type": "number", "minimum": 0, "maximum": 1}


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {**required, **optional}, "required": list(required)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_SPAN = {"start": _NUMBER, "end": _NUMBER}
_MENTION = _object({**_SPAN, "text": _TEXT}, date=_TEXT)
_DIRECTIVE = _object(
    {**_SPAN, "sentence": _NUMBER, "action": _MENTION},
    issuer=_MENTION,
    addressee=_MENTION,
    deadline=_MENTION,
    domains=_list(_TEXT),
    groups=_list(_MENTION),
    documents=_list(_MENTION),
    score=_SCORE,
)
_SENTENCE = _object(
    {**_SPAN, "domains": _list(_TEXT)},
    function=_TEXT,
    scores={"type": "object", "additionalProperties": _SCORE},
)
BULLETIN = _object(
    {
        "id": _TEXT,
        "text": _TEXT,
        "entities": _list(_object({**_SPAN, "label": _TEXT}, score=_SCORE)),
        "sentences": _list(_SENTENCE),
    },
    directives=_list(_DIRECTIVE),
    title=_TEXT,
    date=_TEXT,
    source=_TEXT,
)
BATCH = _object({"bulletins": _list(BULLETIN), "errors": _list(_object({"place": _TEXT, "message": _TEXT}))})
SCHEMA = _object(
    {"version": _TEXT, "model": _TEXT, "labels": {"type": "object"}, "limits": {"type": "object"}}
)
HEALTH = _object({"status": _TEXT, "version": _TEXT, "model": _TEXT})
_ERROR = _object({"error": _object({"code": _TEXT, "message": _TEXT})})

_REFUSALS = {
    400: "The body can't be read.",
    401: "No token, or a wrong one.",
    408: "The request was not there in time.",
    413: "Beyond a limit.",
    415: "Neither JSON nor a form.",
    422: "Not what is needed, or a document without text.",
    429: "Busy; Retry-After says when to come back.",
    504: "Not done in time.",
}


def describe(
    body: type[BaseModel], answer: dict[str, Any], *, sheet: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Arguments of a route.

    Args:
        body: of its JSON.
        answer: its JSON answer.
        sheet: types of files that it answers instead; then it takes no forms.
    """
    content = {JSON: {"schema": _inlined(body.model_json_schema())}}
    if not sheet:
        content[FORM] = {"schema": FileForm.model_json_schema()}
    return {
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
        "responses": described(answer, refusals=True, sheet=sheet),
    }


def described(
    answer: dict[str, Any], *, refusals: bool = False, sheet: Mapping[str, str] | None = None
) -> dict[int | str, dict[str, Any]]:
    """The answers of a route: a good one, and the refusals."""
    good = {
        kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
        for kind in (sheet or {}).values()
    }
    found: dict[int | str, dict[str, Any]] = {200: {"content": good or {JSON: {"schema": answer}}}}
    for status, words in _REFUSALS.items() if refusals else ():
        found[status] = {"description": words, "content": {JSON: {"schema": _ERROR}}}
    return found


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, as its definitions would not lie where OpenAPI looks for them."""
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(definitions[node["$ref"].rsplit("/", 1)[-1]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(entry) for entry in node] if isinstance(node, list) else node

    return dict(resolve(schema))

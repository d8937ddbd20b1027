"""Characters to model ids: one code point, one token, position *i* is text position *i*.

Normalisation happens only here, character for character, so that no offset ever moves.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zhengling.errors import ZhenglingError

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


# Unicode's white space ends with the ideographic space; to look through all planes takes too long.
BLANKS = np.array([point for point in range(0x3001) if chr(point).isspace()], np.uint32)


def blanks(text: str) -> NDArray[np.bool_]:
    """Where a text has white space, shape ``(len(text),)``."""
    return np.isin(code_points(text), BLANKS)


def code_points(text: str) -> NDArray[np.uint32]:
    """The code points of a text, shape ``(len(text),)``.

    Raises:
        UnicodeEncodeError: the text holds a lone surrogate.
    """
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)


def normalise_character(character: str) -> str:
    """Map one code point to one code point: compatibility forms to plain ones, white space to a space.

    Full-width letters, digits and punctuation become their half-width forms (NFKC), because
    bulletins mix both at random; forms that NFKC would expand (``…``, ``㎡``) stay.

    Args:
        character: exactly one code point.

    Returns:
        Exactly one code point.
    """
    if character.isspace():
        return " "
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


@dataclass(frozen=True)
class CharacterVocabulary:
    """The ids of single characters.

    Attributes:
        ids: token to id; special tokens are those of BERT.
    """

    ids: dict[str, int]

    @classmethod
    def from_tokenizer(cls, path: Path) -> CharacterVocabulary:
        """Read the vocabulary of a Hugging Face ``tokenizer.json`` of the WordLevel kind.

        Raises:
            ZhenglingError: the file is missing, is no JSON, or lacks a special token.
        """
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ZhenglingError(f"{path}: can't read the tokenizer: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ZhenglingError(f"{path}: can't read the tokenizer: not UTF-8") from error
        except ZhenglingError as error:
            raise ZhenglingError(f"{path}: {error}") from error

    @classmethod
    def from_json(cls, content: str) -> CharacterVocabulary:
        """Read the content of a ``tokenizer.json``.

        Raises:
            ZhenglingError: it is no JSON, or lacks a vocabulary or a special token.
        """
        try:
            ids = json.loads(content)["model"]["vocab"]
        except (ValueError, KeyError, TypeError) as error:
            raise ZhenglingError("not a tokenizer.json with a vocabulary") from error
        if not isinstance(ids, dict):
            raise ZhenglingError("not a tokenizer.json with a vocabulary")
        missing = [token for token in SPECIAL_TOKENS if token not in ids]
        if missing:
            raise ZhenglingError(f"the vocabulary lacks {', '.join(missing)}")
        return cls(ids=ids)

    def __len__(self) -> int:
        return max(self.ids.values()) + 1

    def id_of(self, token: str) -> int:
        """The id of a special token."""
        return self.ids[token]

    def encode(self, text: str) -> NDArray[np.int64]:
        """Map a text to ids, shape ``(len(text),)``; unknown characters become ``[UNK]``.

        Raises:
            UnicodeEncodeError: the text holds a lone surrogate.
        """
        distinct, inverse = np.unique(code_points(text), return_inverse=True)
        unknown = self.ids["[UNK]"]
        table = [self.ids.get(normalise_character(chr(point)), unknown) for point in distinct]
        return np.asarray(table, dtype=np.int64)[inverse]

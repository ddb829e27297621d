"""The clause TAGS ( 'key' = 'value', … ), which several statements have: checks the tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Option
from sqlml.parser.generator import print_value

if TYPE_CHECKING:
    from sqlml.registry import Registry


def checked(tags: Sequence[Option], registry: Registry) -> dict[str, str]:
    """Tags as the registry takes them; what is no text becomes its SQL.

    Raises:
        SqlmlError: SQLML_OPTION_INVALID, at the tag's place.
    """
    texts = {tag.name: tag.value if isinstance(tag.value, str) else print_value(tag.value) for tag in tags}
    for tag in tags:
        try:
            registry.check_tag(tag.name, texts[tag.name])
        except SqlmlError as error:
            raise error.at(tag.offset) from None
    return texts

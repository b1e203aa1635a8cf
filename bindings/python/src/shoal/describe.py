"""The options and presets there are, as the core describes them: for adapters, and for who shows or checks settings.

May import: the native module. Imported by the package.
"""
from __future__ import annotations

from typing import NamedTuple

from . import _native


class Option(NamedTuple):
    """One option that a client takes as a keyword."""

    name: str
    type: str  #: "string", "integer", "number", "span", "boolean" or "choice"
    unit: str  #: e.g. "ms"; "" where it has none
    range: str  #: "1..600000", or its choices with bars between them; "" for free text
    default: str
    since: str  #: the release that brought it
    description: str


class Preset(NamedTuple):
    """One client whose place Shoal can take."""

    name: str
    description: str


def options() -> list[Option]:
    """All options, in the order of the documentation."""
    found = (_native.option_at(index) for index in range(_native.option_count()))
    return [Option(_native.option_name(each), _native.option_type(each), _native.option_unit(each),
                   _native.option_range(each), _native.option_default(each), _native.option_since(each),
                   _native.option_description(each)) for each in found if each is not None]


def presets() -> list[Preset]:
    """All presets, in the order of the documentation."""
    found = (_native.preset_at(index) for index in range(_native.preset_count()))
    return [Preset(_native.preset_name(each), _native.preset_description(each)) for each in found if each is not None]

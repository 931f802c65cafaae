"""Mapping files: what a source's columns mean, in TOML, on top of what a profile knows; pure.

Columns and values add to the profile's own, everything else replaces it. `generic` knows nothing, so that `system`, `key` and the
columns of `state` and `opened_at` are needed there. docs/howto/import.md shows a whole one.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pilothouse.connectors.engine import mapping as engine
from pilothouse.connectors.engine.dates import zone_named
from pilothouse.connectors.engine.profiles import Profile
from pilothouse.connectors.engine.tables import BadFile
from pilothouse.tickets.engine.lifecycle import CHANNELS, HOLD_REASONS, KINDS, STATES

_TEXTS = ("system", "time_zone", "encoding", "delimiter", "sheet")
_COLUMNS = ("key", "updated", "revision", "author")
_LISTS = ("date_formats", "empty", "title_from", "ignore", "comments")
_SWITCHES = {"history": "many", "keep_others": "keep_others", "decimal_comma": "decimal_comma"}
_TABLES = ("columns", "values", "defaults", "final")
_KEYS = (*_TEXTS, *_COLUMNS, *_LISTS, *_SWITCHES, *_TABLES)
_SHARED = ("time_zone", "encoding")  # hold for every kind of file of a profile
_WORDS: Mapping[str, Iterable[str]] = {"state": STATES, "kind": KINDS, "channel": CHANNELS}


def prepared(
    profile: Profile, *, mapping: str = "", time_zone: str = "", encoding: str = "", delimiter: str = "", sheet: str = ""
) -> Profile:
    """Return the profile with a mapping file and the options that were given on top."""
    given = {"time_zone": time_zone, "encoding": encoding, "delimiter": delimiter, "sheet": sheet}
    if mapping or not profile.system:
        profile = apply_file(profile, mapping)
    return profile.reading({name: value for name, value in given.items() if value})


def apply_file(profile: Profile, text: str) -> Profile:
    """Return the profile with a mapping file's statements on top. Raises BadFile that names what is wrong."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFile(f"The mapping file is not TOML: {error}.") from error
    for name in said:
        _known(name, _KEYS, "the mapping file has")
    first, *others = profile.mappings
    changes = {**_plain(said), **_columns(said), **_values(said)}
    shared = {name: changes[name] for name in _SHARED if name in changes}
    if "columns" in changes:
        changes["columns"] = {**first.columns, **changes["columns"]}
    if "values" in changes:
        changes["values"] = {**first.values, **{f: {**first.values.get(f, {}), **words} for f, words in changes["values"].items()}}
    made = replace(profile, mappings=(replace(first, **changes), *(replace(other, **shared) for other in others)))
    return _complete(made)


def _known(name: str, names: Iterable[str], where: str) -> None:
    names = list(names)
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f" Did you mean “{near[0]}”?" if near else f" There are: {', '.join(names)}."
        raise BadFile(f"In the mapping file: {where} no “{name}”.{hint}")


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in _TEXTS:
        if name in said:
            changes[name] = _of(said, name, str)
    for name in _COLUMNS:
        if name in said:
            changes[name] = _names(said, name)
    for name in _LISTS:
        if name in said:
            changes[name] = _names(said, name)
    for name, attribute in _SWITCHES.items():
        if name in said:
            changes[attribute] = _of(said, name, bool)
    for name in ("empty", "ignore"):
        if name in changes:
            changes[name] = frozenset(changes[name]) | ({""} if name == "empty" else set())
    zone_named(changes.get("time_zone", "UTC"))
    return changes


def _of(said: Mapping[str, Any], name: str, kind: type) -> Any:
    if not isinstance(said[name], kind):
        raise BadFile(f"In the mapping file: “{name}” must be {'true or false' if kind is bool else 'a text'}.")
    return said[name]


def _names(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Read a column's name, or a list of them."""
    value = [said[name]] if isinstance(said[name], str) else said[name]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadFile(f"In the mapping file: “{name}” must be a text or a list of texts.")
    return tuple(each for each in value if each or name == "empty")


def _columns(said: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "columns" in said:
        for name in said["columns"]:
            _known(name, engine.FIELDS, "a ticket has")
        changes["columns"] = {name: _names(said["columns"], name) for name in said["columns"]}
    for table in ("defaults", "final"):
        if table in said:
            for name in said[table]:
                if not name.startswith("extra."):
                    _known(name, engine.FIELDS, "a ticket has")
            changes[table] = {"kind": "incident", "channel": "other", **said[table]} if table == "defaults" else dict(said[table])
    return changes


def _values(said: Mapping[str, Any]) -> dict[str, Any]:
    if "values" not in said:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for field, words in said["values"].items():
        _known(field, (*engine.CHOICES, *engine.LEVELS, "resolution_code"), "values are mapped for")
        for word, value in words.items():
            _check_value(field, word, value)
        found[field] = {word.casefold(): value for word, value in words.items()}
    return {"values": found}


def _check_value(field: str, word: str, value: Any) -> None:
    if field in engine.LEVELS:
        most = engine.LEVELS[field]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise BadFile(f"In the mapping file: {field} “{word}” must become a number from 1 to {most}.")
    elif field in _WORDS:
        plain, _, reason = str(value).partition(":")
        _known(plain, _WORDS[field], f"{field} has")
        if reason:
            _known(reason, HOLD_REASONS, "a hold's reasons have")


def _complete(profile: Profile) -> Profile:
    first = profile.mappings[0]
    missing = [name for name in ("system", "key") if not getattr(first, name)]
    if missing:
        raise BadFile(f"The mapping file must say: {', '.join(missing)}. `--suggest` drafts one.")
    if lacking := [name for name in first.required if not getattr(first, name, None) and name not in first.columns]:
        raise BadFile(f"The mapping file must name the columns of: {', '.join(lacking)}.")
    return profile

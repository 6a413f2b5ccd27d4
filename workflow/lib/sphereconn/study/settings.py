"""Settings checked against a JSON schema, with messages for people, defaults filled in and one canonical form."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from sphereconn.errors import InputError
from sphereconn.files import CONTROL_CHARACTERS, to_number

Schema = Mapping[str, Any]

_DEEPEST, _MOST_VALUES = 10, 1_000_000
_LARGEST = 1e15  # in any unit


def checked_settings(settings: Mapping[str, Any], schema_path: Path, source: str) -> dict[str, Any]:
    """Check ``settings`` against a JSON schema and give them in canonical form.

    The canonical form does not depend on how a person wrote the settings: defaults are filled in, keys are sorted,
    numbers have the type that the schema names (``6`` and ``6.0`` are one value, and so is the text ``"6"``, as a
    command line gives it). ``InputError`` lists every mistake, one sentence each: the key, the value, what is allowed.
    """
    impossible = sorted(set(_impossible(settings)))
    if impossible:
        raise InputError("\n".join(f"{source}: {problem}" for problem in impossible))
    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    canonical = _canonical(settings, schema, schema)
    problems = sorted({*_problems(canonical, schema), *_labels_alike(canonical)})
    if problems:
        raise InputError("\n".join(f"{source}: {problem}" for problem in problems))
    return dict(canonical)


def in_canonical_form(settings: Mapping[str, Any], schema_path: Path, kind: str) -> dict[str, Any]:
    """Give settings of a kind, by its definition in a JSON schema, in canonical form; they are not checked."""
    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    return dict(_canonical(settings, schema["$defs"][kind], schema))


def with_text_keys(value: Any) -> Any:
    """Give settings whose keys are all text: YAML reads the label 2020 as a number, and the two cannot be sorted."""
    if isinstance(value, Mapping):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    return [with_text_keys(item) for item in value] if isinstance(value, (list, tuple)) else value


def _impossible(settings: Mapping[str, Any]) -> Iterator[str]:
    """Say what no setting may be, whatever the schema: endless, no number, or text that is no line of text."""
    waiting: list[tuple[Any, tuple[str, ...]]] = [(settings, ())]
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        value, steps = waiting.pop()
        where = ".".join(steps) or "the top level"
        if len(steps) > _DEEPEST:
            break
        if isinstance(value, Mapping):
            waiting.extend((item, (*steps, ascii(key).strip("'"))) for key, item in value.items())
            waiting.extend((key, steps) for key in value)
        elif isinstance(value, (list, tuple)):
            waiting.extend((item, (*steps, str(number))) for number, item in enumerate(value))
        elif isinstance(value, str) and CONTROL_CHARACTERS.search(value):
            yield (
                f"{where}: {ascii(value)[:80]} contains a line break or another control character, which is not"
                " allowed."
            )
        elif isinstance(value, (int, float)) and not abs(value) <= _LARGEST:
            yield f"{where}: the number is too large or not a number (nan, inf)."
    if waiting:
        yield f"the settings are nested more than {_DEEPEST} deep, or have more than {_MOST_VALUES} values."


def _labels_alike(settings: Mapping[str, Any]) -> Iterator[str]:
    """Name labels that differ in capitals only: on many disks their results would have one name."""
    for key in ("seed_sets", "denoising", "estimators", "contrasts", "maps"):
        of_key = settings.get(key)
        alike: dict[str, str] = {}
        for label in of_key if isinstance(of_key, Mapping) else ():
            other = alike.setdefault(label.casefold(), label)
            if other != label:
                yield (
                    f"{key}: the labels '{other}' and '{label}' differ only in capitalization, and their results would"
                    " have the same names on file systems that ignore case; rename one."
                )


def _problems(settings: Any, schema: Schema) -> Iterator[str]:
    for error in Draft202012Validator(schema).iter_errors(settings):
        yield from _sentences(error)


def _sentences(error: ValidationError) -> Iterator[str]:
    """Say what is wrong; where there are alternatives and the value has keys, speak of the one that is meant."""
    if error.validator != "anyOf" or not isinstance(error.instance, Mapping):
        yield _sentence(error)
        return
    alternatives: dict[Any, list[ValidationError]] = {}
    for problem in error.context or ():
        alternatives.setdefault(problem.schema_path[0], []).append(problem)
    if all(any(map(_without_keys, problems)) for problems in alternatives.values()):
        yield _sentence(error)
    for problems in alternatives.values():
        # Not meant: another kind (an unknown kind has its own sentence), or something without keys.
        if not any(list(problem.path) == ["kind"] or _without_keys(problem) for problem in problems):
            for problem in problems:
                yield from _sentences(problem)


def _without_keys(problem: ValidationError) -> bool:
    return not problem.path and problem.validator in ("type", "enum", "const")


def _sentence(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties":
        known = sorted(schema["properties"])
        unknown = sorted(set(error.instance) - set(known))
        places = [f"{where}.{key}" if where else key for key in unknown]
        return "; ".join(
            f"{place}: unknown key{_did_you_mean(key, known)} (allowed here: {', '.join(known)})."
            for place, key in zip(places, unknown, strict=True)
        )
    if error.validator == "required":
        missing = [key for key in schema["required"] if key not in error.instance]
        return "; ".join(f"{f'{where}.' if where else ''}{key}: this key is required but missing." for key in missing)
    if "propertyNames" in error.absolute_schema_path:
        return f"{where}: the label {error.instance!r} is not allowed; allowed: {schema['allowed']}."
    allowed = schema.get("allowed")
    return f"{where}: {_shown(error.instance)} is not allowed; allowed: {allowed}." if allowed else error.message


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(str(word), known, n=1)
    return f", did you mean '{close[0]}'?" if close else ""


def _canonical(value: Any, schema: Schema, root: Schema) -> Any:
    """Fill in defaults, sort keys and coerce numbers, as far as the value fits the schema; the rest is left to it."""
    schema = _resolved(schema, root)
    for option in schema.get("anyOf", ()):
        fitting = _canonical(value, option, root)
        if Draft202012Validator({**_resolved(option, root), "$defs": root.get("$defs", {})}).is_valid(fitting):
            return fitting
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        resolved = {key: _resolved(item, root) for key, item in properties.items()}
        filled = schema.get("fill_defaults", True)  # not where a value stands for an exception to another
        complete = {key: item["default"] for key, item in resolved.items() if filled and "default" in item}
        # YAML reads an unquoted key such as 2020: as a number; as a label it is the text.
        complete.update({str(key): item for key, item in value.items()})
        other = schema.get("additionalProperties")
        other = other if isinstance(other, Mapping) else {}
        return {key: _canonical(complete[key], properties.get(key, other), root) for key in sorted(complete)}
    if isinstance(value, (list, tuple)):
        return [_canonical(item, schema.get("items", {}), root) for item in value]
    return _coerced(value, schema.get("type", ()))


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target: Schema = root
    for step in reference.removeprefix("#/").split("/"):
        target = target[step]
    return {**target, **{key: item for key, item in schema.items() if key != "$ref"}}


def _coerced(value: Any, kinds: str | list[str]) -> Any:
    if isinstance(value, str) and "string" not in kinds:
        text = value.strip()
        if "boolean" in kinds and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if "null" in kinds and text.lower() in ("null", "none", ""):
            return None
        if "number" in kinds or "integer" in kinds:
            try:
                number = to_number(text)
            except ValueError:
                return value
            value = number if abs(number) <= _LARGEST else value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if "number" in kinds:
        return float(value)
    if "integer" in kinds and float(value).is_integer():
        return int(value)
    return value

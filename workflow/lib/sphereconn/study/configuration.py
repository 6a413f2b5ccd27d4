"""A configuration file, looked at before Snakemake reads it, which follows whatever such a file says."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import yaml

from sphereconn.errors import InputError

LARGEST = 1_000_000  # bytes; Snakemake's reader needs about 10 s for so much
DEEPEST = 20
MOST_VALUES = 100_000  # with what aliases stand for
LONGEST_VALUE = 10_000  # characters
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_configuration(path: str | Path) -> None:
    """Raise ``InputError`` unless a file is plain YAML, or JSON, of a size and depth that a study may have.

    Refused are a folder, a pipe or a device in place of a file, what is not text, mistakes of syntax (line and column
    are named), aliases that stand for themselves or for very many values, values of a type that YAML does not
    have, a key that stands twice in one place, and ``__use_yte__``, with which Snakemake runs the file's text as code.
    """
    text = _text(path)
    try:
        _check_size(path, text)
        content = yaml.load(text, Loader=_LOADER)
        if _LOADER is not yaml.SafeLoader:  # Snakemake's, which is stricter within [] and {}
            for _ in yaml.parse(text, Loader=yaml.SafeLoader):
                pass
    except InputError:
        raise
    except yaml.MarkedYAMLError as problem:
        if _is_json(text):  # with tabs, say, it is JSON but not YAML
            return
        raise InputError(_syntax(path, problem)) from problem
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as problem:
        raise InputError(f"{path}: a value cannot be read ({str(problem).splitlines()[0]}).") from problem
    if not isinstance(content, dict):
        raise InputError(f"{path}: keys and values are expected, such as 'output_dir: results'; see config/README.md.")
    if "__use_yte__" in content:
        raise InputError(f"{path}: __use_yte__ is not allowed: a configuration holds no code.")
    _check_no_key_twice(path, yaml.compose(text, Loader=_LOADER))


def _text(path: str | Path) -> str:
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: this is not a file; a configuration is a YAML file.")
        if status.st_size > LARGEST:
            raise InputError(f"{path}: the file has {status.st_size:,} bytes; a configuration has at most {LARGEST:,}.")
        return Path(path).read_text(encoding="utf-8")
    except InputError:  # which is a ValueError, too
        raise
    except UnicodeDecodeError as problem:
        raise InputError(f"{path}: this is not a text file; save the configuration as UTF-8 text.") from problem
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise InputError(f"{path}: the configuration cannot be read ({reason}).") from problem


def _check_size(path: str | Path, text: str) -> None:
    """Count depth and values event by event, before a tree of them is made: a tree of aliases grows exponentially."""
    anchors: dict[str, int] = {}  # -> values that it stands for
    open_anchors: list[str | None] = []
    counts = [0]
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            counts.append(1)
            open_anchors.append(event.anchor)
            if len(open_anchors) > DEEPEST:
                raise InputError(f"{path}: line {line}: the values are nested more than {DEEPEST} deep.")
        elif isinstance(event, yaml.CollectionEndEvent):
            n_values, anchor = counts.pop(), open_anchors.pop()
            counts[-1] += n_values
            if anchor:
                anchors[anchor] = n_values
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                raise InputError(f"{path}: line {line}: *{event.anchor} is used within its own definition.")
            counts[-1] += anchors.get(event.anchor, 1)
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > LONGEST_VALUE:
                raise InputError(f"{path}: line {line}: a value has more than {LONGEST_VALUE:,} characters.")
            counts[-1] += 1
        if counts[-1] > MOST_VALUES:
            raise InputError(f"{path}: line {line}: the configuration has more than {MOST_VALUES:,} values.")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _syntax(path: str | Path, problem: yaml.MarkedYAMLError) -> str:
    mark = problem.problem_mark or problem.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    said = problem.problem or problem.context or "this is not YAML"
    if "'\\t'" in said:
        hint = "indent with spaces, not with tabs"
    elif "mapping values are not allowed" in said:
        hint = "put values that contain a colon in quotes, and indent keys of the same level equally"
    elif "undefined alias" in said or "cannot start any token" in said or "but got '?'" in said:
        hint = "put names that hold signs such as ? * & @ % in quotes"
    elif "unhashable" in said or "constructor" in said:
        hint = "allowed are text, numbers, true, false, null, lists, and keys with values"
    else:
        hint = "look at this line and the one above for a missing colon, quote or bracket"
    return f"{path}: {where}{said}; {hint}."


def _check_no_key_twice(path: str | Path, top: yaml.Node | None) -> None:
    """Refuse a key that stands twice in one place: readers of YAML keep the last and drop the others."""
    waiting: list[tuple[Any, str]] = [(top, "")]
    seen = set()
    while waiting:
        node, where = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))  # an alias is the node that it stands for
        if isinstance(node, yaml.SequenceNode):
            waiting.extend((item, where) for item in node.value)
            continue
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            label = key.value if isinstance(key, yaml.ScalarNode) else f"of line {line}"
            place = f"{where}.{label}" if where else label
            if label in lines:
                raise InputError(f"{path}: line {line}: the key {place} stands in line {lines[label]} already.")
            _check_reads_as_written(path, key, place)
            lines[label] = line
            waiting.append((value, place))


def _check_reads_as_written(path: str | Path, key: yaml.Node, place: str) -> None:
    """Refuse a key in which YAML does not see what a person does: 010 is 8, yes is true, 1e3 may be 1000.0."""
    if not isinstance(key, yaml.ScalarNode) or key.tag.rpartition(":")[2] not in ("int", "float", "bool", "null"):
        return
    read = yaml.load(key.value, Loader=_LOADER)
    if str(read) != key.value:
        line = key.start_mark.line + 1
        raise InputError(f"{path}: line {line}: the key {place} would be read as {read}; put it in quotes.")

"""Pages of the site that are made when it is built: the front page, the manual, every key of a configuration.

`make docs` calls it (hooks in mkdocs.yml). What is made here stands nowhere else, so it cannot drift.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"
# Page of the site -> file of the checkout that it shows.
SHOWN = {
    "index.md": "README.md",
    "manual.md": "config/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made, as MkDocs asks for it."""
    from mkdocs.structure.files import File

    for page, source in SHOWN.items():
        files.append(File.generated(config, page, content=shown(source)))
    files.append(File.generated(config, "config_keys.md", content=config_keys(json.loads(SCHEMA.read_text()))))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn the links of a page of docs/ that lead out of that folder, as MkDocs asks for it."""
    name = page.file.src_uri
    written = name.endswith(".md") and name not in (*SHOWN, "config_keys.md")
    return turned(markdown, ROOT / "docs") if written else markdown


def shown(source: str) -> str:
    """Return a page of the checkout with its links turned to the pages of the site."""
    return turned((ROOT / source).read_text(encoding="utf-8"), (ROOT / source).parent)


def turned(text: str, folder: Path) -> str:
    """Return a text that stands in a folder of the checkout with its links turned to the pages of the site.

    A link to a file that is no page of the site becomes its name.
    """
    pages = {path: page for page, path in SHOWN.items()}

    def turn(link: re.Match[str]) -> str:
        words, target, anchor = link[1], link[2], link[3] or ""
        if "://" in target or not target:
            return link[0]
        place = (folder / target).resolve()
        path = place.relative_to(ROOT).as_posix()
        if path in pages:
            return f"[{words}]({pages[path]}{anchor})"
        if place.is_relative_to(ROOT / "docs"):
            return f"[{words}]({place.relative_to(ROOT / 'docs').as_posix()}{anchor})"
        return words

    return re.sub(r"\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\)", turn, text)


def config_keys(schema: Mapping[str, Any]) -> str:
    """Return a page with every key of a configuration: what it means, what is allowed, what holds without it."""
    lines = [
        "# Every key of a configuration",
        "",
        "Made from the schema that each configuration is checked against. A key that is not here is a mistake.",
    ]
    for key, value in schema["properties"].items():
        lines += ["", f"## {key}", ""]
        for name, entry in keys_of(schema, key, value):
            lines += _described(name, entry, name in schema["required"])
    return "\n".join(lines) + "\n"


def keys_of(schema: Mapping[str, Any], name: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield a key with what the schema says of it, and the keys inside of it, by their full names."""
    entry = _resolved(schema, entry)
    yield name, entry
    for part in (entry, *(_resolved(schema, part) for part in entry.get("anyOf", ()))):
        for key, inner in part.get("properties", {}).items():
            yield from keys_of(schema, f"{name}.{key}", inner)
        labelled = part.get("additionalProperties")
        if isinstance(labelled, Mapping) and _is_group(schema, labelled):
            yield from keys_of(schema, f"{name}.LABEL", labelled)
        items = part.get("items")
        if isinstance(items, Mapping) and _is_group(schema, items):
            yield from keys_of(schema, f"{name}[]", items)


def _is_group(schema: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    entry = _resolved(schema, entry)
    parts = (entry, *(_resolved(schema, part) for part in entry.get("anyOf", ())))
    return any("properties" in part for part in parts)


def _resolved(schema: Mapping[str, Any], entry: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = entry.get("$ref")
    if reference is None:
        return entry
    found = schema["$defs"][reference.rpartition("/")[2]]
    return {**_resolved(schema, found), **{key: value for key, value in entry.items() if key != "$ref"}}


def _described(name: str, entry: Mapping[str, Any], required: bool) -> list[str]:
    told = [f"`{name}`", f":   {entry.get('description', 'Settings of one entry.')}"]
    if "allowed" in entry:
        told.append(f"    Allowed: {entry['allowed']}.")
    if "default" in entry:
        told.append(f"    Default: `{json.dumps(entry['default'])}`.")
    if required:
        told.append("    Required.")
    return [*told, ""]

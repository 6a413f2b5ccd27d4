"""What code a stage runs, as one short text: it changes when the code does, not when a comment does.

Snakemake does not see that a module imported by a script has changed, and takes a touched script for a changed one.
A rule that has the fingerprint of its script among its params runs again exactly when the code that it uses changes.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path


def fingerprint(script: Path, library: Path, assets: Sequence[Path] = ()) -> str:
    """Hash the syntax trees of a script and of all modules of the library that it imports, directly or not.

    Parameters
    ----------
    script
        The script of a rule.
    library
        The folder of the package; only modules in it are followed.
    assets
        Other files that the code reads and that belong to it, such as templates; they count byte by byte.

    Returns
    -------
    str
        Sixteen hexadecimal digits. Comments, docstrings, blank lines, the number of the release and the place of the
        files do not count.
    """
    seen: dict[str, str] = {"script": ""}
    waiting = [("script", script)]
    while waiting:
        name, path = waiting.pop()
        seen[name], imported = _code_and_imports(path.read_text(encoding="utf-8"), library.name)
        for module in imported:
            file = _module_file(module, library)
            if file is not None and module not in seen:
                seen[module] = ""
                waiting.append((module, file))
    digest = hashlib.sha256("\n".join(f"{name}: {seen[name]}" for name in sorted(seen)).encode())
    for path in sorted(assets, key=lambda path: path.name):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache  # most modules belong to several rules, and each is parsed once for all of them
def _code_and_imports(source: str, package: str) -> tuple[str, list[str]]:
    """Give the syntax tree of a module, written out, and the modules of the package that it imports."""
    tree = ast.parse(source)
    imported = _imports(tree, package)
    return _written_out(_without_docstrings(tree)), imported


def _written_out(node: object) -> str:
    """Write out a syntax tree, in the same way in every version of Python.

    `ast.dump` leaves out empty fields from Python 3.13 on, each version adds fields, empty where unused, and 3.12 puts
    an empty text behind the format of a value in an f-string.
    """
    if isinstance(node, ast.JoinedStr):
        node.values = [part for part in node.values if not isinstance(part, ast.Constant) or part.value]
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return f"{type(node).__name__}({', '.join(f'{name}={_written_out(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{', '.join(map(_written_out, node))}]"
    return repr(node)


def _imports(tree: ast.AST, package: str) -> list[str]:
    """List the modules of the package that a tree imports; importing ``a.b`` also runs ``a``."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    modules: set[str] = set()
    for name in found:
        parts = name.split(".")
        if parts[0] == package:
            modules.update(".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return sorted(modules)


def _module_file(module: str, library: Path) -> Path | None:
    base = library.parent.joinpath(*module.split("."))
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


def _without_docstrings(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [statement for statement in node.body if not _is_text_or_version(statement)]
    return tree


def _is_text_or_version(statement: ast.stmt) -> bool:
    """Whether a statement computes nothing: a docstring, or the number of the release."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__version__"

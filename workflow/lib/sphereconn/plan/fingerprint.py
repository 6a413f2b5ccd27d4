"""What code a stage runs, as one short text: it changes when the code does, not when a comment does.

Snakemake does not see that a module imported by a script has changed, and takes a touched script for a changed one.
A rule that has the fingerprint of its script among its params runs again exactly when the code that it uses changes.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

WITH_DOCSTRING = {ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef}


def fingerprint(
    script: Path,
    library: Path,
    assets: Sequence[Path] = (),
    code_of: Callable[[Path, str], tuple[str, list[str]]] | None = None,
) -> str:
    """Hash the syntax trees of a script and of all modules of the library that it imports, directly or not.

    Parameters
    ----------
    script
        The script of a rule.
    library
        The folder of the package; only modules in it are followed.
    assets
        Other files that the code reads and that belong to it, such as templates; they count byte by byte.
    code_of
        Gives what ``code_and_imports`` gives for the text of a file, perhaps from memory: most modules belong to
        several scripts.

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
        seen[name], imported = (code_of or _code_of_file)(path, library.name)
        for module in imported:
            if module not in seen and (file := _module_file(module, library)) is not None:
                seen[module] = ""
                waiting.append((module, file))
    digest = hashlib.sha256("\n".join(f"{name}: {seen[name]}" for name in sorted(seen)).encode())
    for path in sorted(assets, key=lambda path: path.name):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def code_and_imports(source: str, package: str) -> tuple[str, list[str]]:
    """Return a hash of the syntax tree of a module, and the modules of the package that it imports."""
    imported: list[str] = []
    written = _written_out(ast.parse(source), imported)
    modules: set[str] = set()
    for name in imported:
        parts = name.split(".")
        if parts[0] == package:  # importing a.b also runs a
            modules.update(".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return hashlib.sha256(written.encode()).hexdigest(), sorted(modules)


def _code_of_file(path: Path, package: str) -> tuple[str, list[str]]:
    return code_and_imports(path.read_text(encoding="utf-8"), package)


def _written_out(node: Any, imported: list[str]) -> str:
    """Write out a syntax tree, in the same way in every version of Python, and list what it imports.

    `ast.dump` leaves out
    empty fields from Python 3.13 on, each version adds fields, empty where unused, and 3.12 puts an empty text behind
    the format of a value in an f-string.
    """
    kind = type(node)
    if kind is list:
        return f"[{', '.join([_written_out(item, imported) for item in node])}]"
    if not issubclass(kind, ast.AST):
        return repr(node)
    if not kind._fields:
        return f"{kind.__name__}()"
    written = []
    for name in kind._fields:
        value: Any = getattr(node, name, None)
        if name == "body" and kind in WITH_DOCSTRING:
            value = [statement for statement in value if not _is_text_or_version(statement)]
        elif kind is ast.JoinedStr:
            value = [part for part in value if not isinstance(part, ast.Constant) or part.value]
        if value is not None and value != []:
            written.append(f"{name}={_written_out(value, imported)}")
    if kind is ast.Import:
        imported += [alias.name for alias in node.names]
    elif kind is ast.ImportFrom and node.module and node.level == 0:
        imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return f"{kind.__name__}({', '.join(written)})"


def _module_file(module: str, library: Path) -> Path | None:
    base = os.path.join(library.parent, *module.split("."))
    candidates = (os.path.join(base, "__init__.py"), f"{base}.py")
    return next((Path(path) for path in candidates if os.path.isfile(path)), None)


def _is_text_or_version(statement: ast.stmt) -> bool:
    """Whether a statement computes nothing: a docstring, or the number of the release."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__version__"

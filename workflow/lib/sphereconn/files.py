"""Reading and writing the small files of a study: tables, matrices and sidecars, each written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from sphereconn.errors import InputError
from sphereconn.words import counted

MISSING = "n/a"  # BIDS's word for a missing value
MATRIX_DIGITS = 7  # of the matrices that people read: what is measured in images of single precision is good to as many
_LARGEST_TABLE, _LARGEST_JSON = 1 << 30, 1 << 27  # bytes: a million frames of a hundred confounds are 2 ** 30
_LARGE_ARRAY = 1 << 28  # bytes
_UNFINISHED, _RANDOM = ".unfinished-", 8  # how a temporary file begins, and how many characters mkstemp adds to that
_LONGEST_POINTER = 1024  # bytes
_LONGEST_LINE = 1 << 20  # characters, of the names of columns
_LINES_OF_A_KIND = 3  # that are looked at to tell what separates cells
_POINTERS = (
    (b"/annex/objects/", "git-annex", "datalad get"),
    (b"version https://git-lfs.github.com/spec/", "Git LFS", "git lfs pull"),
)
# Neither in a table nor in a configuration: they end lines and names, hide in terminals, or have no UTF-8 form.
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@contextmanager
def written_whole(path: str | Path, synced: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` when the block ends well, remove it when not.

    ``synced``: wait until the disk has it, for what must outlive a power cut at once. A result need not
    (``sphereconn.ledger``).
    What a process that was killed has left of the same file goes when the file is written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name keeps the suffixes at its end (.nii.gz, .png), for writers that choose a format by them.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED, suffix="-" + path.name)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; results are as readable as any other
        if synced:
            _sync(temporary)
        os.replace(temporary, path)
        if synced:
            _sync(path.parent)
        for left in os.listdir(path.parent):
            if left.startswith(_UNFINISHED) and left[len(_UNFINISHED) + _RANDOM :] == f"-{path.name}":
                with suppress(OSError):  # the file is written, whatever becomes of this
                    path.with_name(left).unlink()
    except BaseException as problem:
        temporary.unlink(missing_ok=True)
        if isinstance(problem, OSError) and problem.filename in (None, name):
            problem.filename = str(path)  # a full disk is met where no name is known, or only the temporary one
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: str | Path, text: str) -> None:
    """Write a text in UTF-8."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` as indented JSON; NaN and infinity have no JSON form and become null."""
    text = json.dumps(_without_nan(content), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    if isinstance(value, np.ndarray):
        return _without_nan(value.tolist())
    if isinstance(value, np.generic):
        return _without_nan(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def check_file(path: str | Path, largest: int | None = None) -> None:
    """Raise ``InputError`` for what cannot be read as a file, before it is opened: to open a pipe may take for ever.

    Refused are links to nothing, folders, pipes and devices, the text that git-annex and Git LFS leave in place of a
    file, and files of more than ``largest`` bytes. A file that is not there is left to the reader.
    """
    if problem := unusable(path, largest):
        raise InputError(f"{path}: {problem}.")


def unusable(path: str | Path, largest: int | None = None) -> str | None:
    """Say why a path cannot be read as a file, as ``check_file`` does; None where nothing speaks against it."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return "this is a broken link; fetch its content (`datalad get`)" if os.path.islink(path) else None
    if stat.S_ISDIR(status.st_mode):
        return "this is a folder, not a file"
    if not stat.S_ISREG(status.st_mode):
        return "this is a pipe, a socket or a device, not a file"
    if largest is not None and status.st_size > largest:
        return f"the file has {status.st_size:,} bytes, more than the {largest:,} that are read of its kind"
    if 0 < status.st_size <= _LONGEST_POINTER:
        try:
            with open(path, "rb") as file:
                start = file.read(_LONGEST_POINTER)
        except OSError:
            return None
        for sign, system, command in _POINTERS:
            if start.startswith(sign):
                return f"this is only the pointer of {system}, not the file; fetch its content (`{command}`)"
    return None


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object; ``InputError`` names the file when it is not one."""
    check_file(path, _LARGEST_JSON)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as problem:
        raise InputError(f"{path}: not a readable JSON file ({problem}).") from problem
    if not isinstance(content, dict):
        raise InputError(f"{path}: a JSON object ({{...}}) is expected, found {type(content).__name__}.")
    return content


_OTHER_FORMATS = {
    b"PK\x03\x04": "a workbook of a spreadsheet program or a zip archive; save the table as tab-separated text",
    b"\xd0\xcf\x11\xe0": "a workbook of an old spreadsheet program; save the table as tab-separated text",
    b"\x1f\x8b": "compressed (gzip); unpack it first",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8 text",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8 text",
}


def _other_format(path: str | Path) -> str | None:
    """Say which format that is no plain text a file begins like."""
    try:
        with open(path, "rb") as file:
            beginning = file.read(4)
    except OSError:
        return None  # reading the table says why
    return next((words for magic, words in _OTHER_FORMATS.items() if beginning.startswith(magic)), None)


def _check_table(path: str | Path) -> None:
    """Raise ``InputError`` for what is no file of plain text, before it is read."""
    check_file(path, _LARGEST_TABLE)
    if other := _other_format(path):
        raise InputError(f"{path}: a tab-separated table is expected, and this file is {other}.")


def read_rows(path: str | Path, content: bytes | None = None) -> tuple[list[str], list[list[str]]]:
    """Read a tab-separated table: its column names and its rows, as text.

    ``content`` is read in place of the file's, for a table that is not written yet. A byte-order mark and empty lines
    are skipped; ``InputError`` names the file and line of a row of another length or with a control character, an empty
    or repeated column name, an unreadable file.
    """
    if content is None:
        _check_table(path)
    try:
        with (
            open(path, "rb") if content is None else io.BytesIO(content) as source,
            io.TextIOWrapper(source, encoding="utf-8-sig", newline="") as file,
        ):
            lines = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except UnicodeDecodeError as problem:
        raise InputError(f"{path}: not a readable tab-separated table (save it as UTF-8 text; {problem}).") from problem
    except (OSError, ValueError, csv.Error) as problem:
        raise InputError(f"{path}: not a readable tab-separated table ({problem}).") from problem
    columns = _columns(path, lines)
    rows = []
    for number, line in enumerate(lines, start=1):
        if CONTROL_CHARACTERS.search("".join(line)):
            raise InputError(f"{path}: line {number} holds a control character; save the table as plain text.")
        if number == 1:
            continue
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(columns):
            raise InputError(
                f"{path}: line {number} has {counted(len(line), 'cell')}, the first line names"
                f" {counted(len(columns), 'column')} (cells are separated by tabs)."
            )
        rows.append([cell.strip() for cell in line])
    return columns, rows


def read_columns(path: str | Path) -> list[str]:
    """Return the column names of a tab-separated table, whose rows are not read; ``InputError`` as of ``read_rows``."""
    _check_table(path)
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [file.readline(_LONGEST_LINE).rstrip("\r\n").split("\t") for _ in range(_LINES_OF_A_KIND)]
    except (OSError, ValueError) as problem:
        raise InputError(f"{path}: not a readable tab-separated table ({problem}).") from problem
    return _columns(path, lines)


def _columns(path: str | Path, lines: Sequence[Sequence[str]]) -> list[str]:
    if not lines or not any(lines[0]):
        raise InputError(f"{path}: the table is empty; its first line must name the columns, separated by tabs.")
    if other := _other_kind(lines):
        raise InputError(f"{path}: {other}.")
    columns = [name.strip() for name in lines[0]]
    if "" in columns:
        raise InputError(f"{path}: column {columns.index('') + 1} has no name in the first line.")
    repeated = sorted(name for name, count in Counter(columns).items() if count > 1)
    if repeated:
        raise InputError(f"{path}: the column '{repeated[0]}' appears more than once.")
    return columns


def _other_kind(lines: Sequence[Sequence[str]]) -> str | None:
    """Say why a first line does not name columns separated by tabs: what other programs write instead."""
    first = lines[0]
    words = "\t".join(first).replace(",", " ").replace(";", " ").split()
    if all(map(_is_number, words)) and not all(word.isdecimal() for word in words):
        return (
            "the first line holds numbers; it must name the columns, separated by tabs (rp_*.txt and .par files have no"
            " names: add a first line)"
        )
    if first[0].startswith("#"):
        return "the first line is a comment; it must name the columns, separated by tabs"
    if len(first) == 1:
        for separator, said in ((",", "commas"), (";", "semicolons"), (" ", "spaces")):
            n_parts = [
                len(line[0].split(separator if separator != " " else None))
                for line in lines[:_LINES_OF_A_KIND]
                if any(line)
            ]
            if min(n_parts) > 1 and (separator == " " or len(set(n_parts)) == 1):
                return f"a table is separated by tabs; this one looks like {said}"
    if all(len(name) > 1 and name[0] == name[-1] == '"' for name in first):
        return "the names of the columns are in quotes; write the table without quotes (in R: quote = FALSE)"
    return None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def number_hint(cell: str) -> str:
    """Say what makes a text that looks like a number none, in brackets; "" where there is nothing to say."""
    ascii_minus = cell.translate(dict.fromkeys(map(ord, "\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d"), "-"))
    if ascii_minus != cell and _is_number(ascii_minus):
        return " (its minus sign is another character; type -)"
    if "," in cell and _is_number(cell.replace(",", ".", 1)):
        return " (decimals are written with a point)"
    if "_" in cell and _is_number(cell):
        return " (digits are not grouped)"
    return ""


def says_missing(cell: str) -> bool:
    """Return whether a cell says that there is no value: empty, in BIDS's word, or in R's and Python's."""
    return cell == "" or cell.upper() in ("N/A", "NA", "NAN")


def to_number(cell: str) -> float:
    """Read a number that a table or a person has written; ``ValueError`` where it is none.

    Python itself also takes ``1_0`` for 10 and the digits of all scripts: in a table these are mistakes.
    """
    if "_" in cell or not cell.isascii():
        raise ValueError(f"'{cell}' is not a number")
    return float(cell)


def is_number(cell: str) -> bool:
    """Return whether a cell of a table is a finite number."""
    try:
        return bool(np.isfinite(to_number(cell)))
    except ValueError:
        return False


def read_records(path: str | Path, content: bytes | None = None) -> list[dict[str, str]]:
    """Read a tab-separated table as ``read_rows`` does, each row as a dictionary from column name to text."""
    columns, rows = read_rows(path, content)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def write_rows(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a tab-separated table; a float is written so that reading it gives the same number, NaN as n/a."""
    with written_whole(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write("\t".join(columns) + "\n")
        for row in rows:
            file.write("\t".join(map(_cell, row)) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Give the content of the file that ``write_rows`` would write."""
    return "".join("\t".join(map(_cell, row)) + "\n" for row in (columns, *rows)).encode()


def write_if_changed(path: str | Path, content: bytes, synced: bool = False) -> None:
    """Write a file unless it has that content already: its time tells when it last changed."""
    path = Path(path)
    if not path.is_file() or path.read_bytes() != content:
        with written_whole(path, synced) as temporary:
            temporary.write_bytes(content)


def _cell(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return repr(value) if np.isfinite(value) else MISSING
    return str(value)


def write_signals(path: str | Path, names: Sequence[str], signals: np.ndarray) -> None:
    """Write time series, shape (n_frames, n_nodes), one column a node."""
    with written_whole(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write("\t".join(names) + "\n")
        file.writelines(f"{_numbers(row)}\n" for row in np.asarray(signals, dtype=np.float64))


def _numbers(row: np.ndarray) -> str:
    # A run has some 50,000 cells, too many to look at one by one.
    cells = list(map(repr, row.tolist()))
    for place in np.flatnonzero(~np.isfinite(row)):
        cells[place] = MISSING
    return "\t".join(cells)


def read_signals(path: str | Path) -> tuple[list[str], np.ndarray]:
    """Read time series: node names and an array of shape (n_frames, n_nodes), NaN where the table says n/a."""
    return _read_numbers(path)


def write_array(path: str | Path, array: np.ndarray) -> None:
    """Write a NumPy file (.npy)."""
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        np.save(file, array)


def scratch(shape: tuple[int, int]) -> np.ndarray:
    """Give an array of float64 with any content, to be filled once and read often.

    A large one lies in a file without a name, which vanishes with the process: where memory is short, the system puts
    parts of it to the disk instead of ending the process. Where the disk has no room, it lies in memory after all.
    """
    size = 8 * shape[0] * shape[1]
    if size < _LARGE_ARRAY:
        return np.empty(shape)
    try:
        with tempfile.TemporaryFile() as file:
            os.posix_fallocate(file.fileno(), 0, size)  # a disk that fills up later would end the process
            return np.asarray(np.memmap(file, np.float64, "r+", shape=shape))
    except (OSError, AttributeError):  # macOS reserves no room
        return np.empty(shape)


def write_matrix(path: str | Path, names: Sequence[str], matrix: np.ndarray) -> None:
    """Write a square matrix with the node names as header and first column, for people: seven digits, NaN as n/a.

    What is computed from a connectome reads its edges, which keep every digit.
    """
    with written_whole(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write("\t".join(["node", *names]) + "\n")
        file.writelines(f"{name}\t{row}\n" for name, row in zip(names, _rows(matrix), strict=True))


def _rows(matrix: np.ndarray) -> Iterable[str]:
    if not np.array_equal(matrix, matrix.T, equal_nan=True):
        return map("\t".join, map(_rounded, matrix))
    # To put a number into text takes longest, and each is there twice.
    upper = np.triu_indices(len(matrix))
    cells = np.empty(matrix.shape, dtype=object)
    cells[upper] = _rounded(matrix[upper])
    cells.T[upper] = cells[upper]
    return map("\t".join, cells.tolist())


def _rounded(numbers: np.ndarray) -> list[str]:
    form = "%d" if np.issubdtype(numbers.dtype, np.integer) else f"%.{MATRIX_DIGITS}g"
    cells = (" ".join([form] * len(numbers)) % tuple(numbers.tolist())).split()
    for place in np.flatnonzero(~np.isfinite(numbers)):
        cells[place] = MISSING
    return cells


def read_matrix(path: str | Path) -> tuple[list[str], np.ndarray]:
    """Read a square matrix: node names and an array of shape (n_nodes, n_nodes), NaN where the table says n/a."""
    names, matrix = _read_numbers(path, first_column_is_name=True)
    if matrix.shape != (len(names), len(names)):
        raise InputError(f"{path}: the matrix is not square ({matrix.shape[0]} rows, {len(names)} columns).")
    return names, matrix


def _read_numbers(path: str | Path, first_column_is_name: bool = False) -> tuple[list[str], np.ndarray]:
    skip = 1 if first_column_is_name else 0
    try:
        with open(path, encoding="utf-8") as file:
            names = file.readline().rstrip("\n").split("\t")[skip:]
            rows = [line.rstrip("\n") for line in file]
        if first_column_is_name:
            rows = [row[row.index("\t") + 1 :] for row in rows]
        if not rows:
            return names, np.empty((0, len(names)))
        array = np.loadtxt([row.replace(MISSING, "nan") for row in rows], delimiter="\t", comments=None, ndmin=2)
        if array.shape != (len(rows), len(names)):
            raise ValueError(f"{len(rows)} rows of {len(names)} columns are expected, found {array.shape}")
    except (OSError, ValueError) as problem:
        raise InputError(f"{path}: not a readable table of numbers ({problem}).") from problem
    return names, array

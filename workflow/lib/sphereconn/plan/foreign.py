"""Files of a person in the folder of the results that have the name of one that describes the data set."""

from __future__ import annotations

from pathlib import Path

from sphereconn.errors import InputError
from sphereconn.ledger import made_here
from sphereconn.plan.dataset import ignored
from sphereconn.plan.products import DESCRIPTION
from sphereconn.provenance import NAME


def check_descriptions(folder: str, source: str) -> None:
    """Raise ``InputError`` where a study would replace a ``README.md`` or ``.bidsignore`` that it has not written.

    A file is the study's if the ledger says so or if its content does: a run that was interrupted has left no record.
    Without content there is nothing to lose. A link is never the study's.
    """
    unlike = [name for name in (DESCRIPTION["readme"], DESCRIPTION["ignored"]) if not _looks_ours(Path(folder, name))]
    made = made_here(folder) if unlike else {}
    for name in unlike:
        if name not in made:
            raise InputError(
                f"{source}: output_dir: '{folder}' contains a {name} that was not written by {NAME} and would be"
                " replaced; rename it or move it elsewhere."
            )


def _looks_ours(path: Path) -> bool:
    if path.is_symlink():
        return False
    if not path.exists():
        return True
    if not path.is_file():
        return False
    try:
        content = path.read_bytes()
    except OSError:
        return False
    if path.name == DESCRIPTION["ignored"]:
        return content.strip() in (b"", ignored().encode().strip())
    return not content.strip() or f"\nMade by {NAME} ".encode() in content

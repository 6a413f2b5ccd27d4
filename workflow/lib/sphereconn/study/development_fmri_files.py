"""What a downloaded file of the development_fmri data set must be, before its checksum is kept."""

from __future__ import annotations

from pathlib import Path

from sphereconn.errors import InputError
from sphereconn.extract.images import iter_frames, read_header
from sphereconn.files import read_rows
from sphereconn.study.development_fmri import REDUCED

# Bytes; 18 MB and 0.1 MB are usual. An image of 50 x 59 x 50 voxels and 168 frames has 198 MB before it is compressed,
# if its values are stored in double precision.
LARGEST_IMAGE, LARGEST_TABLE = 200_000_000, 5_000_000


def check_image(path: str | Path) -> None:
    """Raise ``InputError`` unless the file is a sound 4D image that is no larger than one of the data set."""
    header = read_header(path)
    n_bytes = header.n_frames * header.n_voxels * header.dtype.itemsize
    if n_bytes > LARGEST_IMAGE:
        raise InputError(f"{path}: the image has {n_bytes} bytes, one of the data set at most {LARGEST_IMAGE}.")
    for _ in iter_frames(header):
        pass


def check_confounds(path: str | Path) -> None:
    """Raise ``InputError`` unless the file is a table with the columns that nilearn's examples use."""
    columns, _ = read_rows(path)
    if missing := [column for column in REDUCED if column not in columns]:
        raise InputError(f"{path}: the column '{missing[0]}' is missing.")

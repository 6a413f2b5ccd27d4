"""Reading 4D NIfTI images frame by frame, never the whole image, and masks on any grid."""

from __future__ import annotations

import math
import os
from collections.abc import Generator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from isal import isal_zlib

from sphereconn.errors import InputError
from sphereconn.extract.formats import other_format
from sphereconn.files import check_file

# The fields that matter of the two header layouts, https://nifti.nimh.nih.gov/nifti-1 and /nifti-2: name, type, byte.
_NIFTI1 = (
    ("dim", "i2", (8,), 40),
    ("datatype", "i2", (), 70),
    ("pixdim", "f4", (8,), 76),
    ("vox_offset", "f4", (), 108),
    ("scl_slope", "f4", (), 112),
    ("scl_inter", "f4", (), 116),
    ("xyzt_units", "u1", (), 123),
    ("qform_code", "i2", (), 252),
    ("sform_code", "i2", (), 254),
    ("quatern", "f4", (3,), 256),
    ("qoffset", "f4", (3,), 268),
    ("srow", "f4", (3, 4), 280),
)
_NIFTI2 = (
    ("dim", "i8", (8,), 16),
    ("datatype", "i2", (), 12),
    ("pixdim", "f8", (8,), 104),
    ("vox_offset", "i8", (), 168),
    ("scl_slope", "f8", (), 176),
    ("scl_inter", "f8", (), 184),
    ("xyzt_units", "i4", (), 500),
    ("qform_code", "i4", (), 344),
    ("sform_code", "i4", (), 348),
    ("quatern", "f8", (3,), 352),
    ("qoffset", "f8", (3,), 376),
    ("srow", "f8", (3, 4), 400),
)
_NIFTI1_SIZE, _NIFTI2_SIZE = 348, 540
_DATATYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_OTHER_DATATYPES = {
    1: "bits",
    32: "complex numbers",
    128: "RGB colours",
    1536: "128-bit numbers",
    1792: "complex numbers",
    2048: "complex numbers",
    2304: "RGBA colours",
}
_XFORM_CODES = range(1, 6)
_SECONDS = {0: 1.0, 8: 1.0, 16: 1e-3, 24: 1e-6}  # by the time bits of xyzt_units; 0, no unit, is read as seconds
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_LARGEST_RATIO = 1032  # deflate writes a run of 258 equal bytes in no less than two bits
_LARGEST_FRAME = 1 << 26  # voxels: 400 a side; a forged header of more would cost gigabytes
_MOST_FRAMES = 1 << 17  # 3.6 hours at ten a second
_MOST_BEHIND = 1 << 28  # bytes that may follow the last frame: a stream may inflate to a thousand times its size
_GZIP_BLOCK = 512 * 1024  # bytes read at once; larger blocks fall out of the cache, smaller ones cost calls
_HEADER_BLOCK = 4096  # bytes read for a header

_Stream: TypeAlias = "FileIO | isal_zlib._GzipReader"
# The last is what isal makes of a gzip header that does not end: the name of a file may stand in it.
_STREAM_ERRORS = (OSError, cast("type[Exception]", isal_zlib.error), OverflowError)


@dataclass(frozen=True)
class ImageHeader:
    """What the header of a NIfTI image says.

    Attributes
    ----------
    path : str
        The file.
    shape : tuple of int
        Voxels along the three axes.
    n_frames : int
        Number of frames.
    affine : numpy.ndarray, shape (4, 4)
        From voxel indices to mm, as float64.
    dtype : numpy.dtype
        Type of the stored values, with their byte order.
    slope, intercept : float
        Value = slope * stored value + intercept; 1 and 0 when the image is not scaled.
    repetition_time : float or None
        Seconds from frame to frame; None when the header does not say.
    data_offset : int
        The byte of the (decompressed) file at which the values start.
    """

    path: str
    shape: tuple[int, int, int]
    n_frames: int
    affine: np.ndarray
    dtype: np.dtype[Any]
    slope: float
    intercept: float
    repetition_time: float | None
    data_offset: int

    @property
    def n_voxels(self) -> int:
        """Number of voxels of one frame."""
        return math.prod(self.shape)


def read_header(path: str | Path) -> ImageHeader:
    """Read the header of a 4D image (.nii or .nii.gz, NIfTI-1 or NIfTI-2, either byte order).

    The affine is the sform when its code is set, else the qform. Where neither is set, the header does not say where
    the brain is, nor which side is left; other programs guess.

    Raises
    ------
    InputError
        When the file cannot be read, is no 4D NIfTI image of real numbers, has no affine or one that cannot be
        inverted, or is smaller than what its header announces.
    """
    header, n_dimensions = _read_header(path)
    if n_dimensions != 4:
        raise InputError(f"{path}: a 4D image is needed, this one has {n_dimensions} dimensions.")
    return header


def read_volume_header(path: str | Path) -> ImageHeader:
    """Read the header of a 3D image, as ``read_header`` does of a 4D one; a fourth axis of length 1 is fine."""
    header, _ = _read_header(path)
    if header.n_frames != 1:
        raise InputError(f"{path}: a 3D image is needed, this one has {header.n_frames} frames.")
    return header


def iter_frames(header: ImageHeader) -> Generator[np.ndarray, None, None]:
    """Give the frames of an image one by one, as stored (not scaled).

    The file is read to its end, so a compressed image whose checksum or length is wrong ends in an error, after the
    frames. Each frame is the same array, filled anew: copy what is to be kept.

    Yields
    ------
    numpy.ndarray, shape (n_voxels,)
        The values of a frame in the order of the file: the first axis of the image varies fastest.

    Raises
    ------
    InputError
        When the file is damaged or ends before the last frame; the message says after which frame.
    """
    frame = np.empty(header.n_voxels, dtype=header.dtype)
    content = frame.view(np.uint8).data
    n_read = 0
    with open(header.path, "rb", buffering=0) as file:
        stream = _stream(header.path, file)
        try:
            _skip(stream, header.data_offset)
            while n_read < header.n_frames and _fill(stream, content) == len(content):
                n_read += 1
                yield frame
            if n_read == header.n_frames:
                n_behind = 0
                while count := stream.readinto(content):  # the gzip trailer is checked where the stream ends
                    n_behind += count
                    if n_behind > _MOST_BEHIND:
                        raise InputError(
                            f"{header.path}: the file continues for more than {_MOST_BEHIND >> 20} MB after the last of"
                            f" the {header.n_frames} frames that its header announces; is it damaged?"
                        )
                return
        except EOFError as problem:
            raise InputError(
                f"{header.path}: the file is damaged: the gzip stream ends after frame {n_read} of {header.n_frames}."
            ) from problem
        except _STREAM_ERRORS as problem:
            raise InputError(
                f"{header.path}: the file is damaged ({problem}), noticed after frame {n_read} of {header.n_frames}."
            ) from problem
    raise InputError(f"{header.path}: the file is too short: it ends after frame {n_read} of {header.n_frames}.")


def read_mask(path: str | Path, shape: tuple[int, int, int], affine: np.ndarray) -> np.ndarray:
    """Read a mask and bring it to a grid by nearest neighbour.

    A voxel is inside where the mask is finite and not 0; outside of the mask's own grid nothing is inside.

    Parameters
    ----------
    path
        A 3D NIfTI image (a fourth axis of length 1 is fine) on any grid.
    shape
        Voxels along the three axes of the wanted grid.
    affine : numpy.ndarray, shape (4, 4)
        From voxel indices of the wanted grid to mm.

    Returns
    -------
    numpy.ndarray of bool, of the wanted shape

    Raises
    ------
    InputError
        When the mask cannot be read, has several frames, is empty or does not reach the wanted grid.
    """
    header, _ = _read_header(path)
    if header.n_frames != 1:
        raise InputError(f"{path}: a mask has one frame, this image has {header.n_frames}.")
    for frame in iter_frames(header):
        values = header.slope * frame.astype(np.float64) + header.intercept
    mask = ((values != 0) & np.isfinite(values)).reshape(header.shape, order="F")
    if not mask.any():
        raise InputError(f"{path}: the mask is empty; at least one voxel must be finite and not 0.")
    mask = _resample_nearest(mask, header.affine, shape, affine)
    if not mask.any():
        raise InputError(
            f"{path}: no voxel of the mask lies in the field of view of the image; are both in the same space?"
        )
    return mask


def _resample_nearest(
    mask: np.ndarray, mask_affine: np.ndarray, shape: tuple[int, int, int], affine: np.ndarray
) -> np.ndarray:
    """Give ``mask`` on the grid of ``shape`` and ``affine``: each voxel takes the value at its centre.

    A centre within the outer half of a border voxel of the mask counts as outside, and a centre midway between two
    voxels takes the one of larger index. Sums are formed in the order of scipy.ndimage.affine_transform, so that
    such ties fall as they do there.
    """
    if mask.shape == shape and np.allclose(affine, mask_affine):
        return mask
    to_mask = np.eye(4) if np.array_equal(affine, mask_affine) else np.linalg.inv(mask_affine) @ affine
    matrix, offset = to_mask[:3, :3], to_mask[:3, 3]
    indices = [np.arange(n, dtype=np.float64) for n in shape]
    if np.array_equal(matrix, np.diag(np.diag(matrix))):
        steps = np.diag(matrix)
        nearest = [(i + start / step) * step for i, start, step in zip(indices, offset, steps, strict=True)]
        x, y, z = ((at >= 0) & (at <= n - 1) for at, n in zip(nearest, mask.shape, strict=True))
        voxels = [np.floor(at[ok] + 0.5).astype(np.intp) for ok, at in zip((x, y, z), nearest, strict=True)]
        resampled = np.zeros(shape, dtype=bool)
        resampled[np.ix_(x, y, z)] = mask[np.ix_(*voxels)]
        return resampled
    resampled = np.zeros(shape, dtype=bool)
    i, j = indices[0][:, None], indices[1][None, :]
    for k in range(shape[2]):  # plane by plane: coordinates of all voxels would need more memory than the mask
        at = [((start + row[0] * i) + row[1] * j) + row[2] * k for start, row in zip(offset, matrix, strict=True)]
        ok = np.logical_and.reduce([(x >= 0) & (x <= n - 1) for x, n in zip(at, mask.shape, strict=True)])
        resampled[ok, k] = mask[tuple(np.floor(x[ok] + 0.5).astype(np.intp) for x in at)]
    return resampled


def _stream(path: str, file: FileIO, block: int = _GZIP_BLOCK) -> _Stream:
    # isal's own reader class fills our buffer directly; its public file class copies every byte once more.
    return isal_zlib._GzipReader(file, block) if path.lower().endswith(".gz") else file


def _fill(stream: _Stream, content: memoryview) -> int:
    """Read until ``content`` is full or the stream ends; give the number of bytes read."""
    filled = 0
    while filled < len(content) and (count := stream.readinto(content[filled:])):
        filled += count
    return filled


def _skip(stream: _Stream, n_bytes: int) -> None:
    block = memoryview(bytearray(min(n_bytes, 1 << 20)))
    while n_bytes and (count := _fill(stream, block[: min(n_bytes, len(block))])):
        n_bytes -= count


def _read_header(path: str | Path) -> tuple[ImageHeader, int]:
    """Read a header; give it with its number of dimensions, less those of length 1 after the fourth."""
    path = str(path)
    if other := other_format(path):
        raise InputError(f"{path}: {other}.")
    check_file(path)
    start = bytearray(_NIFTI2_SIZE)
    try:
        size = os.path.getsize(path)
        if other := _other_content(path, size):
            raise InputError(f"{path}: {other}.")
        with open(path, "rb", buffering=0) as file:
            length = _fill(_stream(path, file, _HEADER_BLOCK), memoryview(start))
    except EOFError as problem:
        raise InputError(f"{path}: the file is damaged: the gzip stream ends within the header.") from problem
    except _STREAM_ERRORS as problem:
        reason = getattr(problem, "strerror", None)  # of the system; what a decoder says is about the content
        raise InputError(
            f"{path}: the file cannot be read ({reason})." if reason else f"{path}: the file is damaged ({problem})."
        ) from problem

    fields, least_offset = _parse(path, bytes(start[:length]))
    n_dimensions = int(fields["dim"][0])
    dimensions = [int(n) for n in fields["dim"][1 : n_dimensions + 1]]
    while len(dimensions) > 4 and dimensions[-1] == 1:
        dimensions.pop()
    if min(dimensions) < 1 or len(dimensions) < 3:
        raise InputError(
            f"{path}: the header gives the dimensions {dimensions}; three or more of at least 1 are needed."
        )
    code = int(fields["datatype"])
    if code not in _DATATYPES:
        kind = _OTHER_DATATYPES.get(code, f"unknown type {code}")
        raise InputError(f"{path}: the values must be integers or real numbers of up to 64 bits, these are {kind}.")
    dtype = np.dtype(_DATATYPES[code]).newbyteorder(fields.dtype["dim"].base.byteorder)
    shape = (dimensions[0], dimensions[1], dimensions[2])
    offset = float(fields["vox_offset"])
    if not (offset == 0 or least_offset <= offset < 2**63):
        raise InputError(f"{path}: the header puts the values at byte {offset:g}; allowed: {least_offset} or more.")
    slope, intercept = _scaling(path, fields)
    header = ImageHeader(
        path=path,
        shape=shape,
        n_frames=math.prod(dimensions[3:]),
        affine=_affine(path, fields),
        dtype=dtype,
        slope=slope,
        intercept=intercept,
        repetition_time=_repetition_time(fields) if len(dimensions) > 3 else None,
        data_offset=int(offset) or least_offset,
    )
    if header.n_voxels > _LARGEST_FRAME or header.n_frames > _MOST_FRAMES:
        raise InputError(
            f"{path}: the header announces {header.n_frames} frames of {' x '.join(map(str, shape))} voxels; allowed:"
            f" up to {_MOST_FRAMES} frames of up to {_LARGEST_FRAME} voxels."
        )
    # Before anything is allocated: a damaged or forged header must not ask for more than the file can hold.
    announced = header.data_offset + header.n_voxels * header.n_frames * dtype.itemsize
    if announced > size * (_GZIP_LARGEST_RATIO if path.lower().endswith(".gz") else 1):
        raise InputError(
            f"{path}: the header announces {header.n_frames} frames of {' x '.join(map(str, shape))} voxels,"
            f" {announced} bytes, more than a file of {size} bytes can hold; is it complete?"
        )
    # What follows the last frame is skipped, which takes for ever in a file of terabytes.
    most = 2 * announced + _MOST_BEHIND
    if size > most:
        raise InputError(
            f"{path}: the file has {size:,} bytes, the {header.n_frames} frames that its header announces need"
            f" {announced:,}; is it damaged?"
        )
    return header, len(dimensions)


def _other_content(path: str, size: int) -> str | None:
    """Say what is in a file whose name says something else; None for what may be an image."""
    if size == 0:
        return "the file is empty"
    with open(path, "rb") as file:
        is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        file.seek(_NIFTI1_SIZE - 4)
        is_image = not is_gzip and file.read(4) == b"n+1\0"
    if path.lower().endswith(".gz"):
        return "the name says that the file is compressed, and it is not; rename it to .nii" if is_image else None
    return "the file is compressed, and its name does not say so; rename it to .nii.gz" if is_gzip else None


def _parse(path: str, start: bytes) -> tuple[np.void, int]:
    """Find the layout and byte order of a header; give its fields and the first byte at which values may start."""
    if start[344:348] == b"n+1\0":
        layout, size = _NIFTI1, _NIFTI1_SIZE
    elif start[4:12] == b"n+2\0\r\n\x1a\n" and len(start) >= _NIFTI2_SIZE:
        layout, size = _NIFTI2, _NIFTI2_SIZE
    elif start[344:347] == b"ni1" or start[4:7] == b"ni2":
        raise InputError(f"{path}: this is half of a pair of header and image; merge them into one .nii file.")
    else:
        raise InputError(f"{path}: this is not a NIfTI image.")
    names, types, shapes, offsets = zip(*layout, strict=True)
    for order in "<>":
        formats = [(order + kind, shape) for kind, shape in zip(types, shapes, strict=True)]
        layout_dtype = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})
        fields: np.void = np.frombuffer(start, layout_dtype, count=1)[0]
        if 1 <= fields["dim"][0] <= 7:
            return fields, size + 4  # four bytes tell of header extensions
    raise InputError(f"{path}: the NIfTI header is damaged: its number of dimensions is not between 1 and 7.")


def _scaling(path: str, fields: np.void) -> tuple[float, float]:
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0  # the standard's way to say that the values are not scaled
    if not math.isfinite(intercept):
        raise InputError(f"{path}: the header scales the values by {slope:g} but its intercept is {intercept}.")
    return slope, intercept


def _repetition_time(fields: np.void) -> float | None:
    time = float(fields["pixdim"][4])
    unit = int(fields["xyzt_units"]) & 0b111000
    # Libraries write 1 and no unit when nobody told them the time.
    if unit not in _SECONDS or not (0 < time < math.inf) or (unit == 0 and time == 1):
        return None
    # Single precision turned 0.8 into 0.800000012: seven digits are what the header knows.
    return float(f"{time * _SECONDS[unit]:.7g}")


def _affine(path: str, fields: np.void) -> np.ndarray:
    sizes = np.abs(fields["pixdim"][1:4].astype(np.float64))
    sizes[sizes == 0] = 1
    affine = np.eye(4)
    if fields["sform_code"] in _XFORM_CODES:
        affine[:3] = fields["srow"]
    elif fields["qform_code"] in _XFORM_CODES:
        if fields["pixdim"][0] == -1:
            sizes[2] *= -1
        affine[:3, :3] = _rotation(path, fields["quatern"].astype(np.float64)) * sizes
        affine[:3, 3] = fields["qoffset"]
    else:
        raise InputError(
            f"{path}: the header does not say where the image lies in mm, nor which side is left (sform_code and"
            " qform_code are 0); copy the orientation from the image it was made of, with fslcpgeom or nibabel."
        )
    if not np.isfinite(affine).all() or np.linalg.matrix_rank(affine[:3, :3]) < 3:
        raise InputError(f"{path}: the affine of the header cannot be inverted, so voxels have no place in mm.")
    return affine


def _rotation(path: str, vector: np.ndarray) -> np.ndarray:
    """Give the rotation matrix of the unit quaternion whose vector part is ``vector`` and scalar part not negative."""
    squared = 1 - vector @ vector
    if abs(squared) < 3 * np.finfo(np.float32).eps:
        squared = 0.0  # half a turn, up to the precision of the header
    if not squared >= 0:
        raise InputError(
            f"{path}: the header's rotation (quatern_b, quatern_c, quatern_d) is no part of a unit quaternion."
        )
    w, (x, y, z) = math.sqrt(squared), vector
    rotation = np.array(
        [
            [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), w * w + y * y - x * x - z * z, 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), w * w + z * z - x * x - y * y],
        ]
    )
    return np.asarray(rotation / (w * w + vector @ vector))

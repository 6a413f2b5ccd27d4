"""Forged headers and streams end in a sentence, and cost no more memory or time than an image that one would scan."""

import gzip
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_images import save

from sphereconn.errors import InputError
from sphereconn.extract.images import read_header, read_mask
from sphereconn.extract.signals import extract_sphere_signals

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])
SHAPE = (6, 5, 4)
SEEDS, RADII = np.array([[3.0, 3.0, 3.0], [12.0, 9.0, 6.0]]), np.array([4.0, 3.0])
CLASSES = {"1": nibabel.Nifti1Image, "2": nibabel.Nifti2Image}
FIELDS = [
    *("dim", "datatype", "bitpix", "pixdim", "vox_offset", "scl_slope", "scl_inter", "xyzt_units", "magic"),
    *("qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "srow_x", "srow_y", "srow_z"),
]
FLOATS = [0.0, 1.0, -1.0, float("nan"), float("inf"), -float("inf"), 3e38, 1e-45, 1e20, 65536.0, 1e308, 5e-324]
INTEGERS = [0, 1, -1, 2, 3, 5, 7, 8, 16, 64, 255, 512, 32767, -32768, 2**31 - 1, 2**62, -(2**62)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    numbers = np.random.default_rng(0).standard_normal((*SHAPE, 7)).astype("f4")
    for kind, image_class in CLASSES.items():
        save(folder / f"bold{kind}.nii", numbers, AFFINE, image_class=image_class)
        save(folder / f"mask{kind}.nii", np.ones(SHAPE, dtype="u1"), AFFINE, image_class=image_class)
    return folder


def forged(content, kind, changes):
    """Put values into fields of a header."""
    content, layout = bytearray(content), CLASSES[kind].header_class().structarr.dtype
    for field, place, real, whole in changes:
        dtype, offset = layout.fields[field][:2]
        item = dtype.base
        at = offset + place % (dtype.itemsize // item.itemsize) * item.itemsize
        with np.errstate(all="ignore"):
            value = np.array(whole if item.kind in "iu" else real if item.kind == "f" else b"n+9").astype(item)
        content[at : at + item.itemsize] = value.tobytes()
    return bytes(content)


change = st.tuples(st.sampled_from(FIELDS), st.integers(0, 7), st.sampled_from(FLOATS), st.sampled_from(INTEGERS))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(list(CLASSES)), st.lists(change, min_size=1, max_size=3), st.booleans(), st.sampled_from([0.0, 6.0])
)
def test_no_forged_header_raises_anything_but_an_input_error(folder, kind, changes, compressed, smoothing_fwhm):
    ending = ".nii.gz" if compressed else ".nii"
    for name in ("bold", "mask"):
        path = folder / f"forged_{name}{ending}"
        content = forged((folder / f"{name}{kind}.nii").read_bytes(), kind, changes)
        path.write_bytes(gzip.compress(content, 1) if compressed else content)
        try:
            if name == "bold":
                signals = extract_sphere_signals(
                    path, ["a", "b"], SEEDS, RADII, smoothing_fwhm=smoothing_fwhm, overlap="allow"
                )
                assert signals.signals.shape == (read_header(path).n_frames, 2)
            else:
                assert read_mask(path, SHAPE, AFFINE).shape == SHAPE
        except InputError as problem:
            assert str(path) in str(problem) or "radius" in str(problem)


def announcing(shape, image_class=nibabel.Nifti2Image):
    header = image_class.header_class()
    header.set_data_dtype("u1")
    header.set_data_shape(shape)
    header.set_sform(AFFINE, 1)
    header["vox_offset"] = header.single_vox_offset
    return header.binaryblock.ljust(header.single_vox_offset, b"\0")


@pytest.mark.parametrize("shape", [(1000, 1000, 68, 1), (1, 1, 1, 200_000)], ids=["voxels", "frames"])
def test_more_voxels_or_frames_than_any_scan_has_are_refused_though_the_file_may_hold_them(tmp_path, shape):
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(gzip.compress(announcing(shape) + bytes(np.prod(shape)), 9))
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="allowed: up to 131072 frames of up to 67108864 voxels"):
        read_header(path)


def test_a_stream_that_never_ends_is_not_followed(tmp_path):
    path = tmp_path / "bomb.nii.gz"
    member = gzip.compress(bytes(1 << 24))
    path.write_bytes(gzip.compress(announcing((4, 4, 4, 10)) + bytes(640)) + member * 64)  # a gigabyte
    with pytest.raises(InputError, match="continues for more than 256 MB after the last of the 10 frames"):
        extract_sphere_signals(path, ["a", "b"], SEEDS, RADII)


@pytest.mark.parametrize("shape", [(4, 4, 4, 10), (30000, 30000, 30000, 1), (400, 400, 400, 1)])
def test_a_bomb_of_an_image_or_a_mask_needs_little_memory(tmp_path, shape):
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(gzip.compress(announcing(shape)) + gzip.compress(bytes(1 << 24)) * 8)
    limited = f"""
import resource, sys
sys.path.insert(0, {str(LIBRARY)!r})
import numpy as np
from sphereconn.errors import InputError
from sphereconn.extract.images import read_mask
from sphereconn.extract.signals import extract_sphere_signals
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
for use in (
    lambda: extract_sphere_signals({str(path)!r}, ["a"], np.ones((1, 3)), np.ones(1)),
    lambda: read_mask({str(path)!r}, (4, 4, 4), np.eye(4)),
):
    try:
        use()
    except InputError as problem:
        print(problem)
"""
    done = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "bomb.nii.gz" in done.stdout

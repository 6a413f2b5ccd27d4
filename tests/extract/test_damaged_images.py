"""A damaged compressed image ends in an error, whichever byte is damaged: never in other numbers."""

import gzip

import numpy as np
import pytest
from made_images import save

from sphereconn.errors import InputError
from sphereconn.extract.images import iter_frames, read_header, read_mask
from sphereconn.extract.signals import extract_sphere_signals

FRAMES = np.random.default_rng(0).integers(0, 500, (4, 4, 3, 12)).astype("i2")
FIXED_HEADER = 10  # bytes of a gzip header before the file name


def read(path):
    header = read_header(path)
    frames = [frame.copy().reshape(header.shape, order="F") for frame in iter_frames(header)]
    return np.stack(frames, axis=-1), header


@pytest.fixture
def compressed(tmp_path):
    """The bytes of a small compressed image, made with a file name in its gzip header."""
    content = save(tmp_path / "image.nii", FRAMES, np.eye(4)).read_bytes()
    with gzip.GzipFile(tmp_path / "image.nii.gz", "wb", mtime=0) as file:
        file.write(content)
    return (tmp_path / "image.nii.gz").read_bytes()


def test_a_file_cut_at_any_byte_is_an_error(tmp_path, compressed):
    path = tmp_path / "cut.nii.gz"
    for length in range(len(compressed)):
        path.write_bytes(compressed[:length])
        with pytest.raises(InputError, match=r"cut\.nii\.gz"):
            read(path)


def test_a_changed_byte_is_an_error_or_changes_nothing(tmp_path, compressed):
    path = tmp_path / "changed.nii.gz"
    path.write_bytes(compressed)
    frames, header = read(path)
    np.testing.assert_array_equal(frames, FRAMES)
    unnoticed = set()
    for at in range(len(compressed)):
        for flip in (0x01, 0x10, 0x80, 0xFF):
            damaged = bytearray(compressed)
            damaged[at] ^= flip
            path.write_bytes(damaged)
            try:
                frames, again = read(path)
            except InputError as problem:
                assert "changed.nii.gz" in str(problem)
                continue
            unnoticed.add(at)
            np.testing.assert_array_equal(frames, FRAMES)
            np.testing.assert_array_equal(again.affine, header.affine)
            assert (again.slope, again.intercept, again.repetition_time) == (1.0, 0.0, header.repetition_time)
    # Some bytes say nothing of the content: the time, the level of compression, the operating system, the file name;
    # and a few bits of the stream are never used. The bytes of the checksum and of the length are not among them.
    assert set(range(4, FIXED_HEADER)) <= unnoticed
    assert unnoticed.isdisjoint(range(len(compressed) - 8, len(compressed)))


def test_the_message_says_after_which_frame_a_stream_ends(tmp_path):
    # Stored, not compressed, so that the place of the cut is known: 352 bytes, then 96 a frame.
    content = save(tmp_path / "image.nii", FRAMES, np.eye(4)).read_bytes()
    path = tmp_path / "cut.nii.gz"
    path.write_bytes(gzip.compress(content, compresslevel=0)[: 15 + 352 + 5 * 96 + 50])
    with pytest.raises(InputError, match="damaged: the gzip stream ends after frame 5 of 12"):
        read(path)


def test_a_stream_that_ends_well_but_early_is_too_short(tmp_path):
    content = save(tmp_path / "image.nii", FRAMES, np.eye(4)).read_bytes()
    path = tmp_path / "short.nii.gz"
    path.write_bytes(gzip.compress(content[: 352 + 7 * 96 + 95]))
    with pytest.raises(InputError, match="too short: it ends after frame 7 of 12"):
        read(path)


def test_a_short_uncompressed_file_is_an_error(tmp_path):
    path = save(tmp_path / "image.nii", FRAMES, np.eye(4))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="announces 12 frames of 4 x 4 x 3 voxels"):
        read(path)


def test_something_else_after_the_stream_is_an_error(tmp_path, compressed):
    path = tmp_path / "longer.nii.gz"
    path.write_bytes(compressed + b"something else")
    with pytest.raises(InputError, match=r"damaged .*, noticed after frame 1[12] of 12"):
        read(path)


@pytest.mark.parametrize("place", [-8, -4])  # the checksum, the length
def test_signals_are_never_given_from_a_file_whose_trailer_is_wrong(tmp_path, compressed, place):
    path = tmp_path / "image.nii.gz"
    damaged = bytearray(compressed)
    damaged[place] ^= 0x01
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"damaged .*, noticed after frame 1[12] of 12"):
        extract_sphere_signals(path, ["a"], np.array([[1.0, 1.0, 1.0]]), np.array([1.0]))


@pytest.mark.parametrize("place", [-8, -4, -1200])  # the checksum, the length, the stream behind the last frame
def test_a_stream_that_goes_on_behind_the_last_frame_is_read_to_its_end(tmp_path, place):
    content = save(tmp_path / "image.nii", FRAMES, np.eye(4)).read_bytes()
    padded = bytearray(gzip.compress(content + np.random.default_rng(1).bytes(4000)))
    padded[place] ^= 0x01
    path = tmp_path / "image.nii.gz"
    path.write_bytes(padded)
    with pytest.raises(InputError, match=r"damaged .*, noticed after frame 12 of 12"):
        extract_sphere_signals(path, ["a"], np.array([[1.0, 1.0, 1.0]]), np.array([1.0]))


def test_a_damaged_mask_is_an_error(tmp_path):
    path = save(tmp_path / "mask.nii.gz", np.ones((4, 4, 3), dtype="u1"), np.eye(4))
    damaged = bytearray(path.read_bytes())
    damaged[-6] ^= 0x01
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"mask\.nii\.gz: the file is damaged"):
        read_mask(path, (4, 4, 3), np.eye(4))

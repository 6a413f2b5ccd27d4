"""What is read from NIfTI files: headers as nibabel reads them, frames one by one."""

import gzip
import tracemalloc
import warnings

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_images import random_affine, save, scaled_affine

from sphereconn.errors import InputError
from sphereconn.extract.images import iter_frames, read_header

TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
finite = st.floats(-200, 200, width=32)


def numbers(dtype, shape=(4, 3, 5, 6)):
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.normal(1000, 50, shape).astype(dtype)
    return rng.integers(0, 100, shape).astype(dtype)


def frames_of(path):
    header = read_header(path)
    return header, np.stack([frame.copy().reshape(header.shape, order="F") for frame in iter_frames(header)], axis=-1)


@pytest.mark.parametrize("image_class", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", TYPES)
def test_every_numeric_type_is_read_as_it_was_written(tmp_path, dtype, order, suffix, image_class):
    data = numbers(dtype)
    affine = random_affine(np.random.default_rng(1), data.shape[:3])
    path = save(tmp_path / f"image{suffix}", data, affine, order=order, image_class=image_class)

    header, frames = frames_of(path)

    np.testing.assert_array_equal(frames, data)
    assert header.dtype == np.dtype(dtype).newbyteorder(order)
    assert (header.shape, header.n_frames, header.n_voxels) == ((4, 3, 5), 6, 60)
    np.testing.assert_array_equal(header.affine, nibabel.load(path).affine)
    assert (header.slope, header.intercept, header.repetition_time) == (1.0, 0.0, 2.0)


def header_bytes(image_class, order, fields):
    header = image_class.header_class(endianness=order)
    header.set_data_shape((2, 3, 4, 2))
    header.set_data_dtype(np.int16)
    header["vox_offset"] = header.single_vox_offset
    header["magic"] = header.single_magic
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + bytes(4) + bytes(2 * 3 * 4 * 2 * 2)


EYE = {"sform_code": 1, "srow_x": [1, 0, 0, 0], "srow_y": [0, 1, 0, 0], "srow_z": [0, 0, 1, 0]}


@settings(max_examples=150, deadline=None)
@given(
    image_class=st.sampled_from([nibabel.Nifti1Image, nibabel.Nifti2Image]),
    order=st.sampled_from("<>"),
    codes=st.tuples(st.integers(-1, 6), st.integers(-1, 6)),
    qfac=st.sampled_from([-1, 0, 1]),
    sizes=st.tuples(*[st.sampled_from([-2.5, 0, 0.7, 3.0])] * 3),
    vector=arrays(np.float32, 3, elements=st.floats(-0.5625, 0.5625, width=32)),
    offsets=arrays(np.float32, 3, elements=finite),
    rows=arrays(np.float32, (3, 4), elements=finite),
    slope=st.sampled_from([0.0, 1.0, -2.5, 0.1, np.nan, np.inf]),
    intercept=st.sampled_from([0.0, 10.0]),
)
def test_affine_and_scaling_are_those_that_nibabel_reads(
    tmp_path_factory, image_class, order, codes, qfac, sizes, vector, offsets, rows, slope, intercept
):
    fields = {"sform_code": codes[0], "qform_code": codes[1], "scl_slope": slope, "scl_inter": intercept}
    fields |= {"quatern_b": vector[0], "quatern_c": vector[1], "quatern_d": vector[2]}
    fields |= {"qoffset_x": offsets[0], "qoffset_y": offsets[1], "qoffset_z": offsets[2]}
    fields |= {"srow_x": rows[0], "srow_y": rows[1], "srow_z": rows[2]}
    fields["pixdim"] = [qfac, *sizes, 2.0, 1.0, 1.0, 1.0]
    path = tmp_path_factory.getbasetemp() / "header.nii"
    path.write_bytes(header_bytes(image_class, order, fields))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nibabel.imageglobals.logger.disabled = True
        image = nibabel.load(path)
    scaled = image.dataobj

    if not any(1 <= code <= 5 for code in codes):  # nibabel guesses
        with pytest.raises(InputError, match="does not say where the image lies in mm, nor which side is left"):
            read_header(path)
        return
    if np.linalg.matrix_rank(image.affine[:3, :3]) < 3:
        with pytest.raises(InputError, match="cannot be inverted"):
            read_header(path)
        return
    header = read_header(path)

    # nibabel turns quaternions into matrices in extended precision: the last digit of float64 may differ.
    np.testing.assert_allclose(header.affine, image.affine, rtol=0, atol=1e-12)
    assert (header.slope, header.intercept) == (scaled.slope, scaled.inter)


@pytest.mark.parametrize("vector", [(1.0, 0.0, 0.0), (0.6, 0.8, 0.0), (0.0, 0.0, 1.0), (0.70710677, 0.0, 0.70710677)])
def test_half_a_turn_in_single_precision_is_a_rotation(tmp_path, vector):
    fields = {"qform_code": 1, "pixdim": [1, 2, 3, 4, 1, 1, 1, 1]}
    fields |= dict(zip(("quatern_b", "quatern_c", "quatern_d"), vector, strict=True))
    path = tmp_path / "turned.nii"
    path.write_bytes(header_bytes(nibabel.Nifti1Image, "<", fields))
    np.testing.assert_allclose(read_header(path).affine, nibabel.load(path).affine, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("time", "unit", "seconds"),
    [
        (2.0, 8, 2.0),
        (1.0, 8, 1.0),
        (0.8, 8, 0.8),  # as float32 it is 0.800000012
        (2520.0, 16, 2.52),
        (720000.0, 24, 0.72),
        (2.5, 0, 2.5),
        (1.0, 0, None),  # what libraries write when nobody told them
        (0.0, 8, None),
        (-2.0, 8, None),
        (np.nan, 8, None),
        (np.inf, 8, None),
        (2.0, 32, None),  # Hz
    ],
)
@pytest.mark.parametrize("image_class", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_the_repetition_time_is_in_seconds_or_unknown(tmp_path, image_class, time, unit, seconds):
    fields = EYE | {"pixdim": [1, 2, 2, 2, time, 1, 1, 1], "xyzt_units": unit | 2}
    path = tmp_path / "image.nii"
    path.write_bytes(header_bytes(image_class, "<", fields))
    assert read_header(path).repetition_time == seconds


def test_header_extensions_are_stepped_over(tmp_path):
    data = numbers("i2")
    image = nibabel.Nifti1Image(data, np.eye(4))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"what the scanner said" * 40))
    nibabel.save(image, tmp_path / "image.nii.gz")
    header, frames = frames_of(tmp_path / "image.nii.gz")
    assert header.data_offset > 1000
    np.testing.assert_array_equal(frames, data)


def test_an_offset_of_0_means_right_after_the_header(tmp_path):
    path = save(tmp_path / "image.nii", numbers("i2"), np.eye(4))
    content = bytearray(path.read_bytes())
    content[108:112] = bytes(4)
    path.write_bytes(content)
    np.testing.assert_array_equal(frames_of(path)[1], numbers("i2"))


def test_a_fifth_dimension_of_length_1_is_no_dimension(tmp_path):
    path = save(tmp_path / "image.nii", numbers("i2")[..., None], np.eye(4))
    header, frames = frames_of(path)
    assert header.n_frames == 6
    np.testing.assert_array_equal(frames, numbers("i2"))


def test_suffixes_may_be_in_capitals_and_paths_may_be_text(tmp_path):
    path = tmp_path / "IMAGE.NII.GZ"
    path.write_bytes(save(tmp_path / "image.nii.gz", numbers("i2"), np.eye(4)).read_bytes())
    np.testing.assert_array_equal(frames_of(str(path))[1], numbers("i2"))


def test_a_gzip_file_of_several_members_is_one_image(tmp_path):
    content = save(tmp_path / "image.nii", numbers("i2"), np.eye(4)).read_bytes()
    path = tmp_path / "image.nii.gz"
    path.write_bytes(b"".join(gzip.compress(content[at : at + 100]) for at in range(0, len(content), 100)))
    np.testing.assert_array_equal(frames_of(path)[1], numbers("i2"))


def test_what_follows_the_last_frame_is_ignored(tmp_path):
    content = save(tmp_path / "image.nii", numbers("i2"), np.eye(4)).read_bytes() + bytes(5000)
    (tmp_path / "image.nii.gz").write_bytes(gzip.compress(content) + bytes(512))  # tapes pad with zeros
    (tmp_path / "image.nii").write_bytes(content)
    for name in ("image.nii.gz", "image.nii"):
        np.testing.assert_array_equal(frames_of(tmp_path / name)[1], numbers("i2"))


def test_frames_are_given_one_at_a_time_in_one_array(tmp_path):
    shape = (30, 30, 30, 40)
    path = save(tmp_path / "image.nii.gz", np.zeros(shape, dtype="i2"), np.eye(4))
    tracemalloc.start()
    addresses = {frame.__array_interface__["data"][0] for frame in iter_frames(read_header(path))}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(addresses) == 1
    # One frame has 54 kB, the compressed file is read in blocks of 512 kB; the image has 2.2 MB.
    assert peak < 1_000_000


def refused(path):
    with pytest.raises(InputError) as caught:
        for _ in iter_frames(read_header(path)):
            pass
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_what_is_no_4d_image_of_numbers_is_refused_with_its_reason(tmp_path):
    data = numbers("i2")
    assert "4D image is needed, this one has 3" in refused(save(tmp_path / "a.nii", data[..., 0], np.eye(4)))
    five = np.stack([data, data], axis=-1)
    assert "4D image is needed, this one has 5" in refused(save(tmp_path / "b.nii", five, np.eye(4)))
    assert "dimensions" in refused(save(tmp_path / "c.nii", data[..., 0, 0], np.eye(4)))
    assert "complex" in refused(save(tmp_path / "d.nii", data, np.eye(4), dtype="c8"))
    rgb = np.zeros(data.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(rgb, np.eye(4)), tmp_path / "e.nii.gz")
    assert "RGB" in refused(tmp_path / "e.nii.gz")
    assert "cannot be inverted" in refused(save(tmp_path / "f.nii", data, np.diag([2.0, 2.0, 0.0, 1.0])))
    assert "cannot be inverted" in refused(save(tmp_path / "g.nii", data, np.diag([2.0, np.nan, 2.0, 1.0])))
    assert "intercept" in refused(save(tmp_path / "h.nii", data, np.eye(4), scale=(2.0, np.nan)))
    (tmp_path / "i.nii.gz").write_bytes(gzip.compress(b"no image" * 100))
    assert "not a NIfTI image" in refused(tmp_path / "i.nii.gz")
    (tmp_path / "j.nii").write_bytes(b"")
    assert "the file is empty" in refused(tmp_path / "j.nii")
    nibabel.save(nibabel.Nifti1Pair(data, np.eye(4)), tmp_path / "k.img")
    assert "half of a pair of header and image; merge them" in refused(tmp_path / "k.img")
    (tmp_path / "k.nii").write_bytes((tmp_path / "k.hdr").read_bytes() + (tmp_path / "k.img").read_bytes())
    assert "pair" in refused(tmp_path / "k.nii")
    assert "No such file" in refused(tmp_path / "l.nii.gz")
    (tmp_path / "m.nii").mkdir()
    assert "this is a folder" in refused(tmp_path / "m.nii")
    (tmp_path / "n.nii.gz").write_bytes(save(tmp_path / "n.nii", data, np.eye(4)).read_bytes())
    assert "compressed, and it is not; rename it to .nii." in refused(tmp_path / "n.nii.gz")
    (tmp_path / "o.nii").write_bytes(save(tmp_path / "o.nii.gz", data, np.eye(4)).read_bytes())
    assert "compressed, and its name does not say so; rename it to .nii.gz." in refused(tmp_path / "o.nii")
    (tmp_path / "p.nii.gz").write_bytes(b"<html>" * 100)
    assert "the file is damaged" in refused(tmp_path / "p.nii.gz")
    nibabel.save(nibabel.Nifti1Image(data, None), tmp_path / "q.nii")
    assert "which side is left (sform_code and qform_code are 0)" in refused(tmp_path / "q.nii")


@pytest.mark.parametrize("image_class", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_128_bit_image_is_refused(tmp_path, image_class):
    path = tmp_path / "image.nii"
    path.write_bytes(header_bytes(image_class, "<", EYE | {"datatype": 1536}))
    assert "128-bit" in refused(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_header_that_announces_more_than_the_file_holds_is_refused_before_memory_is_taken(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    content = header_bytes(nibabel.Nifti1Image, "<", EYE | {"dim": [4, 30000, 30000, 30000, 30000, 1, 1, 1]})
    path.write_bytes(gzip.compress(content) if suffix == ".nii.gz" else content)
    tracemalloc.start()
    message = refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "30000 x 30000 x 30000 voxels" in message
    assert peak < 1_000_000  # the block in which the file is read


def test_no_gzip_file_holds_more_than_1032_times_its_size(tmp_path):
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(header_bytes(nibabel.Nifti1Image, "<", EYE)))
    frames = 1100 * path.stat().st_size // (2 * 3 * 4 * 2)  # the file grows by a few bytes when this is written to it
    content = header_bytes(nibabel.Nifti1Image, "<", EYE | {"dim": [4, 2, 3, 4, frames, 1, 1, 1]})
    path.write_bytes(gzip.compress(content))
    assert "can hold" in refused(path)


def test_an_image_of_zeros_compresses_no_better_than_the_check_allows(tmp_path):
    path = save(tmp_path / "image.nii.gz", np.zeros((64, 64, 64, 60), dtype="u1"), np.eye(4))
    with gzip.open(tmp_path / "best.nii.gz", "wb", compresslevel=9) as file:
        file.write(gzip.decompress(path.read_bytes()))
    assert read_header(tmp_path / "best.nii.gz").n_frames == 60


@pytest.mark.parametrize("image_class", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_no_damaged_header_raises_anything_but_an_input_error(tmp_path, image_class):
    path = save(tmp_path / "image.nii", numbers("f4"), scaled_affine((2, 3, 4)), image_class=image_class)
    whole = path.read_bytes()
    fine = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for at in range(image_class.header_class.single_vox_offset):
            for flip in (0x01, 0x80):
                damaged = bytearray(whole)
                damaged[at] ^= flip
                path.write_bytes(damaged)
                try:
                    header = read_header(path)
                    assert sum(1 for _ in iter_frames(header)) == header.n_frames
                    fine += 1
                except InputError as problem:
                    assert str(path) in str(problem)
    assert fine > 0

"""Several sets of spheres from one pass over an image: to the last bit what each gives alone."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_images import save, scaled_affine

from sphereconn.errors import InputError
from sphereconn.extract.images import iter_frames
from sphereconn.extract.signals import SphereSignals, _Reading, extract_sphere_signals, extract_together
from sphereconn.extract.together import read_found, write_found

SHAPE, N_FRAMES = (12, 14, 10), 70  # more frames than fit a block
AFFINE = scaled_affine((3, 3, 3), (-18, -21, -15))


def a_set(random, n_seeds=4, radius=5.0, **told):
    seeds = np.random.default_rng(random).uniform(-12, 12, (n_seeds, 3))
    names = [f"seed{number}" for number in range(n_seeds)]
    given = {"names": names, "seeds": seeds, "radii": np.full(n_seeds, radius), "overlap": "allow", "min_coverage": 0.0}
    return given | told


def image(folder, dtype="f4", nan_in_frames=()):
    data = np.random.default_rng(5).normal(1000, 100, (*SHAPE, N_FRAMES))
    data[..., 3] = 0
    data[6, 7, 5, list(nan_in_frames)] = np.nan
    return save(folder / "bold.nii.gz", data.astype(dtype), AFFINE)


def assert_same(one, other):
    for field in dataclasses.fields(SphereSignals):
        a, b = np.asarray(getattr(one, field.name)), np.asarray(getattr(other, field.name))
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), field.name


def alone(path, chosen):
    return extract_sphere_signals(path, **chosen)


SETS = [
    a_set(0),
    a_set(1, n_seeds=20, radius=4.0, smoothing_fwhm=6.0),
    a_set(2, radius=9.0, overlap="nearest"),
    a_set(3, n_seeds=1, radius=0.0),
]


@pytest.mark.parametrize(("dtype", "nan_in_frames"), [("i2", ()), ("f4", ()), ("f8", (0, 40)), ("f4", (69,))])
def test_each_set_gets_to_the_last_bit_what_it_gets_alone(tmp_path, dtype, nan_in_frames):
    path = image(tmp_path, dtype, nan_in_frames)
    inside = np.ones(SHAPE, dtype="u1")
    inside[:, :3] = 0
    sets = [*SETS, SETS[0] | {"mask": save(tmp_path / "mask.nii", inside, AFFINE)}]
    for chosen, found in zip(sets, extract_together(path, sets), strict=True):
        assert_same(found, alone(path, chosen))


@settings(max_examples=15)
@given(
    random=st.integers(0, 999),
    chosen=st.lists(st.tuples(st.integers(1, 30), st.sampled_from([0, 4, 11]), st.sampled_from([0, 5])), max_size=5),
)
def test_whatever_the_other_sets_are_each_gets_what_it_gets_alone(tmp_path_factory, random, chosen):
    path = image(tmp_path_factory.mktemp("any"), "f4", (12,))
    sets = [a_set(random, n_seeds, radius, smoothing_fwhm=fwhm) for n_seeds, radius, fwhm in chosen]
    for one, found in zip(sets, extract_together(path, sets), strict=True):
        assert_same(found, alone(path, one))


@pytest.mark.parametrize(("n_sets", "passes"), [(1, 1), (5, 1), (8, 1), (9, 2)])
def test_the_image_is_read_once_for_up_to_eight_sets(tmp_path, monkeypatch, n_sets, passes):
    read = []

    def counted(header):
        for frame in iter_frames(header):
            read.append(1)
            yield frame

    path = image(tmp_path)
    monkeypatch.setattr("sphereconn.extract.signals.iter_frames", counted)
    assert len(extract_together(path, [a_set(number) for number in range(n_sets)])) == n_sets
    assert len(read) == passes * N_FRAMES


def test_only_a_set_whose_voxels_turn_out_to_be_damaged_has_the_image_read_again(tmp_path, monkeypatch):
    taken, take = [], _Reading.take
    monkeypatch.setattr(_Reading, "take", lambda self, *frame: (taken.append(frame[0]), take(self, *frame)))
    path = image(tmp_path, "f4", (40,))
    at, away = ({"seeds": np.array([[mm, mm, mm]], dtype=float)} for mm in (0, -12))
    extract_together(path, [a_set(0, 1) | at, a_set(0, 1) | away])
    assert len(taken) == 3 * N_FRAMES


def test_a_set_that_cannot_be_extracted_has_its_own_error_and_the_others_their_signals(tmp_path):
    path = image(tmp_path)
    overlapping = a_set(0, n_seeds=9, radius=9.0, overlap="error")
    outside = a_set(0) | {"seeds": np.full((4, 3), 500.0)}
    first, second, third = extract_together(path, [overlapping, SETS[1], outside])
    assert_same(second, alone(path, SETS[1]))
    for problem, chosen in ((first, overlapping), (third, outside)):
        with pytest.raises(InputError) as raised:
            alone(path, chosen)
        assert isinstance(problem, InputError) and str(problem) == str(raised.value)


def test_a_damaged_image_is_an_error_for_all(tmp_path):
    path = image(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged"):
        extract_together(path, SETS)


def test_what_was_found_is_read_back_to_the_last_bit(tmp_path):
    partly_outside = a_set(4) | {"seeds": np.array([[500.0] * 3, [0] * 3] * 2)}
    found = extract_together(image(tmp_path, "f4", (40,)), [*SETS, partly_outside])
    labels = ["dmn", "power264", "a1", "1", "gaps"]
    write_found(tmp_path / "found.npz", dict(zip(labels, found, strict=True)))
    assert "".join(found[-1].problem) and np.isnan(found[-1].signals).any()
    for label, spheres in zip(labels, found, strict=True):
        back = read_found(tmp_path / "found.npz", label)
        assert_same(back, spheres)
        assert (back.problem, back.frames_without_data) == (spheres.problem, [3])
    assert read_found(tmp_path / "found.npz", "other") is None


def test_of_no_set_nothing_is_read_back(tmp_path):
    write_found(tmp_path / "found.npz", {})
    assert read_found(tmp_path / "found.npz", "dmn") is None

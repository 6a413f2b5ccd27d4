"""Which repetition time of a run counts: the table before the sidecar before the header."""

import pytest

from sphereconn.errors import InputError
from sphereconn.extract.repetition_time import HEADER, SIDECAR, TABLE, repetition_time


@pytest.mark.parametrize(
    ("table", "sidecar", "header", "seconds", "source", "overruled"),
    [
        (2.0, None, 1.0, 2.0, TABLE, {HEADER: 1.0}),  # fMRIPrep 23.2.0 wrote 1 s into every header
        (None, {"RepetitionTime": 2}, 1.0, 2.0, SIDECAR, {HEADER: 1.0}),
        (None, {"RepetitionTime": 2}, 2000.0, 2.0, SIDECAR, {HEADER: 2000.0}),
        (1.5, {"RepetitionTime": "2"}, 1.5, 1.5, TABLE, {SIDECAR: "2"}),
        (None, {"RepetitionTime": None}, 2.0, 2.0, HEADER, {}),
        (None, {}, 2.0, 2.0, HEADER, {}),
        (0.8, {"RepetitionTime": 0.8004}, 0.8000000119, 0.8, TABLE, {}),
        (2.0, {"RepetitionTime": 1.5}, None, 2.0, TABLE, {SIDECAR: 1.5}),
        (2.0, {"RepetitionTime": 2.0019}, 1.9981, 2.0, TABLE, {}),  # within a thousandth of it
        (2.0, {"RepetitionTime": 2.0021}, 1.9979, 2.0, TABLE, {SIDECAR: 2.0021, HEADER: 1.9979}),
        (0.5, {"RepetitionTime": 0.5009}, 0.5011, 0.5, TABLE, {HEADER: 0.5011}),  # below 1 s, within 1 ms
    ],
)
def test_the_first_that_states_it_counts_and_who_contradicts_is_noted(
    table, sidecar, header, seconds, source, overruled
):
    found = repetition_time("bold.nii", table, sidecar, header)
    assert (found.seconds, found.source, dict(found.overruled)) == (seconds, source, overruled)


@pytest.mark.parametrize(
    ("sidecar", "header", "message"),
    [
        (None, None, "is missing; give it in the runs table"),
        (
            None,
            2000.0,
            r"the image header gives a repetition time of 2000.0 s; .* \(this looks like milliseconds: 2 s\?",
        ),
        (None, 0.002, r"0.002 s; .* \(this looks like seconds marked as milliseconds: 2 s\?"),
        ({"RepetitionTime": 800}, 0.8, r"the sidecar gives .* \(this looks like milliseconds: 0.8 s\?"),
    ],
)
def test_what_cannot_be_settled_is_said_with_the_likely_reason(sidecar, header, message):
    with pytest.raises(InputError, match=message):
        repetition_time("bold.nii", None, sidecar, header)


@pytest.mark.parametrize("table", [None, 2.0])
def test_frames_at_uneven_times_have_no_repetition_time_whoever_states_one(table):
    with pytest.raises(InputError, match=r"^bold.nii: the sidecar: VolumeTiming: the frames are not evenly spaced\.$"):
        repetition_time("bold.nii", table, {"VolumeTiming": [0, 2, 5], "RepetitionTime": 2}, 2.0)

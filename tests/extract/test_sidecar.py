"""What the sidecar of sphere signals says."""

from sphereconn import provenance
from sphereconn.extract.repetition_time import RepetitionTime
from sphereconn.extract.sidecar import sphere_signals


def test_sphere_signals_say_how_often_they_were_sampled_and_what_was_overruled():
    settings = {
        "space_of_image": "MNI", "space": "MNI", "smoothing_fwhm": 6.0, "overlap": "allow", "min_coverage": 0.5,
    }  # fmt: skip
    time = RepetitionTime(2.5, "the sidecar", {"the image header": 1.0})
    said = sphere_signals(settings, time, 168, [0, 7], 3)
    assert (said["SamplingFrequency"], said["RepetitionTime"]) == (0.4, 2.5)
    assert (said["RepetitionTimeSource"], said["RepetitionTimeOverruled"]) == ("the sidecar", {"the image header": 1.0})
    assert (said["NumberOfVolumes"], said["VolumesWithoutData"], said["NodesUnusable"]) == (168, [0, 7], 3)


def test_the_sources_of_the_same_data_set_are_bids_uris_and_the_software_is_named(tmp_path):
    folder = tmp_path / "sub-01" / "func"
    nodes, result = f"{folder}/a_nodes.tsv", f"{folder}/a_timeseries.json"
    said = provenance.with_sources({"Description": "it"}, ["elsewhere/bold.nii"], result, nodes)
    assert list(said) == ["Description", "NodeFiles", "Sources", "Software"]
    assert said["NodeFiles"] == ["bids::sub-01/func/a_nodes.tsv"] and said["Sources"] == ["elsewhere/bold.nii"]
    assert "numpy" in said["Software"]

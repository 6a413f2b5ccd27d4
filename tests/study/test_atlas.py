"""Seeds from an atlas: its regions by the names and networks of the labels."""

import numpy as np
import pytest

from sphereconn.errors import InputError
from sphereconn.extract.regions import Regions
from sphereconn.study.atlas import COLUMNS, Label, atlas_seeds, is_atlas, read_labels

REGIONS = Regions(
    numbers=np.array([1, 5, 9]),
    centres=np.array([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0], [20.0, 21.0, 22.0]]),
    moved=np.array([0.0, 2.5, 0.0]),
    n_voxels=np.array([30, 40, 50]),
    n_pieces=np.array([1, 1, 2]),
)


def labels_of(tmp_path, *rows):
    (tmp_path / "labels.tsv").write_text("\n".join("\t".join(row.split(",")) for row in rows) + "\n")
    return read_labels(tmp_path / "labels.tsv")


@pytest.mark.parametrize(
    ("seeds", "expected"), [("a.nii", True), ("a.NII.GZ", True), ("a.tsv", False), ("power264", False)]
)
def test_an_atlas_is_told_by_its_name(seeds, expected):
    assert is_atlas(seeds) is expected


def test_labels_of_bids_are_read_and_background_is_no_region(tmp_path):
    labels = labels_of(tmp_path, "index,name,abbreviation,color", "0,Unknown,U,#000000", "5,left A,lA,#ff0000")
    assert labels == {5: Label("left A", "")}


def test_networks_are_read_where_the_labels_have_them(tmp_path):
    labels = labels_of(tmp_path, "index,name,network", "1,A,visual", "2.0,B,n/a")
    assert labels == {1: Label("A", "visual"), 2: Label("B", "")}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (("index,label", "1,A"), "the column 'name' is missing (found: index, label)."),
        (("number,name", "1,A"), "the column 'index' is missing"),
        (("index,name", "1.5,A"), "row 2, column index: '1.5' is not a whole number of at least 0."),
        (("index,name", "-1,A"), "row 2, column index: '-1' is not a whole number of at least 0."),
        (("index,name", "1,A", "1,B"), "row 3, column index: 1 already appears in an earlier row."),
        (("index,name", "1,A", "2,A"), "rows 2 and 3 have the same name 'A'; names must differ."),
        (("index,name", "1,n/a"), "row 2, column name: the region has no name."),
        (("index,name", "0,background"), "the table lists no region."),
    ],
)
def test_a_mistake_in_the_labels_is_a_sentence(tmp_path, rows, sentence):
    with pytest.raises(InputError) as caught:
        labels_of(tmp_path, *rows)
    assert str(caught.value).startswith(str(tmp_path / "labels.tsv"))
    assert sentence in str(caught.value)


def test_without_labels_every_region_is_called_by_its_number():
    seeds = atlas_seeds(REGIONS, None)
    assert [row[COLUMNS.index("name")] for row in seeds.rows] == ["1", "5", "9"]
    assert {row[COLUMNS.index("network")] for row in seeds.rows} == {None}
    assert seeds.rows[1] == (5, "5", 10.0, 11.0, 12.0, None, 40, 1, 2.5)


def test_labels_choose_the_regions_and_what_does_not_fit_is_noted():
    seeds = atlas_seeds(REGIONS, {9: Label("C", "motor"), 5: Label("B", ""), 7: Label("gone", "motor")})
    assert [row[:2] for row in seeds.rows] == [(5, "B"), (9, "C")]
    assert [row[5] for row in seeds.rows] == [None, "motor"]
    assert seeds.notes["NumberOfRegions"] == 2
    assert seeds.notes["RegionsMoved"] == ["B"]
    assert seeds.notes["RegionsInPieces"] == {"C": 2}
    assert seeds.notes["RegionsNotListed"] == [1]
    assert seeds.notes["RegionsWithoutVoxels"] == ["gone"]


def test_labels_of_another_atlas_are_named():
    with pytest.raises(
        InputError, match=r"none of the regions that the labels list is in the atlas, which has 1, 5, 9"
    ):
        atlas_seeds(REGIONS, {2: Label("A", "")})

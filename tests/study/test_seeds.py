"""Seed tables: the shipped ones, one's own, and what a mistake in one is called."""

from pathlib import Path

import numpy as np
import pytest

from sphereconn.errors import InputError
from sphereconn.study.seeds import read_seeds

COORDINATES = Path(__file__).parents[2] / "resources" / "coordinates"


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        path = tmp_path / "seeds.tsv"
        path.write_text("\n".join(line.replace(" ", "\t") for line in lines) + "\n")
        return path

    return write


@pytest.mark.parametrize(
    ("name", "n_seeds", "n_networks"),
    [("dmn", 4, 1), ("power264", 264, 14), ("dosenbach160", 160, 6), ("seitzman300", 300, 14)],
)
def test_the_shipped_tables_are_complete(name, n_seeds, n_networks):
    seeds = read_seeds(COORDINATES / f"{name}.tsv", None if name == "seitzman300" else 5)
    assert seeds.coordinates.shape == (n_seeds, 3)
    assert len(set(seeds.names)) == n_seeds
    assert len(set(seeds.networks)) == n_networks


def test_the_shipped_coordinates_are_those_that_nilearn_ships():
    from nilearn.datasets import fetch_coords_dosenbach_2010, fetch_coords_power_2011, fetch_coords_seitzman_2018

    def sorted_rows(rows):
        return sorted(tuple(float(value) for value in row) for row in rows)

    power = fetch_coords_power_2011().rois
    dosenbach = fetch_coords_dosenbach_2010().rois
    seitzman = fetch_coords_seitzman_2018()
    ours = {name: read_seeds(COORDINATES / f"{name}.tsv", 5) for name in ("power264", "dosenbach160", "seitzman300")}
    assert sorted_rows(ours["power264"].coordinates) == sorted_rows(
        zip(power["x"], power["y"], power["z"], strict=True)
    )
    assert sorted_rows(ours["dosenbach160"].coordinates) == sorted_rows(
        zip(dosenbach["x"], dosenbach["y"], dosenbach["z"], strict=True)
    )
    rois = seitzman.rois
    with_radius = read_seeds(COORDINATES / "seitzman300.tsv")
    assert sorted_rows(np.column_stack([with_radius.coordinates, with_radius.radii])) == sorted_rows(
        zip(rois["x"], rois["y"], rois["z"], seitzman.radius, strict=True)
    )


def test_the_radius_of_the_configuration_comes_before_that_of_the_table(table):
    path = table("name x y z radius", "a 0 0 0 4", "b 9 9 9 5")
    assert read_seeds(path).radii.tolist() == [4, 5]
    assert read_seeds(path, 8).radii.tolist() == [8, 8]


def test_seeds_without_a_name_go_by_their_number(table):
    assert read_seeds(table("x y z", "0 0 0", "1 1 1"), 5).names == ["1", "2"]


@pytest.mark.parametrize(
    ("lines", "radius", "expected"),
    [
        (["name x y", "a 0 0"], 5, "the column 'z' is missing; a seed table needs x, y and z in mm"),
        (
            ["name X y z", "a 0 0 0"],
            5,
            "the column 'x' is missing; a seed table needs x, y and z in mm (found: name, X, y, z); is it 'X'?",
        ),
        (["x y z", "0 0 0"], None, "there is no radius column, so the configuration must give"),
        (["name x y z", "a 0 0 0", "b 1 one 1"], 5, "row 3, column y: 'one' is not a number"),
        (["name x y z", "a 0 0 n/a"], 5, "row 2, column z: 'n/a' is not a number"),
        (["name x y z", "a 0 0 1_0"], 5, "row 2, column z: '1_0' is not a number"),
        (["name x y z radius", "a 0 0 0 ٣"], None, "row 2, column radius: '٣' is not a number"),
        (["name x y z", "a 0 0 inf"], 5, "row 2, column z: 'inf' is not a number"),
        (["name x y z", "a 0 0 0", "b 1 1 1", "a 2 2 2"], 5, "rows 2 and 4 have the same name 'a'"),
        (["name x y z radius", "a 0 0 0 -1"], None, "row 2, column radius: a radius is at least 0 mm"),
        (["name x y z"], 5, "the table lists no seed"),
    ],
)
def test_a_mistake_in_the_table_is_named(table, lines, radius, expected):
    path = table(*lines)
    with pytest.raises(InputError) as caught:
        read_seeds(path, radius)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)

import math

import pytest

from sphereconn.aggregate.nodes import GROUP_COLUMNS, group_nodes
from sphereconn.errors import InputError
from sphereconn.files import read_rows, write_rows

COLUMNS = ["index", "name", "x", "y", "z", "radius", "network", "voxels", "coverage", "temporal_snr", "problem"]
FIRST = [0, "PCC", 0.0, -52.0, 18.0, 8.0, "default", 33, 1.0, 80.0, "n/a"]
SECOND = [1, "mPFC", -1.0, 50.0, -5.0, 6.0, "n/a", 19, 0.5, 40.0, "n/a"]
UNUSABLE = [*SECOND[:7], 2, 0.1, "n/a", "10 % of the sphere is covered, 50 % are needed."]


@pytest.fixture
def table(tmp_path):
    def write(name, *rows, columns=COLUMNS):
        write_rows(tmp_path / name, columns, rows)
        return tmp_path / name

    return write


def test_runs_are_counted_and_quality_averaged_node_by_node(table):
    paths = [
        table("run-1.tsv", FIRST, SECOND),
        table("run-2.tsv", FIRST, UNUSABLE),
        table("run-3.tsv", [*FIRST[:8], 0.7, 20.0, "n/a"], SECOND),
    ]
    first, second = (dict(zip(GROUP_COLUMNS, row, strict=True)) for row in group_nodes(paths))
    assert [first[column] for column in ("index", "name", "network")] == ["0", "PCC", "default"]
    assert [first[column] for column in ("x", "y", "z", "radius")] == [0, -52, 18, 8]
    assert first["runs_used"] == 3 and second["runs_used"] == 2
    assert first["mean_coverage"] == pytest.approx(0.9) and first["mean_temporal_snr"] == pytest.approx(60)
    # Coverage of the unusable sphere is known and counts; its temporal SNR is not.
    assert second["mean_coverage"] == pytest.approx((0.5 + 0.1 + 0.5) / 3)
    assert second["mean_temporal_snr"] == pytest.approx(40)


def test_a_node_without_a_signal_in_any_run_has_no_quality(table):
    row = [*SECOND[:8], "n/a", "n/a", "The sphere lies outside the image."]
    [node] = group_nodes([table("run-1.tsv", row), table("run-2.tsv", row)])
    assert dict(zip(GROUP_COLUMNS, node, strict=True))["runs_used"] == 0
    assert math.isnan(node[-1]) and math.isnan(node[-2])


def test_the_rows_can_be_written_and_read_back(table, tmp_path):
    nodes = group_nodes([table("run-1.tsv", FIRST, SECOND)])
    write_rows(tmp_path / "group.tsv", GROUP_COLUMNS, nodes)
    columns, rows = read_rows(tmp_path / "group.tsv")
    assert tuple(columns) == GROUP_COLUMNS
    assert rows[1] == ["1", "mPFC", "-1.0", "50.0", "-5.0", "6.0", "n/a", "1", "0.5", "40.0"]


def test_the_order_of_runs_does_not_matter(table):
    paths = [table("run-1.tsv", FIRST, SECOND), table("run-2.tsv", FIRST, UNUSABLE)]
    assert group_nodes(paths) == group_nodes(paths[::-1])


def test_columns_may_stand_in_another_order_and_numbers_be_written_otherwise(table):
    shuffled = table("run-2.tsv", FIRST[::-1], columns=COLUMNS[::-1])
    shuffled.write_text(shuffled.read_text().replace("18.0", "18"))
    [node] = group_nodes([table("run-1.tsv", FIRST), shuffled])
    assert node[GROUP_COLUMNS.index("runs_used")] == 2


@pytest.mark.parametrize(
    ("column", "value"),
    [("index", 5), ("name", "ACC"), ("x", 0.5), ("z", 17.0), ("radius", 5.0), ("network", "salience")],
)
def test_runs_that_disagree_about_a_node_are_refused_with_both_files(table, column, value):
    other = list(FIRST)
    other[COLUMNS.index(column)] = value
    paths = [table("run-1.tsv", FIRST, SECOND), table("run-2.tsv", other, SECOND)]
    with pytest.raises(InputError) as caught:
        group_nodes(paths)
    for part in (str(paths[0]), str(paths[1]), f"the {column} of node 1 is {value}"):
        assert part in str(caught.value)


def test_another_number_of_nodes_is_refused(table):
    with pytest.raises(InputError, match=r"run-2\.tsv: 1 nodes, and .*run-1\.tsv has 2"):
        group_nodes([table("run-1.tsv", FIRST, SECOND), table("run-2.tsv", FIRST)])


def test_a_missing_column_is_named(table):
    with pytest.raises(InputError, match=r"run-1\.tsv: .*no column 'problem'"):
        group_nodes([table("run-1.tsv", FIRST[:-1], columns=COLUMNS[:-1])])


@pytest.mark.parametrize(("column", "cell"), [("coverage", "high"), ("x", "n/a")])
def test_a_cell_that_should_be_a_number_is_named(table, column, cell):
    row = list(SECOND)
    row[COLUMNS.index(column)] = cell
    with pytest.raises(InputError, match=f"column '{column}' of line 3 must be a number, found '{cell}'"):
        group_nodes([table("run-1.tsv", FIRST, row)])


def test_runs_that_are_left_out_do_not_count_but_their_nodes_are_known(table):
    paths = [table("run-1.tsv", FIRST, SECOND), table("run-2.tsv", FIRST, SECOND)]
    assert group_nodes(paths, [1]) == group_nodes(paths[1:])
    nodes = [dict(zip(GROUP_COLUMNS, row, strict=True)) for row in group_nodes(paths, [])]
    assert [(node["name"], node["runs_used"]) for node in nodes] == [("PCC", 0), ("mPFC", 0)]
    assert all(math.isnan(node["mean_coverage"]) for node in nodes)


def test_a_group_without_runs_is_refused():
    with pytest.raises(ValueError, match="no nodes table"):
        group_nodes([])

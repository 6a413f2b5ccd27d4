"""Groups are called what the runs table calls them, and their files by labels that no two of them share."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.errors import InputError
from sphereconn.study.groups import check_groups, grouped_levels, groups_of, in_no_group, members_of, near_levels
from sphereconn.study.runs import Run, read_runs


def runs_with(**columns):
    rows = zip(*columns.values(), strict=True)
    return [
        Run({"subject": f"{number}"}, "x.nii", covariates=dict(zip(columns, row, strict=True)))
        for number, row in enumerate(rows)
    ]


def labels(**columns):
    return {group.words: group.label for group in groups_of(runs_with(**columns), list(columns))}


def test_labels_are_the_letters_and_digits_of_columns_and_levels():
    assert labels(age_group=["young child", "adult"], SITE_ID=["UCLA_1", "CALTECH"]) == {
        "all runs": "group-all",
        "SITE_ID: CALTECH": "SITEID-CALTECH",
        "SITE_ID: UCLA_1": "SITEID-UCLA1",
        "age_group: adult": "agegroup-adult",
        "age_group: young child": "agegroup-youngchild",
    }


def test_what_has_labels_already_keeps_them_beside_what_looks_alike():
    found = labels(site=["UCLA1", "UCLA_1", "UCLA 1"])
    assert found["site: UCLA1"] == "site-UCLA1"
    assert len(set(found.values())) == 4


TEXTS = st.lists(st.text(min_size=1), min_size=1, unique=True)


@given(TEXTS)
def test_any_levels_have_labels_that_no_disk_confuses(levels):
    groups = groups_of(runs_with(site=levels), ["site"])
    assert sorted(group.level for group in groups[1:]) == sorted(levels)
    assert len({group.label.casefold() for group in groups}) == len(groups)
    assert all(re.fullmatch("[A-Za-z0-9]+-[A-Za-z0-9]+", group.label) for group in groups)


@given(TEXTS, TEXTS)
def test_each_run_is_a_member_of_all_runs_and_of_its_levels(sites, ages):
    rows = [{"site": site, "a ge": age} for site in sites for age in ages]
    runs = [Run({"subject": str(number)}, "x.nii", covariates=row) for number, row in enumerate(rows)]
    for group in groups_of(runs, ["site", "a ge"]):
        assert members_of(group, rows) == [n for n, row in enumerate(rows) if row.get(group.column, "") == group.level]


def test_levels_that_differ_in_capitals_or_blanks_only_are_asked_about():
    used = grouped_levels(runs_with(group=["Patient", "patient", "control", "con trol", "other"]), ["group"])
    assert list(near_levels([used])) == [
        "groups: 'Patient' and 'patient' are different levels of the column 'group'; is this intended?",
        "groups: 'con trol' and 'control' are different levels of the column 'group'; is this intended?",
    ]


@pytest.mark.parametrize(
    ("levels", "alike"),
    [
        (["1", "1.0", "01", "10"], ["'01', '1' and '1.0'"]),
        (["\u00e4", "a\u0308", "\u00c4"], ["'a\u0308', '\u00c4' and '\u00e4'"]),
        (["-1", "1"], []),
        (["+", "-"], []),
    ],
)
def test_levels_are_alike_if_they_are_one_number_or_one_word(levels, alike):
    notices = near_levels([grouped_levels(runs_with(group=levels), ["group"])])
    assert [notice.removeprefix("groups: ").partition(" are different")[0] for notice in notices] == alike


def test_a_column_without_levels_is_named():
    with pytest.raises(InputError, match=r"no column 'age_group' with values; found: site, subject\."):
        check_groups(runs_with(site=["a"]), ["age_group"], "groups")


def test_a_column_that_is_written_in_another_way_is_suggested():
    with pytest.raises(InputError, match=r"no column 'Site' with values \(did you mean 'site'\?\); found: site, subj"):
        check_groups(runs_with(site=["a"]), ["Site"], "groups")


def test_runs_without_a_value_in_a_grouping_column_are_in_no_group_of_it():
    runs = runs_with(site=["a", "", "b", ""])
    assert [column for _, column in in_no_group(runs, ["site"])] == ["site", "site"]
    assert [stem for stem, _ in in_no_group(runs, ["site"])] == [runs[1].stem, runs[3].stem]
    assert in_no_group(runs, []) == []


@pytest.mark.parametrize("word", ["", "n/a", "NA", "NaN", "nan", "N/A"])
def test_missing_is_missing_however_a_table_writes_it(tmp_path, word):
    table = tmp_path / "runs.tsv"
    table.write_text(f"subject\tsession\tbold\tsite\nNA\t{word}\tx.nii\t{word}\nb\tpre+1\ty.nii\tx\n")
    first, second = read_runs(table)
    assert (first.stem, first.covariates) == ("sub-NA", {})
    assert second.stem == "sub-b_ses-pre+1"

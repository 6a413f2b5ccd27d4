"""Which runs get a quality sheet, of which seed set and denoisings, and on which page it stands."""

import pytest

from sphereconn.errors import InputError
from sphereconn.plan.products import products
from sphereconn.plan.reported import reported
from sphereconn.plan.sheets import runs_of_subjects, sheet_signals, sheets

TWO_SETS = {"dmn": {"seeds": "dmn", "radius": 8}, "power": {"seeds": "power264", "radius": 5}}


def test_by_default_every_run_has_one_sheet_and_every_subject_a_page(study):
    of_runs = study()
    made = {file for product in products(of_runs, "subjects") for file in product.files}
    assert {file for file in made if file.endswith(".html")} == {"sub-01.html", "sub-02.html", "sub-03.html"}
    assert {file for file in made if file.endswith(".svg")} == set(sheets(of_runs).values())
    assert sheets(of_runs)["sub-01_ses-a"] == "sub-01/ses-a/figures/sub-01_ses-a_atlas-dmn_sheet.svg"
    assert len(sheets(of_runs)) == 5
    assert runs_of_subjects(of_runs)["01"] == ["sub-01_ses-a", "sub-01_ses-b"]
    assert reported(of_runs)["subject_pages"]["sub-01_ses-b"] == "sub-01.html"


def test_a_sheet_is_of_the_seed_set_with_the_most_spheres_in_whatever_order_they_are_listed(study):
    for listed in (TWO_SETS, dict(reversed(TWO_SETS.items()))):
        assert study(seed_sets=listed).sheets["sub-01_ses-a"] == ("power", ("motion", "none"))


def test_a_seed_set_with_more_denoisings_comes_before_one_with_more_spheres(study):
    connectomes = [{"seed_sets": ["dmn"]}, {"seed_sets": ["power"], "denoising": ["none"]}]
    assert study(seed_sets=TWO_SETS, connectomes=connectomes).sheets["sub-01_ses-a"] == ("dmn", ("motion", "none"))


def test_a_sheet_is_drawn_from_the_signals_of_all_denoisings_and_the_confounds(study, tmp_path):
    drawn = sheet_signals(study(), "sub-01/ses-a", "sub-01_ses-a", "dmn")
    base = f"{tmp_path}/results/sub-01/ses-a/func/sub-01_ses-a_atlas-dmn"
    assert drawn["cleaned"] == [f"{base}_desc-{label}_timeseries.tsv" for label in ("motion", "none")]
    assert drawn["sidecars"] == [f"{base}_desc-{label}_timeseries.json" for label in ("motion", "none")]
    assert drawn["confounds"] == f"{tmp_path}/1a.tsv"


def test_a_table_of_confounds_that_no_denoising_reads_is_not_read_for_the_sheet_either(study):
    unread = study(denoising={"none": {"non_steady_state": "keep"}})
    assert "confounds" not in sheet_signals(unread, "sub-01/ses-a", "sub-01_ses-a", "dmn")


@pytest.mark.parametrize(
    ("figures", "runs"),
    [
        ({"sheets": "none"}, []),
        ({"kinds": ["matrix"]}, []),
        ({"sheets": {"site": ["bochum"]}}, ["sub-02_ses-a", "sub-02_ses-b"]),
    ],
)
def test_sheets_are_switched_off_or_asked_of_some_runs(study, figures, runs):
    asked = study(figures=figures)
    assert list(sheets(asked)) == runs
    assert len(list(products(asked, "subjects"))) == len(runs) + bool(runs)


def test_combined_runs_have_no_sheet_but_each_of_their_runs_has_one(study):
    assert len(sheets(study(combine={"how": "concatenate", "over": ["session"]}))) == 5


def test_runs_that_are_not_there_are_refused(study):
    with pytest.raises(InputError, match=r"figures\.sheets: no run has site 'nowhere'"):
        study(figures={"sheets": {"site": ["nowhere"]}})

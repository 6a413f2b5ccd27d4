"""One pass over an image for several seed sets: when there is one, and that no result and no rerun tells of it."""

import re

import nibabel
import numpy as np
import pytest

from sphereconn.files import read_json
from workflow.project import new_project

N_RUNS = 3
SIGNALS = ("--until", "signals")
OTHERS = {"wide": {"seeds": "dmn", "radius": 16, "overlap": "allow"}, "far": {"seeds": "dmn", "radius": 10}}


def left(project):
    """The results of passes that lie there."""
    return sorted(path.name for path in (project.root / "results" / "records").glob("*_together-*"))


def extractions(project):
    return {rule: count for rule, count in project.pending().items() if rule.startswith("extract")}


def of_extraction(project):
    """The signals before cleaning, their sidecars and nodes, by name."""
    is_extracted = re.compile(r"_atlas-[a-z]+_(timeseries|nodes)\.").search
    return {name: value for name, value in project.results().items() if is_extracted(name)}


def passes(said):
    return len(re.findall(r"^Job \d+: Reading ", said, re.MULTILINE))


@pytest.fixture
def one_by_one(tmp_path):
    """A study whose seed sets were asked for one after the other, so each was extracted alone."""
    project = new_project(tmp_path / "alone", n_subjects=N_RUNS)
    whole = project.config["seed_sets"]
    for number in (1, 2):
        project.configure(lambda config, n=number: config.update(seed_sets=dict(list(whole.items())[:n])))
        assert passes(project.run(*SIGNALS)) == 0
    return project


def test_results_are_those_of_seed_sets_extracted_one_by_one_and_nothing_is_left_of_the_pass(one_by_one, finished):
    alone = of_extraction(one_by_one)
    assert len(alone) == 2 * 3 * N_RUNS
    assert of_extraction(finished) == alone
    assert left(finished) == left(one_by_one) == []


def test_no_sidecar_names_the_pass_as_a_source(finished):
    sidecars = list((finished.root / "results").glob("sub-*/func/*_timeseries.json"))
    assert sidecars and not any("together" in str(read_json(path)) for path in sidecars)


def test_several_new_seed_sets_share_a_pass_and_leave_the_others_alone(finished):
    before = {path: path.stat().st_mtime_ns for path in (finished.root / "results").glob("sub-*/func/*")}
    finished.configure(lambda config: config["seed_sets"].update(OTHERS))
    assert extractions(finished) == {"extract_together": N_RUNS, "extract": 2 * N_RUNS}
    assert passes(finished.run(*SIGNALS)) == N_RUNS
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert left(finished) == [] and extractions(finished) == {}


def test_what_is_out_of_date_for_different_reasons_shares_a_pass(finished):
    (finished.root / "results/sub-02/func/sub-02_task-rest_atlas-mine_nodes.tsv").unlink()
    finished.configure(lambda config: config["seed_sets"]["dmn"].update(radius=13))
    assert extractions(finished) == {"extract_together": 1, "extract": N_RUNS + 1}


def test_a_forced_extraction_is_made_from_the_image(finished):
    before = of_extraction(finished)
    assert passes(finished.run("--forcerun", "extract", *SIGNALS)) == 0
    assert of_extraction(finished) == before


def test_a_pass_that_was_made_before_an_interruption_is_used_while_it_holds(finished):
    undisturbed = of_extraction(finished)
    finished.configure(lambda config: config["seed_sets"].update(OTHERS))
    script = finished.root / "scripts" / "extract.py"
    works = script.read_text()
    script.write_text("raise SystemExit('interrupted')\n" + works)
    finished.fail(*SIGNALS)
    assert len(left(finished)) == N_RUNS
    script.write_text(works)
    assert extractions(finished) == {"extract": 4 * N_RUNS}

    # Another image, however old, and what was found in the one before does not hold.
    image, other = (finished.root / "data" / f"sub-0{number}_bold.nii.gz" for number in (1, 2))
    image.write_bytes(other.read_bytes())
    assert extractions(finished) == {"extract_together": 1, "extract": 4 * N_RUNS}
    finished.run(*SIGNALS)
    assert left(finished) == []
    after = of_extraction(finished)
    assert len(after) == 2 * len(undisturbed)
    for name in after:
        if name.startswith("sub-01") and name.endswith(".tsv"):
            assert after[name] == after[name.replace("sub-01", "sub-02")], name


def test_a_seed_set_that_cannot_be_extracted_keeps_its_error_and_the_others_their_signals(tmp_path):
    project = new_project(tmp_path / "project", n_subjects=2)
    path = project.root / "data" / "sub-01_bold.nii.gz"
    image = nibabel.load(path)
    data = np.asanyarray(image.dataobj).copy()
    data[:2] = 0
    nibabel.save(nibabel.Nifti1Image(data, image.affine, image.header), path)
    x, y, z = nibabel.affines.apply_affine(image.affine, [0, data.shape[1] // 2, data.shape[2] // 2])
    (project.root / "data" / "mine.tsv").write_text(f"name\tx\ty\tz\tradius\nempty\t{x}\t{y}\t{z}\t4\n")
    said = project.fail(*SIGNALS)
    assert passes(said) == 2
    assert "none of the 1 spheres has a signal" in said
    assert {name[:6] + name.partition("_atlas")[2][:5] for name in of_extraction(project)} == {
        "sub-01-dmn_",
        "sub-02-dmn_",
        "sub-02-mine",
    }
    assert extractions(project) == {"extract": 1}

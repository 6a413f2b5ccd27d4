"""Contrasts of seed maps in a study: results that can be counted, and an edit runs again what depends on it."""

import itertools

import nibabel
import numpy as np
import pytest
from scipy import stats

from sphereconn.files import read_json, read_records
from workflow.project import new_project

N_RUNS = 8
AGES = (21.0, 25.5, 30.0, 22.0, 41.0, 35.0, 28.0, 33.0)
PCC = "posteriorcingulatecortex"
OF_MAP = f"atlas-dmn_meas-own_desc-bandpass_seed-{PCC}"
MAPPED = {"seeds": ["posterior cingulate cortex"], "contrasts": ["age", "mean"], "permutations": 300, "cluster_p": 0.1}
DESCRIPTION = {"describe_study": 1, "write_report": 1}


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    """A finished study of maps of one seed, in which a slope and the mean are tested."""
    project = new_project(tmp_path_factory.mktemp("map_contrasts") / "project", n_subjects=N_RUNS)
    table = project.root / "data" / "runs.tsv"
    header, *rows = table.read_text().splitlines()
    table.write_text(
        "\n".join([f"{header}\tage", *(f"{row}\t{age}" for row, age in zip(rows, AGES, strict=True))]) + "\n"
    )

    def edit(config):
        config["seed_sets"].pop("mine")
        config["estimators"].pop("partial")
        config["groups"] = []
        config["figures"].update(kinds=["map", "page"], runs="none")
        config["contrasts"] = {
            "age": {"model": "age", "test": "age", "permutations": 0},
            "mean": {"test": "intercept", "permutations": 0},
        }
        config["maps"] = {"own": MAPPED}

    project.configure(edit)
    project.run()
    return project


@pytest.fixture
def finished(finished_once, tmp_path):
    return finished_once.copy(tmp_path / "project")


def read(project, path):
    return nibabel.load(project.root / "results" / path).get_fdata()


def result(project, contrast, statistic):
    return read(project, f"group/contrast-{contrast}_{OF_MAP}_stat-{statistic}_statmap.nii.gz")


def maps(project):
    """Fisher's z of every voxel of every run."""
    path = f"sub-{{0:02d}}/func/sub-{{0:02d}}_task-rest_{OF_MAP}_stat-z_statmap.nii.gz"
    return np.array([read(project, path.format(number)) for number in range(1, N_RUNS + 1)])


def test_no_step_compiles_what_was_not_compiled_at_set_up(finished_once):
    assert finished_once.compiled_anew() == set()


def test_the_mean_is_tested_by_all_sign_flips(finished_once):
    z = maps(finished_once).reshape(N_RUNS, -1)
    t = stats.ttest_1samp(z, 0).statistic
    np.testing.assert_allclose(result(finished_once, "mean", "statistic").ravel(), t, rtol=1e-4)
    sidecar = read_json(finished_once.root / "results" / f"group/contrast-mean_{OF_MAP}_contrast.json")
    assert sidecar["NumberOfPermutations"] == 255 and sidecar["AllPermutations"]
    assert sidecar["Seed"] == "posterior cingulate cortex" and sidecar["Unit"] == "z"
    flips = np.array(list(itertools.product([1, -1], repeat=N_RUNS)))
    means, squares = flips @ z / N_RUNS, (z**2).sum(axis=0)
    spread = np.sqrt((squares - N_RUNS * means**2) / (N_RUNS - 1) / N_RUNS)
    largest = np.nanmax(np.abs(means / spread), axis=1)
    places = np.argsort(-np.abs(t))[:5]
    expected = [(largest >= np.abs(t[place]) * (1 - 1e-6)).mean() for place in places]
    np.testing.assert_allclose(result(finished_once, "mean", "fwe").ravel()[places], expected, rtol=1e-6)


def test_a_slope_has_the_p_of_its_correlation_with_the_map(finished_once):
    z = maps(finished_once).reshape(N_RUNS, -1)[:, ::997]
    expected = [stats.pearsonr(AGES, voxel).pvalue for voxel in z.T]
    np.testing.assert_allclose(result(finished_once, "age", "p").ravel()[::997], expected, rtol=1e-3)
    p, tfce = result(finished_once, "age", "tfcefwe"), result(finished_once, "age", "tfce")
    assert p[np.unravel_index(np.abs(tfce).argmax(), tfce.shape)] == p.min()


def test_clusters_are_listed_with_the_p_that_the_maps_have(finished_once):
    rows = read_records(finished_once.root / "results" / f"group/contrast-mean_{OF_MAP}_clusters.tsv")
    p = result(finished_once, "mean", "clusterfwe")
    assert float(rows[0]["p_cluster"]) == pytest.approx(p.min(), rel=1e-4)
    assert int(rows[0]["voxels"]) == max(int(row["voxels"]) for row in rows)
    first = nibabel.load(finished_once.root / "results" / f"group/contrast-mean_{OF_MAP}_stat-fwe_statmap.nii.gz")
    at = np.linalg.inv(first.affine) @ [*(float(rows[0][axis]) for axis in "xyz"), 1]
    assert first.get_fdata()[tuple(np.rint(at[:3]).astype(int))] == pytest.approx(float(rows[0]["fwe"]), rel=1e-4)


def test_the_report_says_what_was_found(finished_once):
    report = (finished_once.root / "results" / "report.html").read_text()
    assert "posterior cingulate cortex: " in report and "threshold-free cluster enhancement" in report
    assert f"group/contrast-age_{OF_MAP}_clusters.tsv" in report
    page = "group/figures/groups_atlas-dmn_meas-own_desc-bandpass_maps.html"
    assert page in report and "posterior cingulate cortex" in (finished_once.root / "results" / page).read_text()


def test_a_finished_study_runs_nothing_and_has_nothing_left_over(finished_once):
    assert finished_once.pending() == {}
    assert finished_once.left_over() == []


def test_another_contrast_maps_no_run_again(finished):
    def edit(config):
        config["contrasts"]["site"] = {"model": "site", "test": "site", "permutations": 0, "estimators": ["full"]}
        config["maps"]["own"]["contrasts"].append("site")

    finished.configure(edit)
    pending = {rule: n for rule, n in finished.pending().items() if "map" in rule}
    assert pending == {"shuffle_map": 1, "test_map": 1, "draw_map_contrast": 1, "draw_map_page": 1}


def test_another_level_permutes_nothing(finished):
    finished.configure(lambda config: config["contrasts"]["age"].update(level=0.01))
    pending = {rule: n for rule, n in finished.pending().items() if "map" in rule}
    assert pending == {"test_map": 1, "draw_map_contrast": 1, "draw_map_page": 1}


def test_more_permutations_map_no_run_again(finished):
    finished.configure(lambda config: config["maps"]["own"].update(permutations=2000))
    expected = {"shuffle_map": 4, "test_map": 2, "draw_map_contrast": 2, "draw_map_page": 1}
    assert finished.pending() == expected | DESCRIPTION


def test_a_run_of_another_grid_is_named(finished):
    path = finished.root / "data" / "sub-03_bold.nii.gz"
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(image.get_fdata(dtype=np.float32)[1:], image.affine, image.header), path)
    told = finished.fail("--keep-going")
    assert "another grid than that of sub-01_task-rest" in told and "sub-03_task-rest" in told


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"contrasts": ["weight"]}, "maps.own.contrasts: 'weight' is no label of `contrasts`; those are age, mean"),
        ({"neighbours": 8}, "maps.own.neighbours: 8 is not allowed"),
        ({"permutations": 0}, "maps.own.permutations"),
        ({"permutations": 10}, "maps.own.permutations: with 10 permutations, no p value is below 0.091"),
        ({"runs": {"site": "odd"}, "contrasts": ["site"]}, "maps.own.contrasts: site: site is 'odd' in all runs"),
    ],
)
def test_a_mistake_is_named_before_any_job(finished, entry, sentence):
    def edit(config):
        config["contrasts"]["site"] = {"model": "site", "test": "site"}
        config["maps"]["own"].update(entry)

    finished.configure(edit)
    assert sentence in finished.fail("-n")

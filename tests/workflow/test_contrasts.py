"""Contrasts in a study: the results are those of the library, and an edit runs again what depends on it."""

import numpy as np
import pytest
from scipy import stats

from sphereconn import InputError, read_study
from sphereconn.files import read_json, read_matrix, read_records
from workflow.project import HALF_A_DIGIT, new_project

N_RUNS = 8
SEX = "FFFMFMMM"
AGES = (21.0, 25.5, 30.0, 22.0, 41.0, 35.0, 28.0, 33.0)
DESCRIPTION = {"describe_study": 1, "write_report": 1}


def name(contrast, suffix):
    return f"group/contrast-{contrast}_atlas-mine_meas-full_desc-bandpass_{suffix}"


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    """A finished study that tests age, two groups, and the mean."""
    project = new_project(tmp_path_factory.mktemp("contrasts") / "project", n_subjects=N_RUNS)
    table = project.root / "data" / "runs.tsv"
    header, *rows = table.read_text().splitlines()
    more = [f"{row}\t{age}\t{sex}" for row, age, sex in zip(rows, AGES, SEX, strict=True)]
    table.write_text("\n".join([f"{header}\tage\tsex", *more]) + "\n")

    def edit(config):
        config["seed_sets"].pop("dmn")
        config["estimators"].pop("partial")
        config["groups"] = []
        config["figures"].update(kinds=["contrast"], runs="none")
        config["contrasts"] = {
            "age": {"model": "age + sex", "test": "age", "permutations": 60},
            # At this level one edge is significant, and others by a false discovery rate alone.
            "sexes": {"model": "sex", "test": {"sex": {"M": 1, "F": -1}}, "permutations": 2000, "level": 0.48},
            "mean": {"test": "intercept", "permutations": 0},
        }

    project.configure(edit)
    project.run()
    return project


@pytest.fixture
def finished(finished_once, tmp_path):
    return finished_once.copy(tmp_path / "project")


def edges(project):
    """Fisher's z of the three edges of every run."""
    path = "sub-{0}/func/sub-{0}_task-rest_atlas-mine_meas-full_desc-bandpass_edges.npy"
    return np.arctanh([np.load(project.root / "results" / path.format(f"{n:02d}")) for n in range(1, N_RUNS + 1)])


def read(project, contrast, statistic):
    matrix = read_matrix(project.root / "results" / name(contrast, f"stat-{statistic}_relmat.tsv"))[1]
    return matrix[np.triu_indices(3, 1)]


def test_no_step_compiles_what_was_not_compiled_at_set_up(finished_once):
    assert finished_once.compiled_anew() == set()


def test_two_groups_are_compared_by_students_t(finished_once):
    z, male = edges(finished_once), np.array([sex == "M" for sex in SEX])
    expected = stats.ttest_ind(z[male], z[~male])
    np.testing.assert_allclose(read(finished_once, "sexes", "statistic"), expected.statistic, rtol=HALF_A_DIGIT)
    np.testing.assert_allclose(read(finished_once, "sexes", "p"), expected.pvalue, rtol=HALF_A_DIGIT)
    np.testing.assert_allclose(
        read(finished_once, "sexes", "effect"), z[male].mean(axis=0) - z[~male].mean(axis=0), rtol=HALF_A_DIGIT
    )


def test_the_sidecar_counts_significant_effects_by_sign_and_gives_their_range(finished_once):
    sidecar = read_json(finished_once.root / "results" / name("sexes", "contrast.json"))
    effects = read(finished_once, "sexes", "effect")[read(finished_once, "sexes", "fwe") <= 0.48]
    counts = [sidecar[key] for key in ("EdgesSignificant", "EdgesSignificantPositive", "EdgesSignificantNegative")]
    assert counts == [1, (effects > 0).sum(), (effects < 0).sum()]
    assert sidecar["SignificantEffects"] == pytest.approx([*effects, *effects], rel=HALF_A_DIGIT)
    assert sidecar["WithMotion"] is None and sidecar["LevelsLeftOut"] == {"sex": {}}


def test_all_permutations_are_done_where_there_are_few(finished_once):
    sidecar = read_json(finished_once.root / "results" / name("sexes", "contrast.json"))
    assert sidecar["AllPermutations"] and sidecar["NumberOfPermutations"] == 69  # of 70 ways to choose 4 of 8
    z, found = edges(finished_once), []
    from itertools import combinations

    for chosen in combinations(range(N_RUNS), 4):
        one = np.isin(np.arange(N_RUNS), chosen)
        found.append(np.abs(stats.ttest_ind(z[one], z[~one]).statistic).max())
    observed = np.abs(read(finished_once, "sexes", "statistic"))
    expected = [(np.array(found) >= t * (1 - HALF_A_DIGIT)).mean() for t in observed]
    np.testing.assert_allclose(read(finished_once, "sexes", "fwe"), expected, rtol=HALF_A_DIGIT)


def test_the_mean_is_the_one_sample_t_test(finished_once):
    expected = stats.ttest_1samp(edges(finished_once), 0)
    np.testing.assert_allclose(read(finished_once, "mean", "p"), expected.pvalue, rtol=HALF_A_DIGIT)
    assert not (finished_once.root / "results" / name("mean", "stat-fwe_relmat.tsv")).exists()


def test_the_design_and_the_runs_stand_beside_the_results(finished_once):
    design = read_records(finished_once.root / "results" / name("age", "design.tsv"))
    ages = [float(row["age"]) for row in design]
    np.testing.assert_allclose(ages, np.array(AGES) - np.mean(AGES), atol=1e-12)
    sidecar = read_json(finished_once.root / "results" / name("age", "contrast.json"))
    assert sidecar["Columns"] == ["intercept", "age", "sex[M]"] and sidecar["NumberOfRuns"] == N_RUNS
    assert sidecar["Levels"] == {"sex": {"F": 4, "M": 4}}


def test_a_finished_study_runs_nothing_and_has_nothing_left_over(finished_once):
    assert finished_once.pending() == {}
    assert finished_once.left_over() == []


def test_another_contrast_runs_only_itself(finished):
    finished.configure(lambda config: config["contrasts"].update(site={"model": "site", "test": "site"}))
    suffix = "site_mine_bandpass_full"
    expected = {f"shuffle_{suffix}": 5, f"test_{suffix}": 1, f"draw_{suffix}": 1}
    assert finished.pending() == expected | DESCRIPTION


def test_another_level_permutes_nothing(finished):
    finished.configure(lambda config: config["contrasts"]["age"].update(level=0.02))
    suffix = "age_mine_bandpass_full"
    assert finished.pending() == {f"test_{suffix}": 1, f"draw_{suffix}": 1} | DESCRIPTION


def test_a_figure_value_tests_nothing(finished):
    finished.configure(lambda config: config["figures"].update(dpi=70))
    assert not [rule for rule in finished.pending() if rule.startswith(("test_", "shuffle_"))]


def test_another_seed_permutes_that_contrast_again(finished):
    finished.configure(lambda config: config["contrasts"]["age"].update(seed=2))
    suffix = "age_mine_bandpass_full"
    assert finished.pending() == {f"shuffle_{suffix}": 1, f"test_{suffix}": 1, f"draw_{suffix}": 1} | DESCRIPTION


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"model": "age", "test": "sex"}, "contrasts.age: test: 'sex' is not in the model"),
        ({"model": "weight", "test": "weight"}, "contrasts.age: there is no column 'weight'"),
        (
            {"model": "age + sexes", "test": "age"},
            "contrasts.age: there is no column 'sexes' (did you mean 'sex'?); there",
        ),
        (
            {"model": "age + framewise_displacement", "test": "age"},
            "(did you mean 'mean_framewise_displacement'?); there are",
        ),
        (
            {"model": "age + sexes", "test": "age"},
            "; models may also name what the study computes: frames, frames_kept,",
        ),
        ({"model": "site + sex * age + task", "test": "age"}, "contrasts.age: task is 'rest' in all runs"),
        ({"model": "age", "test": "age", "groups": "sex"}, "contrasts.age.groups: this compares changes"),
        ({"model": "age", "test": "age", "runs": {"sex": "X"}}, "contrasts.age.runs: no run"),
        (
            {"model": "age", "test": "age", "estimators": ["x"]},
            "contrasts.age.estimators: 'x' is not used by any connectome",
        ),
        ({"model": "__import__('os')", "test": "age"}, "contrasts.age:"),
        ({"model": "age"}, "contrasts.age.test: this key is required"),
        (
            {"model": "age", "test": "age", "harmonize": {"column": "site", "keep": ["age"]}},
            "contrasts.age: harmonize: site must stay in the model (age + site)",
        ),
        ({"model": "age", "test": "age", "permutation": 5}, "contrasts.age.permutation: unknown key"),
        (
            {"test": {"sex": {"M": 1, "F": -1}}, "paired": "sex"},
            "contrasts.age: no subject has runs of",
        ),
    ],
)
def test_a_mistake_is_named_before_any_job(finished, entry, sentence):
    finished.configure(lambda config: config["contrasts"].update(age=entry))
    assert sentence in finished.fail("-n")


def test_a_page_that_shows_contrasts_can_be_planned_for_a_cluster(finished):
    """Jobs of a cluster are groups of steps, and no group may need itself by way of another."""
    finished.configure(lambda config: config["figures"].update(kinds=["contrast", "page"]))
    assert finished.pending("--executor", "slurm", "--jobs", "2")["draw_page"] == 1


def test_a_contrast_is_read_back_by_its_label(finished_once):
    study = read_study(finished_once.root / "results")
    assert study.contrasts == ("age", "mean", "sexes")
    found = study.contrast("sexes")
    upper = np.triu_indices(3, 1)
    for statistic, frame in (("effect", found.effect), ("p", found.p), ("fdr", found.fdr), ("fwe", found.fwe)):
        np.testing.assert_array_equal(frame.to_numpy()[upper], read(finished_once, "sexes", statistic))
    assert found.significant.dtypes.eq(bool).all() and not found.significant.to_numpy().diagonal().any()
    np.testing.assert_array_equal(found.significant.to_numpy()[upper], found.fwe.to_numpy()[upper] <= 0.48)
    assert found.edges["significant"].tolist() == ["yes", "no", "no"]
    assert found.design.index.tolist() == [f"sub-{n:02d}_task-rest" for n in range(1, N_RUNS + 1)]
    assert found.described["NumberOfPermutations"] == 69
    with pytest.raises(InputError, match="there is no statistic 'fwe'; there are effect, fdr, p"):
        _ = study.contrast("mean").fwe
    with pytest.raises(InputError, match=r"there is no contrast 'sex' \(did you mean 'sexes'\?\)"):
        study.contrast("sex")

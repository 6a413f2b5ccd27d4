"""Folds are fitted at once where cores would be idle; the results are those of one core, however a step is started."""

import re

import numpy as np
import pytest

from workflow.project import new_project, once_for_all_workers

N_NODES = 402  # products of that size differ in their last digits with the threads of linear algebra
FITTED = ("connect_sparse", "fit_group")


@pytest.fixture(scope="module")
def planned_once(tmp_path_factory):
    def make(root):
        project = new_project(root, n_subjects=1)
        places = np.random.default_rng(0).uniform((-90, -120, -70), (90, 90, 110), (N_NODES, 3))
        rows = [f"n{number}\t{x:.1f}\t{y:.1f}\t{z:.1f}" for number, (x, y, z) in enumerate(places, start=1)]
        (project.root / "data" / "many.tsv").write_text("\n".join(["name\tx\ty\tz", *rows]) + "\n")

        def edit(config):
            config["groups"] = []
            config["seed_sets"] = {"many": {"seeds": "data/many.tsv", "radius": 8, "overlap": "allow"}}
            config["estimators"] = {
                "sparse": {"kind": "sparse inverse covariance", "cv": 3},
                "joint": {"kind": "group sparse inverse covariance", "cv": 3},
            }
            config["figures"] = {"kinds": []}

        project.configure(edit)
        project.run("--until", "clean")

    return once_for_all_workers(tmp_path_factory, "cores", make)


@pytest.fixture(scope="module")
def on_one_core(planned_once, tmp_path_factory):
    return fitted(planned_once.copy(tmp_path_factory.mktemp("one") / "project"), 1)


def fitted(project, cores):
    """Fit with so many cores; the results, and how many cores each fit took."""
    done = project.snakemake("--cores", str(cores), "--verbose", "--until", *FITTED)
    assert done.returncode == 0, done.stdout
    left = re.findall(r"^Resources after job selection: .*'_cores': (\d+)", done.stdout, re.MULTILINE)
    return project.results(), {cores - int(number) for number in left}


def test_on_one_core_folds_are_fitted_in_turn(on_one_core):
    assert on_one_core[1] == {1}


@pytest.mark.parametrize("warm", [True, False])
def test_folds_that_are_fitted_at_once_give_the_same_bytes(planned_once, on_one_core, tmp_path, warm):
    project = planned_once.copy(tmp_path / "project")
    if not warm:  # as under conda and on clusters, where Snakemake gives linear algebra the threads of the step
        project.replace("workflow/lib/sphereconn_runner/__init__.py", "if major !=", "if True or major !=")
    results, taken = fitted(project, 3)
    assert taken == {3}
    assert results == on_one_core[0]

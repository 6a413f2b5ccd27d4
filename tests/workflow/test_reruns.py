"""What an edit runs again, and what it does not: the finished study is edited, and the jobs of a dry run counted.

The study has 3 runs (2 and 1 of two sites), the seed sets dmn and mine, 1 denoising and 2 estimators; so a seed set has
2 stacks and, with the group of all runs, 2 x 3 groups. An edit of the configuration also describes the study anew, and
the report is written again when something that it shows has changed: it links the figures and pages of single runs.
"""

import os
import re
import shutil
import subprocess

import pytest

from workflow.project import counts_of_jobs

N_RUNS, N_ESTIMATORS, N_GROUPS = 3, 2, 3

PAGE = {"write_report": 1}
REPORT = {"summarize_quality": 1, "write_subject_pages": 1} | PAGE
SHEETS = {"draw_sheet": N_RUNS}  # of dmn, which has more spheres than mine
CHAIN_OF_A_SEED_SET = {
    "extract": N_RUNS,
    "clean": N_RUNS,
    "connect": N_RUNS * N_ESTIMATORS,
    "stack": N_ESTIMATORS,
    "aggregate": N_ESTIMATORS * N_GROUPS,
    "measure_scale": N_ESTIMATORS,
    "draw_signals": N_RUNS,
    "draw_page": N_RUNS + 1,
}


def figures_of(n_connectomes, with_networks=0):
    """The figures of so many connectomes, of which some have more than one network."""
    of_networks = {"draw_networks": with_networks} if with_networks else {}
    drawn = {"draw_matrix": n_connectomes, "draw_strength": n_connectomes, "draw_glass_brain": n_connectomes}
    return of_networks | drawn


OF_A_SEED_SET = (N_RUNS + N_GROUPS) * N_ESTIMATORS  # connectomes; those of mine have two networks, those of dmn one
CHAIN_OF_DMN = REPORT | SHEETS | CHAIN_OF_A_SEED_SET | figures_of(OF_A_SEED_SET)
CHAIN_OF_MINE = REPORT | CHAIN_OF_A_SEED_SET | figures_of(OF_A_SEED_SET, with_networks=OF_A_SEED_SET)
CHAIN_OF_BOTH = (
    {rule: 2 * count for rule, count in (CHAIN_OF_A_SEED_SET | figures_of(OF_A_SEED_SET)).items()}
    | {"draw_networks": OF_A_SEED_SET}
    | REPORT
    | SHEETS
)
ONE_PASS = {"extract_together": N_RUNS}  # over each image, for both seed sets
CHAIN_OF_AN_ESTIMATOR = (
    {  # over both seed sets
        "connect": 2 * N_RUNS,
        "stack": 2,
        "aggregate": 2 * N_GROUPS,
        "measure_scale": 2,
        "draw_page": 2 * (N_RUNS + 1),
    }
    | REPORT
    | figures_of(OF_A_SEED_SET, with_networks=OF_A_SEED_SET // 2)
)
FIGURES_OF_GROUPS = PAGE | {"draw_page": 2, "measure_scale": 4} | figures_of(4 * N_GROUPS, with_networks=2 * N_GROUPS)
GROUP_STEPS = {"stack": 4, "aggregate": 4 * N_GROUPS} | FIGURES_OF_GROUPS
DESCRIPTION = {"describe_study": 1} | PAGE


def test_nothing_edited_runs_nothing(finished):
    assert finished.pending() == {}


@pytest.mark.parametrize("seed", ["1", "2"])
def test_nothing_edited_runs_nothing_in_another_interpreter_with_other_hashes(finished, seed):
    assert "Nothing to be done" in finished.anew("--cores", "1", PYTHONHASHSEED=seed).stdout


@pytest.mark.parametrize(
    "setting",
    [{"radius": 14}, {"smoothing_fwhm": 6}, {"min_coverage": 0.25}, {"overlap": "nearest"}, {"space": "Talairach"}],
)
def test_editing_a_seed_set_runs_its_chain_and_no_other(finished, setting):
    finished.configure(lambda config: config["seed_sets"]["dmn"].update(setting))
    pending, messages = finished.pending_with_messages()
    assert pending == CHAIN_OF_DMN | DESCRIPTION
    assert messages and not [message for message in messages if " mine " in message]


@pytest.mark.parametrize("triggers", [["mtime"], ["code", "software-env"]])
def test_an_edit_is_seen_whatever_snakemake_is_told_to_look_at(finished, triggers):
    finished.configure(lambda config: config["seed_sets"]["dmn"].update(radius=14))
    assert finished.pending("--rerun-triggers", *triggers) == CHAIN_OF_DMN | DESCRIPTION


def test_nobody_is_advised_to_look_at_times_alone_or_to_wipe_records(finished):
    finished.configure(lambda config: config["seed_sets"]["dmn"].update(radius=14))
    said = finished.snakemake("--dry-run").stdout
    assert "--rerun-triggers" not in said and "--cleanup-metadata" not in said


def test_declaring_other_spaces_alike_computes_nothing(finished):
    finished.configure(lambda config: config.update(equivalent_spaces=[["MNI152", "MNI305"]]))
    assert finished.pending() == DESCRIPTION


def test_editing_a_seed_table_runs_its_chain_and_no_other(finished):
    finished.replace("data/mine.tsv", "front\t0\t50\t0", "front\t0\t52\t0")
    pending, messages = finished.pending_with_messages()
    assert pending == CHAIN_OF_MINE
    assert messages and not [message for message in messages if " dmn " in message]


def test_giving_a_seed_set_another_table_runs_its_chain_and_no_other(finished):
    finished.configure(lambda config: config["seed_sets"]["dmn"].update(seeds="data/mine.tsv"))
    assert finished.pending() == CHAIN_OF_MINE | SHEETS | DESCRIPTION


def test_a_new_seed_set_runs_its_chain_and_nothing_else(finished):
    finished.configure(lambda config: config["seed_sets"].update(other={"seeds": "dmn", "radius": 10}))
    expected = {rule: count for rule, count in CHAIN_OF_DMN.items() if rule not in SHEETS}  # those of dmn stay
    assert finished.pending() == expected | DESCRIPTION


@pytest.mark.parametrize(
    "setting",
    [
        {"low_pass": 0.08},
        {"detrend": False},
        {"confounds": ["csf"]},
        {"standardize": "psc"},
        {"order": 4},
        {"filter": "cosine", "low_pass": None},
        {"min_minutes": 0.5},
        {"min_frames": 20},
    ],
)
def test_editing_a_denoising_opens_no_image(finished, setting):
    finished.configure(lambda config: config["denoising"]["bandpass"].update(setting))
    expected = {rule: count for rule, count in CHAIN_OF_BOTH.items() if rule != "extract"}
    assert finished.pending() == expected | DESCRIPTION


def test_swapping_two_values_of_a_denoising_is_noticed(finished):
    # Snakemake keeps params as a set of values: values given one by one could be swapped without its noticing.
    finished.configure(lambda config: config["denoising"]["bandpass"].update(filter="butterworth", order=3))
    finished.run("--until", "signals")
    finished.configure(lambda config: config["denoising"]["bandpass"].update(high_pass=0.02, low_pass=0.2))
    finished.run("--until", "signals")
    finished.configure(lambda config: config["denoising"]["bandpass"].update(high_pass=0.1, low_pass=0.2))
    assert finished.pending()["clean"] == 2 * N_RUNS


def test_a_new_estimator_runs_its_connectomes_and_what_follows(finished):
    finished.configure(lambda config: config["estimators"].update(cov={"kind": "covariance"}))
    assert finished.pending() == CHAIN_OF_AN_ESTIMATOR | DESCRIPTION


def test_editing_an_estimator_runs_that_estimator_only(finished):
    finished.configure(lambda config: config["estimators"]["partial"].update(covariance="oas"))
    pending, messages = finished.pending_with_messages()
    assert pending == CHAIN_OF_AN_ESTIMATOR | DESCRIPTION
    assert messages and not [message for message in messages if "(full" in message]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"matrix": {"limit": 0.5}}, {"draw_matrix": 24}),
        ({"glass_brain": {"views": ["ortho"], "threshold": "top 2"}}, {"draw_glass_brain": 24}),
        (  # the pages of subjects link the new figures
            {"glass_brain": {"views": ["ortho", "lyrz", "z"]}},
            {"draw_glass_brain": 48, "write_subject_pages": 1},
        ),
        ({"seed_sets": {"mine": {"glass_brain": {"threshold": "50%"}}}}, {"draw_glass_brain": 12}),
        ({"strength": {"views": "lr"}}, {"draw_strength": 24}),
        ({"page": {"threshold": "top 3"}}, {"draw_page": 8}),
        ({"kinds": ["matrix"]}, {}),
        ({"sheets": "none"}, {}),
        ({"sheets": {"subject": ["01"]}}, {"write_subject_pages": 1}),
        ({"dpi": 70}, {"draw_signals": 6, **figures_of(24, with_networks=12)}),
    ],
)
def test_editing_a_figure_value_draws_those_figures_and_computes_no_number(finished, setting, expected):
    finished.configure(lambda config: config["figures"].update(setting))
    assert finished.pending() == expected | DESCRIPTION


@pytest.mark.parametrize(
    ("how", "jobs"),
    [
        ("concatenate", {"concatenate": 6, "connect": 12, "draw_signals": 6}),
        ("average", {"average": 12}),
    ],
)
def test_combining_runs_computes_subjects_and_groups_and_no_single_run(finished, how, jobs):
    finished.configure(lambda config: config.update(combine={"how": how}))
    subjects = jobs | {"combine_nodes": 6, "draw_page": 6} | figures_of(12, with_networks=6)
    expected = {rule: subjects.get(rule, 0) + GROUP_STEPS.get(rule, 0) for rule in subjects | GROUP_STEPS}
    pending, messages = finished.pending_with_messages()
    assert pending == expected | REPORT | DESCRIPTION
    estimated = [said for said in messages if said.startswith(("Connect", "Averag"))]
    assert estimated and all("run-all" in said for said in estimated)


def test_a_run_added_runs_its_chain_and_the_group_steps(finished_once, tmp_path):
    from workflow.project import write_run, write_runs_table

    finished = finished_once.copy(tmp_path / "project")
    write_run(finished.root, 4)
    write_runs_table(finished.root, [1, 2, 3, 4])
    of_the_run = {"extract": 2, "clean": 2, "connect": 4, "draw_signals": 2, "draw_page": 2} | figures_of(4, 2)
    of_the_run |= {"extract_together": 1, "draw_sheet": 1}
    assert (
        finished.pending()
        == {rule: of_the_run.get(rule, 0) + GROUP_STEPS.get(rule, 0) for rule in of_the_run | GROUP_STEPS} | REPORT
    )


def test_a_run_removed_runs_the_group_steps_only(finished):
    from workflow.project import write_runs_table

    write_runs_table(finished.root, [1, 2])
    assert finished.pending() == GROUP_STEPS | REPORT


def test_a_run_excluded_runs_the_group_steps_only(finished):
    finished.configure(lambda config: config.update(exclude={"sub-03_task-rest": "damaged image"}))
    assert finished.pending() == GROUP_STEPS | REPORT | {"describe_study": 1}


def test_a_run_that_changes_its_site_runs_the_group_steps_only(finished):
    finished.replace("data/runs.tsv", "sub-03_confounds.tsv\todd", "sub-03_confounds.tsv\teven")
    assert finished.pending() == GROUP_STEPS


def test_an_edited_confounds_table_runs_the_cleaning_of_that_run(finished):
    path = finished.root / "data" / "sub-01_confounds.tsv"
    path.write_text(path.read_text().replace("csf", "csf", 1) + "")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    assert {rule: count for rule, count in finished.pending().items() if rule in ("extract", "clean", "connect")} == {
        "clean": 2,
        "connect": 4,
    }


def reversed_keys(value):
    return {key: reversed_keys(item) for key, item in reversed(value.items())} if isinstance(value, dict) else value


def test_the_order_of_keys_and_rows_a_comment_or_a_default_written_out_run_nothing(finished):
    from workflow.project import write_runs_table

    def rewrite(config):
        reordered = reversed_keys(config)
        reordered["seed_sets"]["dmn"].update(radius=12.0, min_coverage=0.5)
        config.clear()
        config.update(reordered)

    finished.configure(rewrite)
    path = finished.root / "study.yaml"
    path.write_text("# a comment\n" + path.read_text())
    write_runs_table(finished.root, [3, 1, 2])
    assert finished.pending() == {}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("extract/spheres.py", CHAIN_OF_BOTH | ONE_PASS),
        ("clean/filters.py", {rule: count for rule, count in CHAIN_OF_BOTH.items() if rule != "extract"}),
        (
            "connect/covariance.py",
            {
                rule: count
                for rule, count in CHAIN_OF_BOTH.items()
                if rule not in ("extract", "clean", "draw_signals", "draw_sheet")
            },
        ),
        ("aggregate/moments.py", {"aggregate": 4 * N_GROUPS} | FIGURES_OF_GROUPS),
        (
            "aggregate/strength.py",  # the scale that groups share takes in their strengths and means by network
            PAGE | {"measure_scale": 4} | figures_of(4 * N_GROUPS) | {"draw_strength": 24, "draw_networks": 12},
        ),
        ("aggregate/quality.py", REPORT),
        ("draw/timeseries.py", {"draw_signals": 6}),
        ("draw/page.py", {"draw_page": 8}),
        ("clean/summary.py", SHEETS | {"write_subject_pages": 1}),
        ("draw/subject_page.py", {"write_subject_pages": 1}),
        ("draw/style.py", {"draw_signals": 6, "draw_page": 8} | figures_of(24, with_networks=12) | PAGE),
        ("draw/methods.py", PAGE),
    ],
)
def test_edited_library_code_runs_the_jobs_that_use_it_and_what_follows(finished, module, expected):
    path = finished.root / "workflow" / "lib" / "sphereconn" / module
    path.write_text(path.read_text() + "\n\nEDITED = True\n")
    assert finished.pending() == expected


def test_a_comment_or_docstring_in_library_code_runs_nothing(finished):
    path = finished.root / "workflow" / "lib" / "sphereconn" / "clean" / "filters.py"
    path.write_text("# a comment\n" + path.read_text())
    finished.replace("scripts/clean.py", '"""Cleaned signals', '"""The cleaned signals')
    assert finished.pending() == {}


def test_a_fresh_checkout_that_touches_every_file_runs_nothing(finished):
    for folder in ("Snakefile", "workflow", "scripts", "resources", "data", "study.yaml"):
        subprocess.run(["find", folder, "-type", "f", "-exec", "touch", "{}", "+"], cwd=finished.root, check=True)
    assert finished.pending() == {}


def forget(project):
    """Take Snakemake's own records away."""
    shutil.rmtree(project.root / ".snakemake")


def test_without_snakemakes_records_what_agrees_is_adopted_and_an_edit_is_noticed(finished):
    forget(finished)
    results = finished.root / "results"
    shutil.copytree(results, finished.root / "copy", copy_function=shutil.copyfile)  # without the times
    shutil.rmtree(results)
    (finished.root / "copy").rename(results)
    assert finished.pending() == {}
    finished.configure(lambda config: config["seed_sets"]["dmn"].update(radius=14))
    assert finished.pending() == CHAIN_OF_DMN | DESCRIPTION


@pytest.mark.parametrize("with_records", [True, False])
def test_an_older_image_or_table_in_the_place_of_a_newer_one_is_noticed(finished, with_records):
    data = finished.root / "data"
    for old, new in (("sub-02_bold.nii.gz", "sub-01_bold.nii.gz"), ("sub-02_confounds.tsv", "sub-03_confounds.tsv")):
        (data / "version").mkdir(exist_ok=True)
        shutil.copy(data / old, data / "version" / new)
        os.utime(data / "version" / new, (1e9, 1e9))
        (data / new).unlink()
        (data / new).symlink_to(f"version/{new}")  # as when a link is pointed at another version; `cp -p` is the same
    if not with_records:
        forget(finished)
    assert {rule: count for rule, count in finished.pending().items() if rule in ("extract", "clean", "connect")} == {
        "extract": 2,
        "clean": 4,
        "connect": 8,
    }


def test_empty_results_and_empty_records_are_made_again(finished):
    for path in [
        *(finished.root / ".snakemake" / "metadata").iterdir(),
        *finished.root.glob("results/*/*/*dmn*relmat*"),
    ]:
        if path.is_file():
            path.write_bytes(b"")
    pending = finished.pending()
    assert pending["connect"] == N_RUNS * N_ESTIMATORS
    assert "extract" not in pending


def test_a_checkout_that_moves_runs_nothing(finished, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("Snakefile", "workflow", "scripts", "profiles", "envs", "resources"):
        (finished.root / name).rename(elsewhere / name)
    assert finished.pending("--snakefile", str(elsewhere / "Snakefile")) == {}


def test_a_result_deleted_is_made_again(finished):
    (finished.root / "results/sub-01/func/sub-01_task-rest_atlas-dmn_meas-full_desc-bandpass_relmat.tsv").unlink()
    assert finished.pending()["connect"] == 1


def test_results_that_no_configuration_asks_for_are_named_and_removed_on_request(finished):
    finished.configure(lambda config: config["estimators"].pop("partial"))
    finished.configure(lambda config: config["seed_sets"].pop("mine"))
    finished.configure(lambda config: config.pop("output_dir"))
    output = finished.run("--config", "output_dir=results", "exclude={}")
    before = finished.results()
    output = _paste(finished, output, "To list them all: ")
    unwanted = {name for name in before if "meas-partial" in name or "atlas-mine" in name}
    assert unwanted == {line.split()[0] for line in output.splitlines() if line.endswith("B)")}
    assert finished.results() == before
    _paste(finished, output, "To remove them: ")
    after = finished.results()
    assert set(before) - set(after) == unwanted
    assert all(after[name] == before[name] for name in after)
    assert "remove_orphans" not in finished.run("--forcerun", "describe_study")


def _paste(project, output, before):
    """Copy the command that an output names into a shell."""
    (command,) = [line.removeprefix(before) for line in output.splitlines() if line.startswith(before)]
    done = subprocess.run(command, shell=True, cwd=project.root, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_in_scripts_reads_the_configuration_behind_snakemakes_back():
    from workflow.project import ROOT

    scripts = sorted((ROOT / "scripts").glob("*.py"))
    assert len(scripts) > 5
    assert [path.name for path in scripts if "snakemake.config" in path.read_text()] == []
    assert [path.name for path in scripts if len(path.read_text().splitlines()) > 70] == []


def test_results_do_not_depend_on_the_locale_or_the_number_of_cores(finished, finished_once):
    # All that a run and the group of all runs have, and the report: every kind of job.
    again = re.compile(r"sub-01/.*_atlas-mine_|group/.*group-all_atlas-mine_|report\.html|.*/quality|study\.json")
    for name in filter(again.match, finished.results()):
        (finished.root / "results" / name).unlink()
    done = finished.anew("--cores", "1", LC_ALL="C")
    assert done.returncode == 0, done.stdout
    assert set(counts_of_jobs(done.stdout)) == set(CHAIN_OF_MINE) | {"describe_study"}
    assert finished.results() == finished_once.results()

"""The report shows the numbers of the tables behind it, says what was left out, and leads to nothing but results."""

import copy
import re

import numpy as np
import pytest
from pages import Page

from sphereconn.aggregate.cohort import worst_values
from sphereconn.aggregate.quality import ESTIMATION_COLUMNS, QUALITY_COLUMNS
from sphereconn.aggregate.unusual import unusual_runs
from sphereconn.draw import report
from sphereconn.draw.html import Image
from sphereconn.draw.nodes_table import mean_of
from sphereconn.plan import contrasted
from sphereconn.words import NOT_CHOSEN_BY

SETTINGS = {
    "runs": "runs.tsv",
    "groups": ["site"],
    "combine": None,
    "seed_sets": {
        "dmn": {"seeds": "dmn", "radius": 8.0, "smoothing_fwhm": 0.0, "overlap": "error", "min_coverage": 0.5},
        "unused": {
            "seeds": "unused.tsv",
            "radius": None,
            "smoothing_fwhm": 0.0,
            "overlap": "error",
            "min_coverage": 0.5,
        },
    },
    "denoising": {
        "bandpass": {
            "confounds": ["csf"],
            "confounds_if_any": [],
            "detrend": True,
            "filter": "butterworth",
            "high_pass": 0.01,
            "low_pass": 0.1,
            "missing_confounds": "error",
            "order": 5,
            "padtype": "odd",
            "interpolation": "cubic_spline",
            "standardize": "zscore_sample",
            "strategy": None,
            "non_steady_state": "censor",
            "scrub": None,
            "min_frames": None,
            "min_minutes": None,
            "min_degrees_of_freedom": None,
            "max_mean_framewise_displacement": None,
        }
    },
    "estimators": {"partial": {"kind": "partial correlation", "covariance": "ledoit_wolf", "samples": "effective"}},
}
SETTINGS["maps"] = {}
FIGURE = "group/figures/group-all_atlas-dmn_meas-partial_desc-bandpass_relmat.png"
TESTED = {
    "Settings": {
        "model": "age",
        "test": "age",
        "paired": None,
        "groups": None,
        "level": 0.05,
        "tests": [],
        "harmonize": None,
    },
    "Levels": {},
    "NumberOfRuns": 3,
    "NumberOfSubjects": 3,
    "RunsLeftOut": {},
    "NumberOfPermutations": 0,
    "EdgesTested": 6,
    "EdgesSignificant": 0,
    "SignificantEffects": None,
    "LevelsLeftOut": {},
    "WithMotion": None,
    "EdgesNotTested": 0,
    "SmallestFWE": None,
    "SiteMedianF": None,
    "VarianceInflation": {},
    "LargestLeverage": 0.2,
    "HighLeverage": {},
    "Columns": ["intercept", "age"],
    "Contrast": [[0.0, 1.0]],
    "AllPermutations": False,
    "Shuffled": "",
    "Unit": "Fisher's z",
    "Combined": None,
    "Statistic": "t",
}
LEVEL = "group/figures/site-a_atlas-dmn_meas-partial_desc-bandpass_relmat.png"


def group(name, runs, path):
    labels = {"seed_set": "dmn", "denoising": "bandpass", "estimator": "partial"}
    column, _, level = name.partition(": ")
    return {
        "group": name,
        "column": column if level else "",
        "level": level,
        "mean_of": f"mean of n = {runs} subjects",
        "n_runs": runs,
        "n_left_out": 0,
        "networks": None,
        "means": None,
        "figures": [["matrix", path]],
        **labels,
    }


CONTENTS = {
    "runs_table": "runs.tsv",
    "preprocessed_by": [["fMRIPrep", "23.2.0"]],
    "unused": [["sub-9", "damaged image"]],
    "in_no_group": [],
    "own_measures": [],
    "search": [],
    "combined": [],
    "groups": [group("all runs", 3, FIGURE), group("site: a", 2, LEVEL)],
    "pages": [{"seed_set": "dmn", "denoising": "bandpass", "path": "group/figures/groups_connectomes.html"}],
    "differences": [],
    "contrasts": [],
    "maps": [],
    "reliability": [],
    "comparisons": [],
    "published_left_out": {},
    "radii": [],
    "map_contrasts": [],
    "subject_pages": {f"sub-{number}": f"sub-{number}.html" for number in range(1, 21)},
    "runs": [
        {"run": "sub-1", "seed_set": "dmn", "denoising": "bandpass", "links": [["signals", "sub-1/figures/a.png"]]}
    ],
}


def quality_rows(n_runs=3, **changes):
    rng = np.random.default_rng(1)
    rows = []
    for number in range(1, n_runs + 1):
        row = dict.fromkeys(QUALITY_COLUMNS, "n/a") | {
            "run": f"sub-{number}",
            "seed_set": "dmn",
            "denoising": "bandpass",
            "frames": "200",
            "frames_without_data": str(int(number == 1)),
            "frames_kept": str(200 - number),
            "repetition_time": "2.5",
            "repetition_time_overruled": "n/a",
            "regressors": "8",
            "degrees_of_freedom": repr(float(rng.uniform(60, 90))),
            "effective_degrees_of_freedom": repr(float(rng.uniform(40, 70))),
            "mean_framewise_displacement": repr(float(rng.uniform(0.05, 0.5))),
            "nodes": "4",
            "nodes_unusable": "0",
            "lowest_coverage": repr(float(rng.uniform(0.5, 1))),
            "median_coverage": repr(float(rng.uniform(0.9, 1))),
            "median_temporal_snr": repr(float(rng.uniform(30, 90))),
        }
        rows.append(row | changes)
    return rows


def estimation_rows(n_runs=3, **changes):
    rows = []
    for number in range(1, n_runs + 1):
        labels = {"run": f"sub-{number}", "seed_set": "dmn", "denoising": "bandpass", "estimator": "partial"}
        row = dict.fromkeys(ESTIMATION_COLUMNS, "n/a") | labels | {"nodes_unusable": "0", "same_signal": "0"}
        row["shrinkage"] = f"0.0{number}"
        rows.append(row | changes)
    return rows


def written(**changes):
    given = {
        "settings": SETTINGS,
        "contents": CONTENTS,
        "name": "The study",
        "quality": quality_rows(),
        "estimation": estimation_rows(),
        "software": {"clean": {"sphereconn": ["0.1.0"], "python": ["3.11.7"], "numpy": ["2.4.6"]}},
        "regressors": {"bandpass": {"csf": 3}},
        "spheres": {"dmn": (4, (8.0, 8.0))},
        "images": {FIGURE: Image("image/webp", b"all"), LEVEL: Image("image/webp", b"level")},
    }
    given |= changes
    given.setdefault("unusual", unusual_runs(given["quality"], given["estimation"]))
    return report.study_report(**given, worst=worst_values(given["quality"]))


EVERY_RUN = "All runs, seed sets and denoisings, sorted by the number of unusable nodes and by lowest coverage"
OVERVIEW = "Median over runs (lowest to highest), or the value common to all runs"


def test_every_number_of_a_run_is_that_of_the_table_behind_it():
    quality = quality_rows(20)
    quality[3]["mean_framewise_displacement"] = "n/a"
    header, *shown = Page(written(quality=quality, estimation=estimation_rows(20))).tables[EVERY_RUN]
    hidden = {"left_out", "repetition_time_overruled"}  # said elsewhere, and of few runs
    assert len(header) == len(QUALITY_COLUMNS) - len(hidden) and len(shown) == 20
    by_run = {row["run"]: row for row in quality}
    for cells in shown:
        row = by_run.pop(cells[0])
        assert row.pop("left_out") == "n/a"  # a run that is left out stands in a table of its own
        assert row.pop("repetition_time_overruled") == "n/a"
        for cell, (key, value) in zip(cells, row.items(), strict=True):
            if key in report.COLUMNS and value != "n/a":
                digits = report.COLUMNS[key].digits
                # Half a unit of the last decimal place shown, and what rounding of the comparison adds.
                assert float(cell) == pytest.approx(float(value), abs=0.5 * 10**-digits + 1e-12), key
            else:
                assert cell == value
    assert by_run == {}


def test_the_overview_gives_medians_and_extremes():
    quality = quality_rows(21)
    text = written(quality=quality)
    header, cells = Page(text).tables[OVERVIEW][:2]
    snr = [float(row["median_temporal_snr"]) for row in quality]
    shown = dict(zip(header, cells, strict=True))
    assert shown["median temporal SNR"] == f"{np.median(snr):.1f} ({min(snr):.1f}\xa0to\xa0{max(snr):.1f})"
    assert shown["frames"] == "200" and shown["runs"] == "21"


def test_the_worst_runs_come_first():
    quality = quality_rows(9)
    quality[6]["nodes_unusable"] = "1"
    tables = Page(written(quality=quality, estimation=estimation_rows(9))).tables
    every = [row[0] for row in tables[EVERY_RUN][1:]]
    coverage = {row["run"]: float(row["lowest_coverage"]) for row in quality}
    assert every == ["sub-7", *sorted(set(coverage) - {"sub-7"}, key=coverage.get)]
    motion = sorted(quality, key=lambda row: -float(row["mean_framewise_displacement"]))
    assert [row[0] for row in tables["Runs with the highest mean framewise displacement"][1:]] == [
        row["run"] for row in motion[:5]
    ]


def test_a_measure_that_does_not_depend_on_the_seed_set_counts_each_run_once():
    quality = quality_rows() + quality_rows(seed_set="other")
    text = written(quality=quality, estimation=estimation_rows())
    motion = text[text.index(">Motion</h3>") : text.index(">Effective degrees of freedom</h3>")]
    assert motion.count('<circle class="dot"') == 3


def test_what_is_not_known_is_said():
    text = written(quality=quality_rows(mean_framewise_displacement="n/a"))
    assert "Not known for any run." in text
    assert "median of mean FD" not in text and "Spurious but systematic" not in text


def test_runs_that_were_not_used_are_listed_with_the_reason():
    rows = Page(written()).tables["Runs that were not used, with the reason"]
    assert rows[1:] == [["sub-9", "damaged image"]]
    assert "No run of the table was left out." in written(contents=CONTENTS | {"unused": []})


def test_runs_in_no_group_are_listed_with_the_column_that_they_have_no_value_in():
    caption = "Runs that belong to no group of a column because their value is missing"
    assert caption not in written()
    rows = Page(written(contents=CONTENTS | {"in_no_group": [["sub-1", "site, age"]]})).tables[caption]
    assert rows[1:] == [["sub-1", "site, age"]]


def test_own_columns_that_replace_measures_are_named():
    assert "Models use the column" not in written()
    text = written(contents=CONTENTS | {"own_measures": ["frames"]})
    assert "Models use the column frames of the runs table, not the measure of the same name" in text


def test_images_that_the_search_left_out_are_listed_with_the_reason():
    caption = "Images that were found but not used, with the reason"
    assert caption not in Page(written()).tables
    search = [{"bold": "sub-3_bold.nii.gz", "reason": "no confounds", "detail": "no table of its name"}]
    rows = Page(written(contents=CONTENTS | {"search": search})).tables[caption]
    assert rows[1:] == [["sub-3_bold.nii.gz", "no confounds", "no table of its name"]]


def test_runs_that_a_denoising_left_out_are_listed_with_the_seed_sets_for_which_it_did():
    few, still = "3.4 effective degrees of freedom", "The mean framewise displacement is 0.9 mm"
    left_out = [
        *quality_rows(1, run="sub-8", left_out=few),
        *quality_rows(1, run="sub-9", left_out=still),
        *quality_rows(1, run="sub-9", left_out=still, seed_set="all"),
    ]
    rows = Page(written(quality=quality_rows() + left_out)).tables["Runs left out by a denoising, with the reason"]
    assert rows[1:] == [["sub-8", "bandpass", "dmn", few], ["sub-9", "bandpass", "all, dmn", still]]


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([], "1; 1 for some sets of spheres only"),
        (["sub-8"], "2; 1 for some sets of spheres only"),
    ],
)
def test_a_run_that_only_one_seed_set_does_without_is_counted_as_such(others, words):
    bandpass = SETTINGS["denoising"]["bandpass"] | {"min_degrees_of_freedom": 10.0}
    left_out = [
        row
        for run in ("sub-1", *others)
        for row in quality_rows(1, run=run, seed_set="all", left_out="3.4 effective degrees of freedom")
    ]
    page = written(settings=SETTINGS | {"denoising": {"bandpass": bandpass}}, quality=quality_rows() + left_out)
    assert f"were excluded (n = {words})." in page


def test_unused_settings_are_left_out():
    assert [row[0] for row in Page(written()).tables["Seed sets: settings, including defaults"][1:]] == ["dmn"]


def test_runs_with_unusable_nodes_and_failed_estimates_are_warned_of():
    assert 'class="warning"' not in written()
    unusable = "1 run of 3 has nodes without a signal, at most 2 of 4 (dmn)."
    quality = quality_rows()
    quality[0]["nodes_unusable"] = "2"
    assert unusable in written(quality=quality)
    doubtful = written(
        estimation=estimation_rows(1, alpha_at_end_of_path="largest")
        + estimation_rows(2, alpha_at_end_of_path="smallest", fewer_degrees_of_freedom_than_nodes="yes")
    )
    of = "of 3 connectomes (dmn, bandpass, partial), "
    for words in (
        f"For 1 {of}the chosen penalty is the largest that was tried",
        f"For 2 {of}the chosen penalty is the smallest that was tried",
        f"For 2 {of}the effective number of frames is smaller than the number of nodes",
    ):
        assert words in worried_in(doubtful) and doubtful.count(words) == 2  # and with the diagnostics
    assert "3 estimates did not converge" in written(estimation=estimation_rows(converged="no", duality_gap="0.5"))


def test_estimates_show_what_concerns_their_estimators():
    closed = [rows for caption, rows in Page(written()).tables.items() if caption == OVERVIEW]
    assert closed and "convergence is not an issue" in written()
    estimation = estimation_rows()
    sparse = [
        row | {"estimator": "sparse", "shrinkage": "n/a", "alpha": "0.1", "duality_gap": "2e-05", "converged": "yes"}
        for row in estimation
    ]
    settings = copy.deepcopy(SETTINGS)
    settings["estimators"]["sparse"] = {
        "kind": "sparse inverse covariance",
        "matrix": "precision",
        "alpha": 0.1,
        "gap_frames": 0,
        "gap_per_node": 1e-4,
    }
    text = written(settings=settings, estimation=estimation + sparse)
    rows = Page(text).tables[report.ESTIMATION_CAPTION]
    assert rows[0] == ["seed set", "denoising", "estimator", "runs", "shrinkage", "penalty", "duality gap", "converged"]
    assert rows[1][3:] == ["3", "0.020 (0.010\xa0to\xa00.030)", "n/a", "n/a", "closed form"]
    assert rows[2][3:] == ["3", "n/a", "0.1", "2.0e-05", "3 of 3"]


def test_thousands_of_runs_end_with_a_pointer_to_the_table():
    text = written(quality=quality_rows(2500), estimation=estimation_rows(2500))
    assert len(Page(text).tables[EVERY_RUN]) == 2001
    assert 'The first 2,000 of 2,500 rows are shown; for the others, see <a href="group/quality.tsv">' in text
    assert len(text) < 2_000_000


def test_figures_of_all_runs_are_open_and_those_of_levels_folded():
    text = written()
    images = {item["alt"]: text.index(item["src"]) for item in Page(text).attributes_of("img")}
    assert list(images) == ["matrix, all runs", "partial: matrix, all runs", "partial: matrix, site: a"]
    folded = text.index("<summary>site: a, mean of n = 2 subjects</summary>")
    assert images["partial: matrix, all runs"] < folded < images["partial: matrix, site: a"]


def test_a_figure_that_cannot_be_embedded_is_linked(monkeypatch):
    text = written(images={FIGURE: None, LEVEL: Image("image/webp", b"level")})
    assert [item["alt"] for item in Page(text).attributes_of("img")] == ["partial: matrix, site: a"]
    assert f'<a href="{FIGURE}">' in text
    monkeypatch.setattr(report, "MOST_EMBEDDED", 3)  # there is room for that of all runs only
    shown = [item["alt"] for item in Page(written()).attributes_of("img")]
    assert shown == ["matrix, all runs", "partial: matrix, all runs"]


MOTION = {"Effect": 0.1, "StandardizedEffect": 0.02, "PartialR": 0.5, "P": 0.01, "InModel": False}


def worried_in(text):
    """The card of what to worry about."""
    card = text[text.index("What to worry about") :]
    return card[: card.index("\n</div>")]


def contrast_of(**result):
    return {
        "title": "age, partial, bandpass",
        "asked": "age",
        "label": "age",
        "labels": ["dmn", "bandpass", "partial"],
        "figures": [[shown.shows, f"group/figures/{kind}.png"] for kind, shown in contrasted.FIGURES.items()],
        "result": TESTED | result,
        "component_rows": [],
        "pair_rows": [],
        **dict.fromkeys(("edges", "components", "pairs", "sidecar"), "group/table.tsv"),
    }


def test_the_report_opens_with_what_was_asked_what_came_out_and_what_to_worry_about():
    contrast = contrast_of()
    images = {FIGURE: Image("image/webp", b"all"), "group/figures/matrix.png": Image("image/webp", b"effects")}
    text = written(
        contents=CONTENTS | {"contrasts": [contrast]}, images=images, quality=quality_rows(nodes_unusable="1")
    )
    start, end = text.index(">At a glance</h2>"), text.index(">Contrasts</h2>")
    places = [
        text.index(words, start, end)
        for words in (
            "Connectivity (partial correlation) between the spheres of dmn, denoised with bandpass",
            "All runs, mean of n = 3 subjects",
            'alt="matrix, all runs"',
            "What to worry about",
            "3 runs of 3 have nodes without a signal",
            "3 runs. None of 6 edges is significant (p ≤ 0.05, false discovery rate).",
            'alt="effects (above the diagonal: significant effects)"',
        )
    ]
    assert places == sorted(places)
    assert "Nothing stands out" not in text
    assert "significant edges and components in the brain" not in text[start:end]  # there are none
    found = contrast_of(EdgesSignificant=2)
    text = written(contents=CONTENTS | {"contrasts": [found]}, images=images)
    assert (
        "significant edges and components in the brain"
        in text[text.index(">At a glance</h2>") : text.index(">Contrasts</h2>")]
    )
    assert "stands out" not in text
    assert "Nothing else stands out" in written(quality=quality_rows(frames_without_data="0"))


def test_runs_that_a_denoising_leaves_out_are_a_worry_with_the_groups_that_lose_them():
    left_out = [row for run in ("sub-8", "sub-9") for row in quality_rows(1, run=run, left_out="too short")]
    groups = [group("all runs", 3, FIGURE), group("site: a", 2, LEVEL) | {"n_left_out": 2}, group("site: b", 1, LEVEL)]
    sexes = contrast_of(Levels={"sex": {"F": 3}}, LevelsLeftOut={"sex": {"M": 2}})
    contents = CONTENTS | {"groups": groups, "contrasts": [sexes]}
    text = written(quality=quality_rows() + left_out, contents=contents)
    worried = text[text.index("What to worry about") : text.index(">Contrasts</h2>")]
    assert "bandpass leaves out 2 of 5 runs (site: a 2 of 4, b 0 of 1; sex: M 2 of 2, F 0 of 3): sub-8" in worried
    assert "leaves out" not in written()


def test_a_contrast_whose_tested_variable_goes_together_with_motion_is_a_worry_named_once():
    both = [contrast_of(WithMotion=MOTION)] * 2 + [contrast_of()]
    text = written(contents=CONTENTS | {"contrasts": both})
    assert text.count("Contrast age: Head motion (mean framewise displacement) increases with age (0.1 mm") == 1


def test_a_worry_of_some_results_of_a_contrast_says_of_which_and_one_of_all_says_it_once():
    def tested(label, seed_set, denoising, **result):
        return contrast_of(**result) | {"label": label, "labels": [seed_set, denoising, "partial"]}

    leverage = {"HighLeverage": {"sub-2": {"Leverage": 0.95, "ShareOfTest": 0.8}}}
    contrasts = [
        tested("age", seed_set, denoising, WithMotion=MOTION | {"P": p, "PartialR": r}, **leverage)
        for seed_set in ("dmn", "power")
        for denoising, p, r in (("plain", 0.46, 0.31), ("scrubbed", 0.001, 0.97), ("strict", 0.002, 0.96))
    ]
    contrasts += [tested("other", "dmn", "plain", **leverage)]
    worried = worried_in(written(contents=CONTENTS | {"contrasts": contrasts}))
    assert "Contrast age (scrubbed): Head motion (mean framewise displacement) increases with age (0.1 mm" in worried
    assert worried.count("Head motion") == 2 and "r = 0.31" not in worried
    assert "Contrast age (strict): Head motion" in worried
    assert worried.count("The model follows one run almost exactly: sub-2 (leverage 0.950") == 1
    assert "Contrasts age and other: The model follows" in worried
    for contrast in contrasts[:2]:
        contrast["result"] |= {"EdgesNotTested": 5}
    worried = worried_in(written(contents=CONTENTS | {"contrasts": contrasts}))
    assert "Contrast age (dmn, plain; dmn, scrubbed): 5 edges were not tested" in worried
    many = [tested("age", "dmn", f"d{n}", WithMotion=MOTION | {"P": 1e-3 * n}) for n in range(1, 19)]
    worried = worried_in(written(contents=CONTENTS | {"contrasts": many}))
    assert worried.count("Contrast age (d") == 15
    assert "3 more of this kind stand beside the results of the contrasts." in worried


def test_runs_that_a_contrast_does_not_use_are_a_worry_with_the_reason_unless_the_denoising_leaves_them_out():
    left_out = quality_rows(1, run="sub-9", left_out="Too short.")
    contrast = contrast_of(RunsLeftOut={"sub-9": "Too short.", "sub-2": "no value in age"})
    contents = CONTENTS | {"contrasts": [contrast], "in_no_group": [["sub-2", "site"]]}
    text = written(quality=quality_rows() + left_out, contents=contents)
    assert "Contrast age: 1 of 5 runs is not used: sub-2 (no value in age)." in worried_in(text)
    assert "bandpass leaves out 1 of 4 runs" in worried_in(text) and ": sub-9 (Too short)." in worried_in(text)
    assert "1 run belongs to no group by site, without a value: sub-2." in worried_in(text)
    section = text[text.index(">Contrasts</h2>") :]
    assert "2 of 5 runs are not used: sub-9 (Too short) and sub-2 (no value in age)." in section


def test_the_runs_and_images_that_a_study_does_without_are_noted_without_being_a_worry():
    search = [{"bold": f"{n}.nii.gz", "reason": "without a mask", "detail": ""} for n in range(3)]
    search += [{"bold": "3.nii.gz", "reason": f"{NOT_CHOSEN_BY} subjects", "detail": ""}]
    worried = worried_in(written(contents=CONTENTS | {"search": search}, quality=quality_rows(frames_without_data="0")))
    assert "1 run of the runs table is not used: sub-9 (damaged image)." in worried
    assert "3 images were found but not used: without a mask (3)." in worried
    assert "Nothing else stands out: every node has a signal" in worried and 'class="warning"' not in worried


def test_few_runs_are_said_to_be_too_few_to_tell_which_is_unusual():
    def said(n_runs, **changes):
        rows = quality_rows(n_runs, frames_without_data="0", **changes)
        rows[0]["mean_framewise_displacement"] = changes.get("mean_framewise_displacement", "0.489")
        return worried_in(written(quality=rows, estimation=estimation_rows(n_runs)))

    one, few = "1 run is too few to tell whether it is unusual", "9 runs are too few to tell which is unusual"
    assert f"{few}; the largest mean framewise displacement is 0.49 mm (sub-1; median 0." in said(9)
    assert f"{one}; its mean framewise displacement is 0.49 mm." in said(1)
    assert f"{few}, and head motion is not known." in said(9, mean_framewise_displacement="n/a")
    assert "too few" not in said(10)
    assert "1 of 9 runs is unusual in some way: sub-1." not in said(9)
    moving = quality_rows(9, frames_without_data="0")
    moving[0]["mean_framewise_displacement"] = "0.89"
    assert "1 of 9 runs is unusual in some way: sub-1." in worried_in(written(quality=moving))


def test_means_by_network_stand_as_a_table_under_their_picture():
    item = group("all runs", 3, FIGURE) | {
        "figures": [["networks", FIGURE]],
        "means": (["node", "a", "b"], [["a", "0.25", "-0.001"], ["b", "-0.001", "n/a"]]),
    }
    rows = Page(written(contents=CONTENTS | {"groups": [item]})).tables[
        "Means behind partial: networks, all runs"
    ]  # fmt: skip
    assert rows == [["network", "a", "b"], ["a", "0.25", "0.00"], ["b", "0.00", "n/a"]]


def test_a_report_of_many_runs_and_figures_stays_below_15_mb():
    paths = [f"group/figures/{number}.png" for number in range(400)]
    groups = [group(f"site: {number}", 2, path) for number, path in enumerate(paths)]
    links = [[f"partial: figure {number}", f"sub-1/figures/{number}.png"] for number in range(8)]
    runs = [
        {"run": f"sub-{number}", "seed_set": "dmn", "denoising": "bandpass", "links": links} for number in range(3000)
    ]
    pages = {item["run"]: f"{item['run']}.html" for item in runs}
    text = written(
        contents=CONTENTS | {"groups": [*CONTENTS["groups"], *groups], "runs": runs, "subject_pages": pages},
        images={path: Image("image/webp", bytes(50_000)) for path in [FIGURE, *paths]},
        quality=quality_rows(3000),
        estimation=estimation_rows(3000, alpha_at_end_of_path="smallest"),
    )
    assert text.count('src="data:image/webp') == 1 + report.MOST_EMBEDDED // 50_000  # that of all runs twice
    assert len(text.encode()) < 15e6


def test_the_list_of_runs_has_the_unusual_ones_first_with_the_reason_and_leads_to_their_pages():
    quality = quality_rows(20, frames_without_data="0")
    quality[12] |= {"mean_framewise_displacement": "4.0", "nodes_unusable": "2"}
    quality[4]["effective_degrees_of_freedom"] = "9.5"
    page = Page(written(quality=quality, estimation=estimation_rows(20)))
    head, *rows = page.tables["All runs, unusual ones first"]
    assert head == ["run", "what is unusual", *report.IN_LIST.values()]
    assert [row[0] for row in rows[:3]] == ["sub-13", "sub-5", "sub-1"]
    assert rows[0][1].startswith("head motion 4.00 mm (median 0.") and "2 of 4 nodes without a signal" in rows[0][1]
    assert rows[1][1].startswith("9.5 effective degrees of freedom (bandpass, dmn; median ")
    assert {row[1] for row in rows[2:]} == {"–"}
    assert rows[0][2:4] == ["4.000", "187"]
    assert "sub-13.html" in [item["href"] for item in page.attributes_of("a")]
    assert "2 of 20 runs are unusual in some way" in "".join(page.text)


def test_without_pages_of_subjects_the_list_of_runs_links_nothing():
    page = Page(written(contents=CONTENTS | {"subject_pages": {}}))
    assert not [item["href"] for item in page.attributes_of("a") if item["href"].startswith("sub-1.")]


def test_links_lead_to_results_and_to_dois_only():
    page = Page(written())
    targets = [item["href"] for item in page.attributes_of("a")]
    own = [target for target in targets if target.startswith("#")]
    dois = [target for target in targets if target.startswith("https://doi.org/10.")]
    assert {target[1:] for target in own} <= set(page.ids)
    assert set(targets) - set(own) - set(dois) == {
        FIGURE,
        LEVEL,
        "group/figures/groups_connectomes.html",
        "sub-1/figures/a.png",
        *(f"sub-{number}.html" for number in (1, 2, 3)),
        "study.json",
        "dataset_description.json",
        "group/quality.tsv",
        "group/estimation.tsv",
    }
    assert {tag for tag, _ in page.tags}.isdisjoint({"link", "iframe", "object", "embed", "form", "base"})
    assert all(
        not re.match(r"https?:", value or "") for _, item in page.tags for key, value in item.items() if key != "href"
    )


def test_hostile_labels_stay_text():
    hostile = "<img src=x onerror=alert(1)>"
    quality = quality_rows(run=hostile, seed_set="dmn")
    contents = copy.deepcopy(CONTENTS) | {"unused": [[hostile, hostile]]}
    contents["groups"][1]["group"] = f"site-{hostile}"
    text = written(quality=quality, contents=contents, name=hostile)
    page = Page(text)
    assert "".join(page.text).count(hostile) >= 4
    assert all(item["src"].startswith("data:") for item in page.attributes_of("img"))


def test_the_same_study_gives_the_same_bytes():
    assert written() == written()


def test_the_summary_names_runs_that_are_worth_far_less_than_the_others():
    rows = quality_rows(9, effective_degrees_of_freedom="30.0")
    rows[4]["effective_degrees_of_freedom"], rows[5]["effective_degrees_of_freedom"] = "5.2", "10.0"
    page = written(quality=rows, estimation=estimation_rows(9))
    assert (
        "1 run of 9 (bandpass) has less than a third of the median effective degrees of freedom (30.0): sub-5 (5.2)."
        in page
    )
    rows[4]["effective_degrees_of_freedom"] = "10.0"
    assert "less than a third" not in written(quality=rows, estimation=estimation_rows(9))


def test_the_summary_says_that_nodes_have_the_same_signal():
    page = written(estimation=estimation_rows(2, same_signal="1"))
    assert "In 2 connectomes, some nodes have identical signals" in page
    assert "identical signals" not in written()


def test_the_summary_names_a_repetition_time_that_was_overruled_once_for_all_runs():
    rows = quality_rows(9, repetition_time_overruled="the image header: 1.0")
    assert (
        "In 9 runs of 9, the repetition time in the image header or the sidecar differs from the one used; for example"
        in (written(quality=rows, estimation=estimation_rows(9)))
    )
    assert "differs from the one used" not in written()


def test_labels_are_sorted_by_their_numbers():
    quality = [row for radius in (12, 4, 8) for row in quality_rows(seed_set=f"dmnr{radius}")]
    shown = [row[0] for row in Page(written(quality=quality)).tables[OVERVIEW][1:]]
    assert shown == ["dmnr4", "dmnr8", "dmnr12"]


def test_contrasts_that_ask_the_same_stand_under_one_heading():
    both = [contrast_of() | {"labels": ["dmn", label, "partial"]} for label in ("bandpass", "scrubbed")]
    text = written(contents=CONTENTS | {"contrasts": both})
    assert text.count(">age</h3>") == 1
    assert (
        text.index(">age</h3>") < text.index(">dmn, bandpass, partial</h4>") < text.index("dmn, scrubbed, partial</h4>")
    )


IN_SHORT = "Further results of contrasts, described below"
COMPONENT = {
    "threshold_p": "0.01",
    "side": "two-sided",
    "edges": "1028",
    "nodes": "234",
    "p_extent": "0.025",
    "p_intensity": "0.033",
}


def test_each_contrast_has_a_card_before_another_has_a_second_one_and_a_line_says_what_others_found():
    results = [
        contrast_of(EdgesSignificant=int(label == "b"))
        | {"label": label, "asked": f"{label}?", "title": f"{label} of {denoising}", "labels": ["dmn", denoising, "p"]}
        for label, n in (("b", 5), ("c", 1), ("a", 3))
        for denoising in "vwxyz"[:n]
    ]
    results[4] |= {"component_rows": [COMPONENT]}
    assert report.MOST_CARDS == 6
    text = written(contents=CONTENTS | {"contrasts": results})
    glance = text[text.index(">At a glance</h2>") : text.index(">Contrasts</h2>")]
    cards = re.findall("<h3>([abc] of [v-z])</h3>", glance)
    assert cards == ["b of v", "b of w", "b of x", "c of v", "a of v", "a of w"]
    assert "Tested: b, c and a." in glance
    assert Page(text).tables[IN_SHORT][1:] == [
        ["b?", "dmn, y, p", "3", "1 of 6", "–", "–"],
        ["b?", "dmn, z, p", "3", "1 of 6", "–", "1,028 edges at p < 0.01 (corrected p = 0.025)"],
        ["a?", "dmn, x, p", "3", "0 of 6", "–", "–"],
    ]
    assert IN_SHORT not in Page(written(contents=CONTENTS | {"contrasts": results[:2]})).tables


def test_a_significant_component_is_said_and_shown_at_a_glance_though_no_edge_is_significant():
    text = written(contents=CONTENTS | {"contrasts": [contrast_of() | {"component_rows": [COMPONENT]}]})
    glance = text[text.index(">At a glance</h2>") : text.index(">Contrasts</h2>")]
    assert "a component of 1,028 edges between 234 nodes is significant" in glance
    assert "significant edges and components in the brain" in glance


def test_figures_of_contrasts_that_show_nothing_are_left_out():
    def shown(n_pairs, **result):
        pairs = [{"network1": "a", "network2": "b", "statistic": "1", "p": "0.2", "fwe": "0.3"}] * n_pairs
        contrast = contrast_of(**result) | {"pair_rows": pairs}
        images = {path: Image("image/webp", path.encode()) for _, path in contrast["figures"]}
        text = written(contents=CONTENTS | {"contrasts": [contrast]}, images=images)
        of_contrasts = text[text.index(">Contrasts</h2>") :]
        return [item.shows for item in contrasted.FIGURES.values() if f'alt="{item.shows}"' in of_contrasts]

    effects, brain, pairs, strongest = (item.shows for item in contrasted.FIGURES.values())
    assert shown(0) == shown(1) == [effects, strongest]
    assert shown(2) == [effects, pairs, strongest]
    assert shown(2, EdgesSignificant=1) == [effects, brain, pairs, strongest]


def test_the_connectome_of_a_level_that_all_runs_have_is_not_shown_again():
    text = written(contents=CONTENTS | {"groups": [group("all runs", 2, FIGURE), group("site: a", 2, LEVEL)]})
    assert "All runs belong to site: a, whose connectomes are therefore the same." in text
    assert "partial: matrix, site: a" not in text and "and by site" not in text
    assert "in all runs and by site" in written()


def test_a_study_of_one_run_speaks_of_it_in_the_singular():
    one = written(quality=quality_rows(1), estimation=estimation_rows(1), contents=CONTENTS | {"unused": []})
    assert "The only run in the runs table runs.tsv was used." in one
    assert "The only run in the runs table runs.tsv was not used." in written(quality=[], estimation=[])
    assert mean_of({"NumberOfRuns": 1, "NumberOfSubjects": 1}) == "n = 1 subject"


def test_runs_that_are_all_alike_are_not_listed_as_the_worst():
    alike = Page(written(quality=quality_rows(9, lowest_coverage="1.0"))).tables
    assert "Runs with the lowest minimum coverage" not in alike
    assert "Runs with the highest mean framewise displacement" in alike


def test_estimates_with_nothing_to_tell_have_no_table():
    text = written(estimation=estimation_rows(shrinkage="n/a"))
    assert report.ESTIMATION_CAPTION not in Page(text).tables
    assert "All estimates have a closed form, without shrinkage or penalty." in text


@pytest.mark.parametrize(
    ("compcor", "words"), [(None, "motion: full"), ("temporal", "motion: full, compcor: temporal")]
)
def test_a_number_of_components_is_not_listed_where_there_are_none(compcor, words):
    strategy = {"motion": "full", "compcor": compcor, "n_compcor": "all"}
    of_compcor = ", n compcor: all" if compcor else ""
    assert report._setting(strategy) == words + of_compcor

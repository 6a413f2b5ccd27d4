"""Whatever a configuration, a table or a sidecar holds, a person reads a sentence: never a traceback, never a crash."""

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sphereconn.clean.strategies import Scrubbing, Strategy, read_run_confounds
from sphereconn.errors import InputError
from sphereconn.extract.repetition_time import repetition_time
from sphereconn.files import read_json, read_rows
from sphereconn.study.atlas import read_labels
from sphereconn.study.runs import read_runs
from sphereconn.study.seeds import read_seeds
from sphereconn.study.study import resolve_study

ROOT = Path(__file__).parents[2]
INFINITE, NO_NUMBER = float("inf"), float("nan")
FULL = Strategy(wm_csf="full", compcor="anat_combined", high_pass=True)
QUICK = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "runs.tsv").write_text("subject\tbold\tsite\n01\ta.nii.gz\teast\n02\tb.nii.gz\twest\n")
    return folder


def study(folder, **changes):
    config = {
        "output_dir": str(folder / "results"),
        "runs": str(folder / "runs.tsv"),
        "seed_sets": {"dmn": {"seeds": "dmn", "radius": 8}},
        "denoising": {"plain": {}},
        "estimators": {"full": {"kind": "correlation"}},
    }
    config = {key: value for key, value in (config | changes).items() if value is not None}
    return resolve_study(config, ROOT / "workflow" / "schemas" / "config.schema.json", ROOT / "resources")


# --- the configuration

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
keys = ("output_dir", "runs", "seed_sets", "denoising", "estimators", "connectomes", "groups", "figures", "other")


@QUICK
@given(st.dictionaries(st.sampled_from(keys), values, min_size=1, max_size=3))
def test_any_value_at_the_top_is_fine_or_a_sentence(folder, changes):
    fine_or_a_sentence(lambda: study(folder, **changes))


@QUICK
@given(
    st.sampled_from(["seeds", "radius", "smoothing_fwhm", "overlap", "min_coverage"]),
    st.sampled_from(["kind", "covariance", "matrix", "alpha", "cv", "gap_frames", "gamma", "gap_per_node"]),
    st.sampled_from(["confounds", "detrend", "filter", "high_pass", "low_pass", "order", "standardize"]),
    values,
)
def test_any_value_of_any_setting_is_fine_or_a_sentence(folder, of_seeds, of_estimator, of_denoising, value):
    seeds = {"seeds": "dmn", "radius": 8, of_seeds: value}
    fine_or_a_sentence(lambda: study(folder, seed_sets={"dmn": seeds}))
    sparse = {"kind": "sparse inverse covariance", of_estimator: value}
    fine_or_a_sentence(lambda: study(folder, estimators={"sparse": sparse}))
    fine_or_a_sentence(lambda: study(folder, denoising={"plain": {of_denoising: value}}))


def fine_or_a_sentence(call):
    try:
        call()
    except InputError as problem:
        assert str(problem)


@pytest.mark.parametrize("number", [NO_NUMBER, INFINITE, -INFINITE, 10**400, "nan", "1e400"])
@pytest.mark.parametrize(
    "place",
    [
        lambda number: {"seed_sets": {"dmn": {"seeds": "dmn", "radius": number}}},
        lambda number: {"seed_sets": {"dmn": {"seeds": "dmn", "radius": 8, "min_coverage": number}}},
        lambda number: {"denoising": {"plain": {"high_pass": number}}},
        lambda number: {"estimators": {"sparse": {"kind": "sparse inverse covariance", "alpha": number}}},
        lambda number: {"figures": {"glass_brain": {"threshold": number}}},
    ],
)
def test_what_is_no_finite_number_is_refused(folder, number, place):
    with pytest.raises(InputError, match=r"not allowed|too large or not a number"):
        study(folder, **place(number))


def test_settings_that_hold_themselves_are_refused(folder):
    endless = {}
    endless["seed_sets"] = endless
    with pytest.raises(InputError, match="nested more than 10 deep"):
        study(folder, figures=endless)


def test_aliases_that_multiply_take_neither_time_nor_memory(folder):
    laughs = "ha"
    for _ in range(12):
        laughs = [laughs] * 10
    tracemalloc.start()
    with pytest.raises(InputError, match="more than 1000000 values"):
        study(folder, groups=laughs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


@pytest.mark.parametrize("text", ["dmn\n", "d\0mn", "dmn\u2028", "dmn\x1b[31m", "\ud800"])
def test_control_characters_are_refused_wherever_they_stand(folder, text):
    for changes in (
        {"seed_sets": {text: {"seeds": "dmn", "radius": 8}}},
        {"seed_sets": {"dmn": {"seeds": text, "radius": 8}}},
        {"output_dir": text},
        {"runs": f"{text}.tsv"},
        {"connectomes": [{"runs": {"site": text}}]},
    ):
        with pytest.raises(InputError) as caught:
            study(folder, **changes)
        assert text not in str(caught.value).replace("\n", " ") or "\n" in text


@pytest.mark.parametrize("label", ["../up", "a/b", "{x}", "{0}", "a b", "<script>", "$(id)", "ä", "", "-a", "\u202e"])
def test_a_label_is_letters_and_digits(folder, label):
    with pytest.raises(InputError, match=r"the label .* is not allowed"):
        study(folder, estimators={label: {"kind": "correlation"}})


@pytest.mark.parametrize("path", ["data/{subject}.tsv", "{0}", "a}b", "n" * 300, "<logs>/x", "a<no_such>b", "<x>"])
def test_a_path_that_snakemake_or_the_system_would_not_take_is_refused(folder, path):
    """Snakemake would read another file: that of a wildcard, or that in its own folder in the place of ``<logs>``."""
    refused = "brace|more than 255 bytes|which Snakemake would replace with another folder"
    (folder / "atlas.nii").touch()
    for changes in (
        {"seed_sets": {"a": {"seeds": path, "radius": 1}}},
        {"seed_sets": {"a": {"seeds": f"{path}.nii", "radius": 1}}},
        {"seed_sets": {"a": {"seeds": str(folder / "atlas.nii"), "labels": f"{path}.tsv", "radius": 1}}},
        {"output_dir": path},
        {"runs": None, "development_fmri": {"folder": path}},
    ):
        with pytest.raises(InputError, match=refused):
            study(folder, **changes)
    for column in ("bold", "confounds", "mask"):
        table = folder / "paths.tsv"
        cells = {"bold": "a.nii.gz"} | {column: f"{path}.nii"}
        table.write_text("\t".join(["subject", *cells]) + "\n" + "\t".join(["01", *cells.values()]) + "\n")
        with pytest.raises(InputError, match=f"run sub-01.*({refused})"):
            study(folder, runs=str(table))


# --- tables and sidecars

cells = st.text(st.characters(codec="utf-8") | st.sampled_from('\t\n\r"\0,;{}'), max_size=12)
lines = st.lists(st.lists(cells | st.sampled_from(["1", "2.5", "n/a", "1e999", "-0"]), max_size=5), max_size=4)
headers = st.sampled_from(
    [
        *("subject\tbold", "x\ty\tz\tname", "x\ty\tz\tradius", "index\tname\tnetwork", ""),
        *("a\tframewise_displacement", "csf\twhite_matter\tstd_dvars", "a_comp_cor_00\tframewise_displacement"),
    ]
)
tables = st.builds(
    lambda header, rows, end: (header + "\n" + end.join("\t".join(row) for row in rows)).encode(),
    headers,
    lines,
    st.sampled_from(["\n", "\r\n", "\r"]),
)


@QUICK
@given(tables | st.binary(max_size=60))
def test_any_table_is_read_or_named(folder, content):
    path = folder / "any.tsv"
    path.write_bytes(content)
    for read in (
        read_runs,
        read_seeds,
        lambda path: read_seeds(path, 5.0),
        read_labels,
        lambda path: read_run_confounds(path, 2, patterns=["*"], missing="mean"),
        lambda path: read_run_confounds(path, 2, strategy=FULL, scrubbing=Scrubbing(0.5, 1.5, 1)),
    ):
        try:
            read(path)
        except InputError as problem:
            assert str(path) in str(problem)


@QUICK
@given(values.map(lambda value: json.dumps(value, default=str)).map(str.encode) | st.binary(max_size=40))
def test_any_sidecar_is_read_or_named(folder, content):
    path = folder / "any.json"
    path.write_bytes(content)
    try:
        assert isinstance(read_json(path), dict)
    except InputError as problem:
        assert str(path) in str(problem)


@QUICK
@given(st.dictionaries(st.sampled_from(["a_comp_cor_00", "a_comp_cor_01", "x"]), values, max_size=3), values)
def test_any_sidecar_of_confounds_is_read_or_named(folder, described, of_first):
    table, sidecar = folder / "confounds.tsv", folder / "confounds.json"
    table.write_text("csf\twhite_matter\ta_comp_cor_00\ta_comp_cor_01\n" + "1\t2\t3\t4\n" * 3)
    first = {"Method": "aCompCor", "Mask": "combined", "CumulativeVarianceExplained": of_first, "Retained": of_first}
    sidecar.write_text(json.dumps(described | {"a_comp_cor_01": first}, default=str))
    strategy = Strategy(compcor="anat_combined", n_compcor="50%")
    try:
        read_run_confounds(table, 3, strategy=strategy, components=sidecar)
    except InputError as problem:
        assert str(folder) in str(problem)


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"a":' * 200_000, b"1" * 5000, b"\xff\xfe{\0}\0", b"{}\0", b""])
def test_a_sidecar_that_is_no_json_object_is_named(folder, content):
    path = folder / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.json"):
        read_json(path)


def test_a_sidecar_may_start_with_a_byte_order_mark(folder):
    path = folder / "marked.json"
    path.write_bytes(b'\xef\xbb\xbf{"RepetitionTime": 2}')
    assert read_json(path) == {"RepetitionTime": 2}


@pytest.mark.parametrize("stated", [1e-320, 1e400, NO_NUMBER, 0, -2, 10**400, True, "2", [1] * 100_000, {"a": 2}])
def test_a_repetition_time_of_no_scanner_is_named_in_a_short_sentence(stated):
    with pytest.raises(InputError, match=r"the sidecar gives .*; allowed: 0.01 to 100 s") as caught:
        repetition_time("bold.nii", None, {"RepetitionTime": stated}, None)
    assert len(str(caught.value)) < 200
    if isinstance(stated, float):
        with pytest.raises(InputError, match="the image header gives"):
            repetition_time("bold.nii", None, None, stated)


def test_a_table_in_another_encoding_is_named(folder):
    path = folder / "sixteen.tsv"
    path.write_bytes("subject\tbold\n".encode("utf-16"))
    with pytest.raises(InputError, match="save it as UTF-8 text"):
        read_rows(path)


def test_a_cell_with_a_control_character_is_located(folder):
    path = folder / "control.tsv"
    path.write_text("subject\tbold\n01\ta\0b.nii\n")
    with pytest.raises(InputError, match="line 2 holds a control character"):
        read_rows(path)


def test_a_table_of_very_many_columns_is_read_in_the_time_that_its_size_takes(folder):
    path = folder / "wide.tsv"
    n_columns = 200_000  # comparing each with each would take an hour
    path.write_text("\t".join(f"c{number}" for number in range(n_columns)) + "\n" + "\t".join(["1"] * n_columns) + "\n")
    confounds = read_run_confounds(path, 1, patterns=["*"])
    assert len(confounds.names) == n_columns
    assert (confounds.values == 1).all()


def test_confounds_too_large_to_compute_with_are_located(folder):
    path = folder / "large.tsv"
    path.write_text("csf\n1\n1e308\n")
    with pytest.raises(InputError, match="column 'csf', row 2: 1e308 is too large"):
        read_run_confounds(path, 2, patterns=["csf"])

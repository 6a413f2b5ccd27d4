"""What the sidecars say of where a result comes from."""

from pathlib import Path

from sphereconn.provenance import installed, sources

ROOT = Path(__file__).resolve().parents[1]


def test_sources_are_named_by_data_set_installation_or_as_the_study_does(monkeypatch, tmp_path):
    paths = ["out/sub-01/func/a.tsv", f"{ROOT}/resources/coordinates/dmn.tsv", "data/bold.nii.gz", "/data/resources/x"]
    named = ["bids::sub-01/func/a.tsv", "sphereconn:resources/coordinates/dmn.tsv", *paths[2:]]
    assert sources(paths, "out/sub-01/func/b.json") == named
    monkeypatch.chdir(tmp_path)
    assert sources(paths, "out/sub-01/func/b.json") == named


def test_what_is_shipped_has_the_same_name_from_everywhere(monkeypatch):
    installed.cache_clear()
    for folder in (ROOT, ROOT / "tests"):
        monkeypatch.chdir(folder)
        path = "../resources/coordinates/dmn.tsv" if folder.name == "tests" else "resources/coordinates/dmn.tsv"
        assert installed(path) == "sphereconn:resources/coordinates/dmn.tsv"
        assert installed("config/salience.tsv") == "config/salience.tsv"

"""A small study of five runs of three subjects, with groups, sparse and joint fits, a contrast and seed maps."""

import copy
from pathlib import Path

import pytest

from sphereconn.study.study import resolve_study

ROOT = Path(__file__).parents[2]
RUNS = """subject session bold confounds mask site age
01 a 1a.nii 1a.tsv m.nii essen 20
01 b 1b.nii 1b.tsv n/a essen 20
02 a 2a.nii 2a.tsv n/a bochum 30
02 b 2b.nii 2b.tsv n/a bochum 30
03 a 3a.nii 3a.tsv n/a essen 40
"""
CONFIG = {
    "seed_sets": {"dmn": {"seeds": "dmn", "radius": 8}},
    "denoising": {"motion": {"confounds": ["trans_*"]}, "none": {}},
    "estimators": {"full": {"kind": "correlation"}, "sparse": {"kind": "sparse inverse covariance"}},
    "groups": ["site"],
    "figures": {"runs": {"subject": ["01"]}},
}


@pytest.fixture
def study(tmp_path):
    """Give the function that reads the study, with changes of its configuration."""
    (tmp_path / "runs.tsv").write_text(RUNS.replace(" ", "\t"))

    def read(**changes):
        config = {**copy.deepcopy(CONFIG), "runs": str(tmp_path / "runs.tsv"), "output_dir": str(tmp_path / "results")}
        schema = ROOT / "workflow" / "schemas" / "config.schema.json"
        return resolve_study({**config, **changes}, schema, ROOT / "resources", "study.yaml")

    return read

"""The confounds tables that tests read, and a short way to read columns of one of which every frame is kept."""

from pathlib import Path

from sphereconn.clean.strategies import read_run_confounds

DATA = Path(__file__).parents[1] / "data" / "confounds"
FMRIPREP = DATA / "sub-042_task-restingstate_desc-confounds_timeseries.tsv"
COMPONENTS = FMRIPREP.with_suffix(".json")
AROMA = DATA / "sub-042_task-restingstate_desc-aroma_timeseries.tsv"
DEVELOPMENT = DATA / "sub-pixar123_task-pixar_desc-confounds_regressors.tsv"
DEVELOPMENT_REDUCED = DATA / "sub-pixar123_task-pixar_desc-reducedConfounds_regressors.tsv"


def read_confounds(path, patterns, n_frames, missing="error"):
    run = read_run_confounds(path, n_frames, patterns=patterns, missing=missing)
    return run.names, run.values

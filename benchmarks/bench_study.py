"""The whole nilearn example on many subjects, from images to group means: this workflow beside a nilearn script.

Subjects are generated at the size of development_fmri's (50 x 59 x 50 voxels of 4 mm, 168 frames, TR 2 s, .nii.gz):
real parcel series of the demo cohort, painted as the demo's are. The work is the example's: default-mode partial
correlations; Power-264 and Dosenbach-160 spheres of smoothed images and their cross-validated sparse inverse
covariances (3 and 5 folds); the mean of each over the subjects. Ours is `snakemake --cores 2` in a fresh folder,
Snakemake and every start of an interpreter included. Theirs is a script that does one subject a task with joblib on
two processes, one thread each, its imports included. Seconds are of the clock; run it on a machine that does nothing
else.

Run it as

    .venv/bin/python benchmarks/bench_study.py [--runs 10 100] [--rival-runs 10] [--data a_folder]

Beyond --rival-runs the rival's cost is extrapolated, by the line through 2 subjects and the most, and marked so.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

import numpy as np  # noqa: E402
from nibabel import Nifti1Image  # noqa: E402
from record import record  # noqa: E402
from whole_process import Cost, cost_of  # noqa: E402

from sphereconn import demo  # noqa: E402
from sphereconn.files import read_rows, read_signals, write_signals  # noqa: E402

FEWEST = 2  # subjects of the rival
N_FRAMES, REPETITION_TIME = 168, 2.0
COHORT, IMAGE = ROOT / "resources" / "cohort", ROOT / "resources" / "rest_bold"
SERIES = [number for number in range(1, 17) if number not in (4, 5)]
CONFOUNDS = ["csf", "white_matter", *(f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz")]

STUDY = """
output_dir: results
runs: runs.tsv
seed_sets:
  dmn:          {{seeds: dmn, radius: 8}}
  power264:     {{seeds: power264, radius: 5, smoothing_fwhm: 6}}
  dosenbach160: {{seeds: dosenbach160, radius: 4.5, smoothing_fwhm: 6}}
denoising:
  bandpass: {{confounds: [{confounds}], high_pass: 0.01, low_pass: 0.1, padtype: odd}}
estimators:
  partial: {{kind: partial correlation}}
  sparse3: {{kind: sparse inverse covariance, matrix: covariance, cv: 3}}
  sparse5: {{kind: sparse inverse covariance, matrix: covariance, cv: 5}}
connectomes:
  - {{seed_sets: [dmn], estimators: [partial]}}
  - {{seed_sets: [power264], estimators: [sparse3]}}
  - {{seed_sets: [dosenbach160], estimators: [sparse5]}}
"""

RIVAL = """
import sys, warnings
import numpy as np
from joblib import Parallel, delayed

def one_subject(bold, confounds, seeds):
    import pandas as pd
    from nilearn.connectome import ConnectivityMeasure
    from nilearn.maskers import NiftiSpheresMasker
    from sklearn.covariance import GraphicalLassoCV
    warnings.simplefilter("ignore")
    table = pd.read_table(confounds)[CONFOUNDS]
    found = {{}}
    for name, coordinates, radius, fwhm, cv in seeds:
        masker = NiftiSpheresMasker(coordinates, radius=radius, smoothing_fwhm=fwhm, detrend=True,
            standardize="zscore_sample", standardize_confounds=True, low_pass=0.1, high_pass=0.01, t_r=2.0)
        signals = masker.fit_transform(bold, confounds=table)
        try:
            if cv is None:
                measure = ConnectivityMeasure(kind="partial correlation", standardize="zscore_sample")
                found[name] = measure.fit_transform([signals])[0]
            else:
                found[name] = GraphicalLassoCV(cv=cv).fit(signals).covariance_
        except (FloatingPointError, ValueError) as problem:
            print("failed:", name, problem)
    return found

CONFOUNDS = {confounds!r}
folder, n_runs = sys.argv[1], int(sys.argv[2])
def coordinates(name):
    import pandas as pd
    return [tuple(row) for row in pd.read_table(f"{resources}/{{name}}.tsv")[["x", "y", "z"]].to_numpy(float)]
seeds = [("dmn", coordinates("dmn"), 8, None, None), ("power264", coordinates("power264"), 5, 6, 3),
         ("dosenbach160", coordinates("dosenbach160"), 4.5, 6, 5)]
tasks = [delayed(one_subject)(f"{{folder}}/sub-{{i:03d}}_bold.nii.gz", f"{{folder}}/sub-{{i:03d}}_confounds.tsv", seeds)
         for i in range(1, n_runs + 1)]
results = Parallel(n_jobs=2)(tasks)
for name, *_ in seeds:
    np.savetxt(f"{{folder}}/nilearn_{{name}}.tsv", np.mean([found[name] for found in results if name in found], axis=0))
"""


def generate(folder: Path, number: int) -> None:
    """Paint one subject."""
    bold = folder / f"sub-{number:03d}_bold.nii.gz"
    if bold.exists():
        return
    source = SERIES[number % len(SERIES)]
    with gzip.open(COHORT / f"sub-{source:02d}_parcels.tsv.gz", "rt") as file:
        parcels = file.readline().split()
        series = np.loadtxt(file)[:N_FRAMES]
    displacement = read_signals(COHORT / f"sub-{source:02d}_motion.tsv")[1][:N_FRAMES, 0]
    _, rows = read_rows(COHORT / "parcels.tsv")
    image = Nifti1Image.from_filename(IMAGE / "sub-001_task-rest_space-MNI152_res-4_bold.nii.gz")
    mask = Nifti1Image.from_filename(IMAGE / "sub-001_space-MNI152_res-4_desc-brain_mask.nii.gz").get_fdata() > 0
    rng = np.random.default_rng(number)
    nuisance = demo.plant_nuisance(displacement, REPETITION_TIME, rng)
    painted = demo.paint_run(
        image.get_fdata().mean(axis=3),
        mask,
        image.affine,
        series,
        np.array([row[3:] for row in rows], dtype=float),
        np.array([parcels.index(row[0]) for row in rows]),
        nuisance,
        rng,
    )
    write_signals(folder / f"sub-{number:03d}_confounds.tsv", *demo.confounds_table(nuisance, displacement))
    demo.save_int16(bold, painted, image.affine, REPETITION_TIME)


def ours(folder: Path, data: Path, n_runs: int) -> Cost:
    """Run the study in a fresh folder."""
    rows = [f"{i:03d}\t{data}/sub-{i:03d}_bold.nii.gz\t{data}/sub-{i:03d}_confounds.tsv" for i in range(1, n_runs + 1)]
    (folder / "runs.tsv").write_text("subject\tbold\tconfounds\n" + "\n".join(rows) + "\n")
    (folder / "study.yaml").write_text(STUDY.format(confounds=", ".join(CONFOUNDS)))
    command = [ROOT / ".venv/bin/snakemake", "-s", ROOT / "Snakefile", "--configfile", "study.yaml", "--cores", "2"]
    return cost_of([*command, "--profile", ROOT / "profiles/default", "groups"], folder, folder / "run.log")


def theirs(folder: Path, data: Path, n_runs: int) -> Cost:
    """Run the nilearn script."""
    script = folder / "rival.py"
    script.write_text(RIVAL.format(confounds=CONFOUNDS, resources=ROOT / "resources" / "coordinates"))
    return cost_of([sys.executable, script, data, str(n_runs)], folder, folder / "rival.log")


def of_many(measured: dict[int, Cost], n_runs: int) -> Cost:
    """Give the cost of a number of subjects: measured, or on the line through the fewest and the most measured."""
    if n_runs in measured:
        return measured[n_runs]
    few, many = min(measured), max(measured)
    more = (n_runs - many) / (many - few)
    first, last = measured[few], measured[many]
    seconds = last.seconds + more * (last.seconds - first.seconds)
    return Cost(seconds, last.cpu + more * (last.cpu - first.cpu), last.peak_mb)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[10, 100], help="numbers of subjects")
    parser.add_argument("--rival-runs", type=int, default=10, help="most subjects that the rival is run with")
    parser.add_argument("--data", type=Path, help="folder to keep the generated subjects in")
    arguments = parser.parse_args()
    if arguments.rival_runs <= FEWEST:
        parser.error(f"--rival-runs must be more than {FEWEST}")
    with tempfile.TemporaryDirectory() as temporary:
        data = (arguments.data or Path(temporary, "data")).resolve()
        data.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(generate, [data] * max(arguments.runs), range(1, max(arguments.runs) + 1)))
        most = min(arguments.rival_runs, max(arguments.runs))
        numbers = {FEWEST, most, *(n_runs for n_runs in arguments.runs if n_runs < most)}
        rival = {n_runs: theirs(Path(tempfile.mkdtemp(dir=temporary)), data, n_runs) for n_runs in sorted(numbers)}
        rows = []
        print("subjects    ours, s  CPU s   peak MB    nilearn, s  CPU s   peak MB    times")
        for n_runs in arguments.runs:
            mine, other = ours(Path(tempfile.mkdtemp(dir=temporary)), data, n_runs), of_many(rival, n_runs)
            row = {
                "runs": n_runs,
                **{f"ours_{key}": value for key, value in asdict(mine).items()},
                **{f"nilearn_{key}": value for key, value in asdict(other).items()},
                "extrapolated": n_runs not in rival,
            }
            mark = "" if n_runs in rival else " *"
            print(
                f"{n_runs:8} {mine.seconds:10.1f} {mine.cpu:6.0f} {mine.peak_mb:9.0f} {other.seconds:13.1f}"
                f" {other.cpu:6.0f} {other.peak_mb:9.0f} {other.seconds / mine.seconds:8.1f}{mark}",
                flush=True,
            )
            rows.append(row)
        print("* nilearn extrapolated")
        record("study", rows)


if __name__ == "__main__":
    main()

"""What censored frames and the ends of a run do to correlations, by interpolation and padding: evidence for a default.

The truth is a long series, band-pass filtered whole (0.01 to 0.1 Hz, order 5). A run is cut out of its middle, frames
are censored, and it is cleaned; the figure is the root mean square error of the correlations between nodes, against
those of the same frames of the truth. Series are simulated (20 independent nodes: white noise; autoregressive noise,
0.6 from one frame to the next; white noise plus as much noise with a 1/f-like spectrum, half of its power below 0.01
Hz), and real (15 runs of resources/cohort, 122 parcels, of which the middle 100 frames are the run, as they are or with
as much white noise added). Simulated runs last 4, 10 and 30 minutes at repetition times of 0.8 and 2 s. Frames are
censored one by one (scattered) or in blocks of 3 to 15, and real ones also as each run moved. Whatever is censored
holds spikes of 100 standard deviations.

Run it, for about five minutes, as

    .venv/bin/python benchmarks/evidence_cleaning.py [--quick]

It writes its tables into docs/methods.md.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from whole_process import ONE_THREAD

os.environ.update(ONE_THREAD)  # before numpy reads them

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from record import record  # noqa: E402

from sphereconn.clean import interpolation  # noqa: E402
from sphereconn.clean.censoring import censor  # noqa: E402
from sphereconn.clean.cleaning import clean_signals  # noqa: E402
from sphereconn.clean.filters import butterworth, describe_band  # noqa: E402
from sphereconn.clean.interpolation import fill_censored, least_squares_line  # noqa: E402

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Fill = Callable[[Values, Mask, float], Values]
Rng = np.random.Generator

PAGE, COHORT = ROOT / "docs" / "methods.md", ROOT / "resources" / "cohort"
BAND = {"high_pass": 0.01, "low_pass": 0.1}
MINUTES, REPETITION_TIMES = (4, 10, 30), (0.8, 2.0)
N_NODES, SURROUNDINGS = 20, 600.0  # seconds at each end of a simulated run
PATTERNS = (("none", 0.0), ("scattered", 0.1), ("blocks", 0.1), ("blocks", 0.2), ("scattered", 0.4), ("blocks", 0.4))


def spline(values: Values, kept: Mask, repetition_time: float) -> Values:
    """Draw the not-a-knot cubic spline, as nilearn."""
    return fill_censored(values, kept, repetition_time, "cubic_spline")


def gaussian_process(values: Values, kept: Mask, repetition_time: float) -> Values:
    """Take the expectation of the library's Gaussian process."""
    return fill_censored(values, kept, repetition_time, "gaussian_process")


def line(values: Values, kept: Mask, repetition_time: float) -> Values:
    """Join the frames on both sides of a gap by a line."""
    frames, knots = np.arange(len(kept)), np.flatnonzero(kept)
    return np.array([np.interp(frames, knots, column[kept]) for column in values.T]).T


def trend(values: Values, kept: Mask, repetition_time: float) -> Values:
    """Put the least-squares line through all kept frames into every gap: no interpolation at all."""
    fitted = least_squares_line(values[kept], np.flatnonzero(kept), np.arange(len(kept)))
    return np.where(kept[:, None], values, fitted)


def lomb_scargle(values: Values, kept: Mask, repetition_time: float) -> Values:
    """Rebuild the series from its Lomb-Scargle periodogram, as Power et al. (2014): oversampled eight times."""
    seconds = np.arange(len(kept)) * repetition_time
    there, mean = seconds[kept], values[kept].mean(axis=0)
    duration = there[-1] - there[0]
    highest = len(there) / (2 * duration)
    omega = 2 * np.pi * np.arange(1 / (8 * duration), highest + 1e-12, 1 / (8 * duration))[:, None]
    tau = np.arctan2(np.sin(2 * omega * there).sum(1), np.cos(2 * omega * there).sum(1))[:, None] / (2 * omega)
    rebuilt = np.zeros_like(values)
    for wave in (np.cos, np.sin):
        measured = wave(omega * (there - tau))
        amplitudes = measured @ (values[kept] - mean) / (measured**2).sum(1)[:, None]
        rebuilt += wave(omega * (seconds - tau)).T @ amplitudes
    rebuilt *= values[kept].std(axis=0) / rebuilt[kept].std(axis=0)
    return np.where(kept[:, None], values, mean + rebuilt)


def band_limited(values: Values, kept: Mask, repetition_time: float) -> Values:
    """Fit slow sines and cosines (to 0.12 Hz) by ridge regression: a process with a flat band, and white noise."""
    seconds, highest = np.arange(len(kept)) * repetition_time, min(0.12, 0.5 / repetition_time)
    covariance = np.sinc(2 * highest * np.subtract.outer(seconds, seconds[kept]))
    fitted = least_squares_line(values[kept], np.flatnonzero(kept), np.arange(len(kept)))
    among = covariance[kept] + 0.5 * np.eye(np.count_nonzero(kept))
    return np.where(kept[:, None], values, fitted + covariance @ np.linalg.solve(among, (values - fitted)[kept]))


FILLS: Mapping[str, Fill] = {
    "spline": spline,
    "line": line,
    "trend": trend,
    "Lomb-Scargle": lomb_scargle,
    "band-limited": band_limited,
    "Gaussian process": gaussian_process,
}
PADDINGS = {"odd": "odd", "even": "even", "constant": "constant", "Gaussian process": "gaussian_process"}
COMPARED = (
    ("spline", "odd"),
    ("line", "even"),
    ("trend", "even"),
    ("Lomb-Scargle", "even"),
    ("band-limited", "even"),
    ("Gaussian process", "even"),
    ("Gaussian process", "Gaussian process"),
)


METHODS = [f"{fill} + {padding}" if fill != padding else fill for fill, padding in COMPARED]


def cleaned(
    values: Values, kept: Mask, repetition_time: float, fills: Sequence[tuple[str, str]], band: Mapping[str, float]
) -> Iterator[Values]:
    """Clean a run as `clean_signals` does, by each pair of an interpolation and a padding."""
    first, last = np.flatnonzero(kept)[[0, -1]]
    values, kept = values[first : last + 1], kept[first : last + 1]
    times = np.arange(len(kept))
    filled = {}
    for fill, padding in fills:
        if fill not in filled:
            filled[fill] = values if kept.all() else FILLS[fill](values, kept, repetition_time)
        series = filled[fill] - least_squares_line(filled[fill], times, times)
        yield butterworth(series, repetition_time, **band, padtype=PADDINGS[padding])[kept]  # type: ignore[arg-type]


def squared_error(signals: Values, truth: Values) -> float:
    """Average the squared error of the correlations between columns."""
    above = np.triu_indices(signals.shape[1], 1)
    return float(np.mean((np.corrcoef(signals.T) - np.corrcoef(truth.T))[above] ** 2))


def white(rng: Rng, n_frames: int, repetition_time: float) -> Values:
    """Make white noise."""
    return rng.standard_normal((n_frames, N_NODES))


def autoregressive(rng: Rng, n_frames: int, repetition_time: float) -> Values:
    """Make noise of which a frame has 0.6 of the one before."""
    values = rng.standard_normal((n_frames, N_NODES))
    for frame in range(1, n_frames):
        values[frame] += 0.6 * values[frame - 1]
    return values


def slow(rng: Rng, n_frames: int, repetition_time: float) -> Values:
    """Make white noise plus as much noise with power of 1 / (1 + (f / 0.01 Hz)²)."""
    spectrum = np.fft.rfft(rng.standard_normal((n_frames, N_NODES)), axis=0)
    frequencies = np.fft.rfftfreq(n_frames, repetition_time)[:, None]
    values = np.fft.irfft(spectrum / np.sqrt(1 + (frequencies / 0.01) ** 2), n=n_frames, axis=0)
    return values / values.std(axis=0) + rng.standard_normal((n_frames, N_NODES))


PROCESSES = {"white": white, "autoregressive": autoregressive, "1/f and white": slow}


def frames_kept(rng: Rng, n_frames: int, pattern: str, share: float) -> Mask:
    """Censor a share of the frames one by one or in blocks."""
    kept = np.ones(n_frames, dtype=bool)
    if pattern == "scattered":
        kept[rng.permutation(n_frames)[: round(share * n_frames)]] = False
    while kept.mean() > 1 - share + 1e-9:
        start = rng.integers(n_frames)
        kept[start : start + rng.integers(3, 16)] = False
    return kept


Case = tuple[Values, slice, Mask, float]  # surroundings, the run in them, the frames kept, the repetition time


def simulated(
    process: str, repetition_time: float, minutes: float, pattern: str, share: float, n: int
) -> Iterator[Case]:
    """Simulate runs; the same seed gives the same runs for every pattern."""
    for number in range(n):
        rng = np.random.default_rng(number)
        beside, n_frames = int(SURROUNDINGS / repetition_time), int(minutes * 60 / repetition_time)
        series = PROCESSES[process](rng, n_frames + 2 * beside, repetition_time)
        yield series, slice(beside, beside + n_frames), frames_kept(rng, n_frames, pattern, share), repetition_time


def real(noise: float, pattern: str, share: float) -> Iterator[Case]:
    """Read the middle of the runs of the cohort; sub-05 has the series of sub-04."""
    table = np.genfromtxt(COHORT / "participants.tsv", delimiter="\t", names=True, dtype=None, encoding="utf-8")
    for number, repetition_time in enumerate(table["repetition_time"], start=1):
        if number == 5:
            continue
        rng = np.random.default_rng(number)
        with gzip.open(COHORT / f"sub-{number:02d}_parcels.tsv.gz", "rt") as file:
            series = np.loadtxt(file, skiprows=1)
        series += noise * rng.standard_normal(series.shape)
        run = slice(50, 150)
        if pattern == "own motion":
            moved = np.genfromtxt(COHORT / f"sub-{number:02d}_motion.tsv", skip_header=1)
            kept = censor(len(series), None, {"": (moved, 0.2)}, 5).kept[run]
            if not 0.4 <= kept.mean() <= 0.95:
                continue
        else:
            kept = frames_kept(rng, 100, pattern, share)
        yield series, run, kept, float(repetition_time)


def errors(cases: Iterator[Case], fills: Sequence[tuple[str, str]], band: Mapping[str, float] = BAND) -> list[float]:
    """Give the mean squared error of each pair of interpolation and padding over some runs."""
    found = []
    for surroundings, run, kept, repetition_time in cases:
        times = np.arange(len(surroundings))
        level = surroundings - least_squares_line(surroundings, times, times)
        truth = butterworth(level, repetition_time, **band, padtype="even")[run][kept]  # its ends are far away
        given = surroundings[run].copy()
        given[~kept] = 100 * np.random.default_rng(0).choice([-1, 1], size=given[~kept].shape)
        found.append([squared_error(signals, truth) for signals in cleaned(given, kept, repetition_time, fills, band)])
    return [float(mean) for mean in np.mean(found, axis=0)]


def label(pattern: str, share: float) -> str:
    """Name a pattern of censoring."""
    return pattern if not share else f"{100 * share:.0f} %, {pattern}"


def table(head: Sequence[str], rows: Mapping[tuple[str, ...], Sequence[float]], *, bold: bool = True) -> str:
    """Lay out rms errors as a table in Markdown, the smallest of a row ``bold``."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for names, values in rows.items():
        texts = [f"{value:.3f}"[1:] for value in values]
        shown = [f"**{text}**" if bold and text == min(texts) else text for text in texts]
        lines.append("| " + " | ".join([*names, *shown]) + " |")
    return "\n".join(lines)


def pooled(found: Mapping[tuple[str, ...], Sequence[float]], by: Sequence[int]) -> dict[tuple[str, ...], list[float]]:
    """Take the root mean square over all that is not told apart."""
    groups = defaultdict(list)
    for key, values in found.items():
        groups[tuple(key[place] for place in by)].append(values)
    return {key: [float(root) for root in np.sqrt(np.mean(values, axis=0))] for key, values in groups.items()}


def bands(n: int) -> str:
    """Filter by other bands."""
    rows = {}
    for band in (
        {"high_pass": 0.008},
        {"low_pass": 0.1},
        {"high_pass": 0.01, "low_pass": 0.08},
        {"high_pass": 0.03, "low_pass": 0.06},
    ):
        grid = itertools.product(PROCESSES, REPETITION_TIMES)
        found = [errors(simulated(process, tr, 10, "blocks", 0.2, n), COMPARED, band) for process, tr in grid]
        rows[(describe_band(band.get("high_pass"), band.get("low_pass")),)] = list(np.sqrt(np.mean(found, axis=0)))
    return table(["filter", *METHODS], rows)


def constants(n: int) -> str:
    """Show what other constants of the process would give: mean errors over patterns, of half and twice and so on."""
    rows = {}
    chosen = interpolation.CORNER_FREQUENCY, interpolation.NOISE
    pair = [("Gaussian process", "Gaussian process")]
    for corner, noise in ((0.03, 0.5), (0.015, 0.5), (0.06, 0.5), (0.03, 0.1), (0.03, 2.0)):
        interpolation.CORNER_FREQUENCY, interpolation.NOISE = corner, noise
        row = []
        for process in PROCESSES:
            cases = (simulated(process, tr, 10, *pattern, n) for tr in REPETITION_TIMES for pattern in PATTERNS)
            row.append(np.sqrt(np.mean([errors(case, pair) for case in cases])))
        cases = (real(noise_added, *pattern) for noise_added in (0.0, 1.0) for pattern in PATTERNS)
        rows[f"{corner:g}", f"{noise:g}"] = [*row, np.sqrt(np.mean([errors(case, pair) for case in cases]))]
    interpolation.CORNER_FREQUENCY, interpolation.NOISE = chosen
    return table(["corner, Hz", "noise", *PROCESSES, "cohort"], rows, bold=False)


def seconds(n_frames: int, repetitions: int) -> list[float]:
    """Time the cleaning of 264 nodes with 24 confounds and a fifth of the frames censored, by interpolation."""
    rng = np.random.default_rng(0)
    signals, confounds = rng.standard_normal((n_frames, 264)), rng.standard_normal((n_frames, 24))
    kept = frames_kept(rng, n_frames, "blocks", 0.2)
    kept[[0, -1]] = True
    names = [f"confound{number}" for number in range(24)]

    def nilearns() -> object:
        return clean_signals(signals, 2.0, confounds=confounds, confound_names=names, kept=kept, **BAND,
                             interpolation="cubic_spline", padtype="odd")  # fmt: skip

    def ours() -> object:
        return clean_signals(signals, 2.0, confounds=confounds, confound_names=names, kept=kept, **BAND)

    def power() -> object:
        return lomb_scargle(np.hstack([signals, confounds]), kept, 2.0)

    took = []
    for function in (nilearns, ours, power):
        times = []
        for _ in range(repetitions):
            start = time.process_time()
            function()
            times.append(time.process_time() - start)
        took.append(min(times))
    return took


def write(name: str, content: str) -> None:
    """Put a table between its two marks in the page."""
    start, end = f"<!-- {name}: written by benchmarks/evidence_cleaning.py -->", f"<!-- end of {name} -->"
    before, found, rest = PAGE.read_text(encoding="utf-8").partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{PAGE} lacks the marks of the table '{name}'.")
    PAGE.write_text(f"{before}{start}\n\n{content}\n\n{end}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs; nothing is written")
    quick = parser.parse_args().quick
    found = {}
    for process, tr, minutes, (kept, share) in itertools.product(PROCESSES, REPETITION_TIMES, MINUTES, PATTERNS):
        if not quick or minutes == MINUTES[0]:
            n = 2 if quick else {4: 8, 10: 4, 30: 2}[minutes]
            key = (process, f"{tr:g}", str(minutes), label(kept, share))
            found[key] = errors(simulated(process, tr, minutes, kept, share, n), COMPARED)
    cohort = {
        (series, label(*pattern)): errors(real(noise, *pattern), COMPARED)
        for series, noise in (("as they are", 0.0), ("with white noise", 1.0))
        for pattern in (*PATTERNS, ("own motion", 0.0))
    }
    pairs = list(itertools.product(FILLS, PADDINGS))
    both = [
        errors(simulated(process, tr, 10, "blocks", 0.2, 2 if quick else 4), pairs)
        for process in PROCESSES
        for tr in REPETITION_TIMES
    ]
    crossed = np.sqrt(np.mean(both, axis=0)).reshape(len(FILLS), len(PADDINGS))
    cost = {n_frames: seconds(n_frames, 1 if quick else 5) for n_frames in (168, 1000)}
    tables = {
        "simulated runs by pattern": table(["series", "censored", *METHODS], pooled(found, (0, 3))),
        "simulated runs by length": table(["TR, s", "minutes", *METHODS], pooled(found, (1, 2))),
        "real runs": table(["series", "censored", *METHODS], pooled(cohort, (0, 1))),
        "interpolation by padding": table(
            ["", *PADDINGS], {(fill,): list(row) for fill, row in zip(FILLS, crossed, strict=True)}
        ),
        "other bands": bands(1 if quick else 4),
        "constants": constants(1 if quick else 4),
        "cost": "\n".join(
            [
                "| frames | spline + odd, s | Gaussian process, s | Lomb-Scargle, the interpolation alone, s |",
                "| --- | --- | --- | --- |",
                *("| " + " | ".join([str(n), *(f"{took:.3f}" for took in row)]) + " |" for n, row in cost.items()),
            ]
        ),
    }
    for name, content in tables.items():
        print(f"{name}\n{content}\n")
        if not quick:
            write(name, content)
    if not quick:
        rows = [{"case": list(key), "mean_squared_errors": values} for key, values in (found | cohort).items()]
        record("evidence_cleaning", rows)


if __name__ == "__main__":
    main()

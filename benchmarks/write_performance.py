"""Write docs/performance.md and its figure from what the benchmarks have recorded.

Run it, after the benchmarks, as

    .venv/bin/python benchmarks/write_performance.py
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import NullFormatter  # noqa: E402
from record import recorded  # noqa: E402

from sphereconn.draw.network_colours import COLOURS  # noqa: E402
from sphereconn.draw.style import FAINT_INK, INK, figure_style, save_figure  # noqa: E402

FIGURE = ROOT / "docs" / "images" / "performance.svg"
PAGE = ROOT / "docs" / "performance.md"
STEPS = ("extract", "clean", "partial correlation", "sparse inverse covariance", "draw")
RIVALS = {"extract": "nilearn", "sparse inverse covariance": "scikit-learn", "draw": "nilearn"}

# Written down once, since a pass for each seed set cannot be asked for any more.
ONE_PASS = """\
One pass over an image for several seed sets was measured with five of them (default-mode, Power-264 at 5 and
8 mm, Dosenbach-160, Seitzman-300) and 600 frames of 100 x 118 x 100 voxels, 576 MB: 7.0 CPU s and 290 MB
instead of 17.8 CPU s and 156 MB, with the same signals to the last bit; two such runs up to the extracted
signals, Snakemake included: 21 CPU s instead of 45, on a busy machine. Each seed set keeps its own job, so edits
rerun what they rerun without it. A first plan of 9,022 jobs becomes one of 9,622 and takes a tenth longer.
"""

# Of the pages before this one, with the same versions.
ANOTHER_SESSION = """

How many times depends on the machine and on the hour: nilearn took 1.4 times as long as in a session before, on the
same machine. There it was 13.8 times for 10 subjects and 18.5 times for 100, and on a slower machine 15.5 and 21.2
times; since then, jobs have lost a sixth of their time (30 subjects, side by side, took 0.83 of it), which went into
looking through all libraries for those of linear algebra and through rows of signals for missing numbers.
"""

# Ratios of CPU time of one process; written down once, since other digits cannot be asked for.
DIGITS = """

A matrix of 264 nodes takes 1.42 MB as text with every digit, 0.90 MB with nine, as many as tell numbers of single
precision apart, and 0.76 MB with seven, its digits now, which are written in 0.65 and read in 0.6 of the time. Its
edges in binary take 0.28 MB and are read in a hundredth of the time. All that is computed from connectomes reads these,
so nothing but the text has fewer digits. Signals keep all of theirs: with nine, correlations change by 4e-8, partial
correlations by 1e-8. They are not kept in binary, too: of a curve of reliability over five lengths of a run of 300
frames, reading text is a quarter with correlations and a sixteenth with partial correlations.
"""

# Ratios of CPU time, 264 nodes and 168 frames; written down once, since what was not kept cannot be measured again.
TRIED_FOR_SPARSE = """

Of a search of 264 nodes, sweeps over the columns take two thirds of the time, determinants for the certificates a
seventh. A third of all is the third penalty of the first grid, which is fitted only to learn that it is too small.
What was tried to save time, with the share of the time that was left: of the whole search, of its sweeps, or of the fit
of that third penalty. Measured while other programs used the same two cores, on two to six data sets, so each share may
be off by a tenth. The three changes that were kept leave 0.66 to 0.76 of the search together, less than their product
promises.

| change | left | of | kept |
| --- | --- | --- | --- |
| in finer grids only the penalties beside the best one, until both score less: 10 fits, not 13 | 0.80 | search | yes |
| these fits aim at the accuracy of the grid at once, without a rough fit before | 0.86 | search | yes |
| rows padded to whole vectors, indices without a sign, tests without branches | 0.72 | sweeps | yes |
| single precision in all sweeps | 0.87 | sweeps | no: a second set of machine code |
| conjugate gradients on a copy of the matrix among nodes that are not zero | 1.21 | sweeps | no |
| the matrix of a column's lasso copied by halves, since it is symmetric | 1.03 | sweeps | no |
| first fits to a gap of 0.1 per node, not 0.01 | 0.9 to 1.1 | fit | no: it takes the same sweeps |
| another penalty on the way from the second to the third | 0.9 to 1.4 | fit | no |
| first error 0.005 to 0.2 of the penalty, not 0.02 | 0.8 to 1.1 | fit | no: no value is best in all |
| W of the next penalty clipped to its bounds, not scaled | 1.2 to 1.5 | fit | no: seldom positive definite |
| coefficients between two penalties: those of one of them, or those in both | 1.06 to 1.17 | search | no |
| score error bounded by 0.5 or 1.3 root gaps, not 2 | 1.0 | search | no |
| coefficients of another fold for this penalty; its W too, moved by the difference of S | 1.2; 3.0 | fit | no |
| conjugate gradients before the first round of coordinate descent, not after it | 1.26 to 1.38 | sweeps | no |
| two, three or four rounds of coordinate descent before conjugate gradients, not one | 1.0 to 1.2 | sweeps | no |
| determinants by LAPACK itself, whose factor is not copied | 0.98 | search | no |

Of the sweeps, products of conjugate gradients take a quarter, products with the columns of W a sixth, and copies of
their entries a fifteenth; the rest is spread over rounds of coordinate descent on some 40 nodes and over short loops.
A lower bound of the gap that needs no determinant, tr(SP) + alpha Σ|P_ij| - tr(WP), would spare determinants after one
in five of the sweeps that do not end a fit, too few to be worth it.

Before these changes the ratios were 25 to 28, on a machine like this one. After them they were 45, 48 and 34 in another
session on this machine, and 73, 65 and 47.5 on a slower one, where scikit-learn took 2.4 times as long and ours 1.7
times. Of two sets of 264 nodes, the first two penalties take 0.13 and 0.15 of the search, the third 0.38 and 0.27,
finer grids 0.42 and 0.53, the final fit 0.07 and 0.05: were the third penalty free, it would be more than fifty times
here. It cannot be left out: in all data sets the best penalty lies between the second and the third, and which is
closer tells where the second grid lies.
"""


# Written down once, since it takes minutes.
JOINTLY = """

A joint fit has a core for each fold where there are as many: seven runs of 264 nodes and 168 frames, three folds, took
0.59 of the time on two cores, and 1.1 times the memory.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Lay out a table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(shown, row)) + " |" for row in rows)])


def shown(value: Any) -> str:
    """Write a number with three digits, and nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def study(rows: list[dict[str, Any]]) -> str:
    """Describe the whole example, on many subjects."""
    head = ("subjects", "ours, s", "nilearn script, s", "times faster", "CPU s", "nilearn's", "peak MB", "nilearn's")
    lines = [
        (
            row["runs"],
            row["ours_seconds"],
            shown(row["nilearn_seconds"]) + (" *" if row["extrapolated"] else ""),
            row["nilearn_seconds"] / row["ours_seconds"],
            row["ours_cpu"],
            row["nilearn_cpu"],
            row["ours_peak_mb"],
            row["nilearn_peak_mb"],
        )
        for row in rows
    ]
    extrapolated = any(row["extrapolated"] for row in rows)
    note = "\n\n\\* extrapolated linearly from two smaller numbers of subjects." if extrapolated else ""
    return (
        "## From images to group means\n\nThe nilearn example on all subjects: default-mode partial correlations;"
        " Power-264 and Dosenbach-160 with smoothing and cross-validated sparse inverse covariances; the mean of each"
        " over subjects. Images of 50 x 59 x 50 voxels, 168 frames. Wall-clock seconds on two cores,"
        " including the start of Snakemake and of every interpreter; nilearn with joblib on the same two cores. Peak:"
        " memory of the largest process.\n\n" + table(head, lines) + note + ANOTHER_SESSION.rstrip()
    )


def extraction(rows: list[dict[str, Any]]) -> str:
    """Describe the extraction of the 264 spheres of one image."""
    parts = ["## Sphere signals of one image\n\nPower-264, radius 5 mm, smoothed by 6 mm, one core."]
    for voxels in dict.fromkeys(row["voxels"] for row in rows):
        members = [row for row in rows if row["voxels"] == voxels]
        ours = next(row for row in members if row["contender"] == "ours")
        names = {"ours": "ours", "nilearn": "nilearn", "gzip": "decompression, gzip", "isal": "decompression, isal"}
        lines = [
            (names[row["contender"]], row["seconds"], row["seconds"] / ours["seconds"], row["process"], row["peak"])
            for row in members
        ]
        head = (
            f"{voxels}, {ours['size_mb']:.0f} MB",
            "seconds",
            "times ours",
            "including start and imports",
            "peak MB",
        )
        parts.append(table(head, lines))
    return "\n\n".join(parts)


def sparse(rows: list[dict[str, Any]]) -> str:
    """Describe the sparse inverse covariances."""
    head = ("nodes", "data sets", "ours, s", "GraphicalLassoCV, s", "times faster", "its gap", "our gap")
    lines = []
    for n_nodes in sorted({row["nodes"] for row in rows}):
        members = [row for row in rows if row["nodes"] == n_nodes]
        middle = {key: statistics.median(row[key] for row in members) for key in ("ours", "theirs", "times")}
        gaps = [f"{statistics.median(row[f'gap of {whose}'] for row in members):.0e}" for whose in ("theirs", "ours")]
        lines.append((n_nodes, len(members), *middle.values(), *gaps))
    return (
        f"{ONE_PASS}\n## Sparse inverse covariance of one run\n\n"
        "The same folds, grid and score (3 folds); medians. The gap is the true duality gap of the final fit: how far"
        " its objective may lie above the minimum. scikit-learn's tolerance was 1e-4.\n\n"
        + table(head, lines)
        + TRIED_FOR_SPARSE.rstrip()
    )


def folds(rows: list[dict[str, Any]]) -> str:
    """Describe the folds of one run that are fitted at once."""
    head = ("nodes", "one core, s", f"{rows[0]['cores']} cores, s", "share")
    lines = [(row["nodes"], row["alone"], row["together"], row["together"] / row["alone"]) for row in rows]
    return (
        "Where there are several cores for each fit, its folds are fitted at once, in threads of one process, with"
        " the same result to the last bit. Seconds of the clock, five folds:\n\n"
        + table(head, lines)
        + JOINTLY.rstrip()
    )


def tangent(rows: list[dict[str, Any]]) -> str:
    """Describe the tangent spaces of many runs."""
    ours = {row["nodes"]: row["cpu"] for row in rows if row["contender"] == "ours"}
    head = ("runs", "nodes", "contender", "CPU s", "times ours", "mean off by at most")
    keys = ("runs", "nodes", "contender", "cpu")
    lines = [[*(row[key] for key in keys), row["cpu"] / ours[row["nodes"]], f"{row['distance']:.0e}"] for row in rows]
    return (
        "## Tangent space of many runs\n\nFrom z-scored signals of 168 frames to displacements, shrunk covariances"
        " included; one core, medians of three turns. Off: how far the geometric mean may be from the true one, in the"
        " geometry of the space. pyriemann: TangentSpace; nilearn: ConnectivityMeasure.\n\n" + table(head, lines)
    )


def nodes(rows: list[dict[str, Any]]) -> str:
    """Describe how the costs of one run grow with its nodes."""
    columns = [(step, f"{step}, {RIVALS[step]}" if step in RIVALS else None) for step in STEPS]
    keys = [key for pair in columns for key in pair if key]
    lines = [[row["nodes"], *(row.get(key) for key in keys)] for row in rows]
    return (
        "## How the costs of one run grow with the nodes\n\n"
        "Seconds of one core, after imports; a 4 mm image of 168 frames; the figure has every edge, in three views."
        "\n\n![Costs against nodes and runs](images/performance.svg)\n\n" + table(("nodes", *keys), lines)
    )


def runs(rows: list[dict[str, Any]]) -> str:
    """Describe how the costs of a study grow with its runs."""
    head = ("runs", "first start, s", "seconds per run", "restart without changes, s", "peak MB")
    lines = [(row["runs"], row["first"], row["first"] / row["runs"], row["again"], row["peak_mb"]) for row in rows]
    return (
        "## How the costs of a study grow with the runs\n\nFour spheres per run of a 4 mm image,"
        " cleaning, partial correlations and their mean: three jobs per run, two cores.\n\n" + table(head, lines)
    )


def groups(rows: list[dict[str, Any]]) -> str:
    """Describe the steps that read the edges of all runs."""
    head = ("step", "runs", "CPU s", "seconds", "own MB", "peak MB")
    lines = [[row[key] for key in ("step", "runs", "cpu", "seconds", "own_mb", "peak_mb")] for row in rows]
    return (
        "## Group steps on thousands of runs\n\nCorrelations of 264 nodes, one core, each step in a process of its"
        " own. Own: without the parts of files that are mapped into memory, which the system takes back where it is"
        " short.\n\n" + table(head, lines) + DIGITS.rstrip()
    )


def inference(rows: list[dict[str, Any]]) -> str:
    """Describe the permutation tests."""
    head = ("contender", "runs", "nodes", "permutations done", "seconds", "CPU s for 10,000", "times ours", "peak MB")
    same = {(row["runs"], row["nodes"]): row["cpu_of_10000"] for row in rows if row["contender"] == "ours"}
    keys = ("contender", "runs", "nodes", "permutations", "seconds", "cpu_of_10000")
    lines = [
        [*(row[key] for key in keys), row["cpu_of_10000"] / same[row["runs"], row["nodes"]], row["peak_mb"]]
        for row in rows
    ]
    return (
        "## Permutation tests of a group difference\n\n"
        "Four nuisance columns. Ours: maximum statistic, components at three thresholds (extent and intensity, each"
        " direction and both) and 105 pairs of networks together, two cores. permuted_ols: maximum statistic alone;"
        " nbs_bct: extent at one threshold, without nuisance columns; both one core.\n\n" + table(head, lines)
    )


def maps(rows: list[dict[str, Any]]) -> str:
    """Describe the seed maps of one run."""
    ours = {row["voxels"]: row["cpu"] for row in rows if row["contender"] == "ours"}
    head = ("voxels", "contender", "seconds", "CPU s", "times ours", "peak MB", "largest error of r")
    lines = [
        (
            row["voxels"],
            row["contender"],
            row["seconds"],
            row["cpu"],
            row["cpu"] / ours[row["voxels"]],
            row["peak_mb"],
            f"{row['error']:.0e}",
        )
        for row in rows
    ]
    return (
        "## Seed maps of one run\n\n"
        "Four spheres and every voxel of the head, 200 frames, eight confounds, 0.01 to 0.1 Hz; start and imports"
        " included, one core. nilearn: NiftiSpheresMasker, NiftiMasker and a product. Errors against float64.\n\n"
        + table(head, lines)
    )


def permuted_maps(rows: list[dict[str, Any]]) -> str:
    """Describe the permutation of maps."""
    ours = next(row["cpu_of_1000"] for row in rows if row["contender"] == "ours")
    head = ("contender", "permutations done", "CPU s for 1,000", "times ours", "peak MB")
    lines = [
        (row["contender"], row["permutations"], row["cpu_of_1000"], row["cpu_of_1000"] / ours, row["peak_mb"])
        for row in rows
    ]
    return (
        "## Permutation of seed maps\n\n"
        "A slope and three nuisance columns, 100 maps of 2 mm (228,000 voxels): maximum statistic, clusters and"
        " threshold-free enhancement, one core. nilearn: permuted_ols.\n\n" + table(head, lines)
    )


def compared(rows: list[dict[str, Any]]) -> str:
    """Describe the comparison of denoising."""
    ours = {row["work"]: row["cpu"] for row in rows if row["contender"] == "ours"}
    head = ("work", "contender", "CPU s", "times ours", "peak MB")
    lines = [
        (row["work"], row["contender"], row["cpu"], row["cpu"] / ours[row["work"]], row["peak_mb"]) for row in rows
    ]
    note = (
        "\n\n\\* from a few of the same, one after the other." if any("*" in row["contender"] for row in rows) else ""
    )
    return (
        f"{rows[0]['runs']:,} runs of 264 nodes"
        + (f" after {rows[0]['strategies']} strategies" if rows[0]["strategies"] > 1 else "")
        + ", their connectomes being there; after imports, one core. Peak: of one process that does all.\n\n"
        + table(head, lines)
        + note
    )


def page(rows: list[dict[str, Any]]) -> str:
    """Describe the interactive page."""
    head = ("264 nodes, 34,716 edges", "MB", "first display, s", "slider, ms")
    lines = [(row["contender"], row["size_mb"], row["seen_s"], row["slider_ms"]) for row in rows]
    return "## The interactive page\n\nHeadless Chromium without a graphics card.\n\n" + table(head, lines)


def draw(by_nodes: list[dict[str, Any]], by_runs: list[dict[str, Any]] | None) -> None:
    """Draw the costs against the nodes, and against the runs."""
    with figure_style():
        figure = Figure(figsize=(7.5, 3.8), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        for step, colour in zip(STEPS, COLOURS, strict=False):
            for key, style in ((step, "-"), (f"{step}, {RIVALS.get(step)}", "--")):
                points = [(row["nodes"], row[key]) for row in by_nodes if row.get(key)]
                if points:
                    x, y = zip(*points, strict=True)
                    left.plot(x, y, style, color=colour, marker="o", markersize=3, linewidth=1.2, label=key)
        left.set(xscale="log", yscale="log", xlabel="nodes", ylabel="seconds of one core")
        figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=4, fontsize=6, frameon=False)
        for key, style, label in (("first", "-", "first time"), ("again", "--", "nothing changed")):
            if by_runs:
                x, y = [row["runs"] for row in by_runs], [row[key] for row in by_runs]
                right.plot(x, y, style, color=INK, marker="o", markersize=3, linewidth=1.2, label=label)
        right.set(xscale="log", yscale="log", xlabel="runs", ylabel="seconds, two cores")
        right.legend(fontsize=6, frameon=False)
        for axis in (left.xaxis, left.yaxis, right.xaxis, right.yaxis):
            axis.set_major_formatter("{x:,g}")
            axis.set_minor_formatter(NullFormatter())
        for axes in (left, right):
            axes.grid(color=FAINT_INK, alpha=0.2, linewidth=0.5)
            axes.spines[["top", "right"]].set_visible(False)
        save_figure(figure, FIGURE)


def main() -> None:
    """Write the page from the tables that there are."""
    sections = {
        "study": study,
        "extraction": extraction,
        "sparse": sparse,
        "folds": folds,
        "tangent": tangent,
        "inference": inference,
        "maps": maps,
        "permuted_maps": permuted_maps,
        "comparison": lambda rows: "## Denoising compared\n\n" + compared(rows),
        "reliability": lambda rows: "## Reliability\n\n" + compared(rows),
        "groups": groups,
        "nodes": nodes,
        "runs": runs,
        "page": page,
    }
    found = {name: content for name in sections if (content := recorded(name))}
    if not found:
        sys.exit("Nothing has been recorded; run `make bench`.")
    newest = next(iter(found.values()))
    versions = ", ".join(f"{name} {number}" for name, number in newest["versions"].items())
    parts = [
        "# Performance",
        "`make bench` measures this on your machine and writes this page. Trust the ratios more than the seconds: each"
        " comes from one session, with the programs run alternately on the same input.",
        f"Measured on {newest['machine']}; Python {newest['python']}, {versions}.",
        *(sections[name](content["rows"]) for name, content in found.items()),
    ]
    if "nodes" in found:
        draw(found["nodes"]["rows"], found["runs"]["rows"] if "runs" in found else None)
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written.")


if __name__ == "__main__":
    main()

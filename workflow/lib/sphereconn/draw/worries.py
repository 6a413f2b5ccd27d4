"""What to worry about in a study, as the report says it first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import Any

from sphereconn.aggregate.unusual import FAR_BELOW, FEWEST, Concern
from sphereconn.draw.contrast_doubts import doubts
from sphereconn.draw.contrast_words import in_brackets, not_used
from sphereconn.draw.html import Card
from sphereconn.draw.quality_columns import COLUMNS
from sphereconn.files import MISSING
from sphereconn.words import NOT_CHOSEN_BY, counted, listed, shortened

N_NAMED = 5  # runs
N_KINDS = 3  # combinations of labels
MOST_LEVELS = 6
MOST_OF_CONTRASTS = 15  # sentences on contrasts

Row = Mapping[str, str]


def worries(
    quality: Sequence[Row],
    left_out: Sequence[Row],
    estimation: Sequence[Row],
    unusual: Mapping[str, Sequence[Concern]],
    contents: Mapping[str, Any],
    alike: Collection[str],
) -> Card:
    """Return the card that says what to worry about, or that nothing stands out.

    Parameters
    ----------
    quality, left_out, estimation
        Rows of the tables of quality, of runs that are used and of those that are left out, and of estimation.
    unusual
        By run, what is unusual about it.
    contents
        Of the report, with results.
    alike
        Parts of the names of runs that all runs of the study share, which are not repeated.
    """
    runs = {row["run"] for row in quality}
    said = [
        *_left_out(quality, left_out, contents, alike),
        *_in_no_group(contents, alike),
        *_of_contrasts(left_out, contents, alike),
    ]
    unusable = {row["run"] for row in quality if row["nodes_unusable"] != "0"}
    if unusable:
        worst = max(quality, key=lambda row: int(row["nodes_unusable"]) / int(row["nodes"]))
        said.append(
            f"{counted(len(unusable), 'run')} of {len(runs):,} {'has' if len(unusable) == 1 else 'have'} nodes"
            f" without a signal, at most {worst['nodes_unusable']} of {worst['nodes']} ({worst['seed_set']})."
            " The nodes tables give the reasons."
        )
    overruled = {row["run"]: row for row in quality if row["repetition_time_overruled"] != MISSING}
    if overruled:
        run, row = next(iter(overruled.items()))
        used = COLUMNS["repetition_time"].written(float(row["repetition_time"]))
        said.append(
            f"In {counted(len(overruled), 'run')} of {len(runs):,}, the repetition time in the image header or the"
            f" sidecar differs from the one used; for example {run}, with {used} s"
            f" ({row['repetition_time_overruled']})."
        )
    said += _far_below(quality, alike)
    same = [row for row in estimation if row["same_signal"] != "0"]
    if same:
        said.append(
            f"In {counted(len(same), 'connectome')}, some nodes have identical signals and their edge is n/a; for"
            f" example in {same[0]['run']} ({same[0]['seed_set']}). The sidecars name the nodes."
        )
    unconverged = [row for row in estimation if row["converged"] == "no"]
    if unconverged:
        said.append(f"{counted(len(unconverged), 'estimate')} did not converge; see the quality section.")
    said += of_estimates(estimation)
    odd = [run for run, concerns in unusual.items() if concerns]
    if odd:
        are, them = ("is", "it") if len(odd) == 1 else ("are", "them")
        said.append(
            f"{len(odd):,} of {counted(len(unusual), 'run')} {are} unusual in some way: {_named(odd, alike)}. The list"
            f" of runs (Quality) begins with {them} and says how."
        )
    notes = [*_not_used_at_all(contents, alike), *_too_few(quality, alike)]
    if said:
        return Card("What to worry about", [*said, *notes], warning=True)
    good = "every node has a signal in every run, and every estimate converged."
    return Card("What to worry about", [*notes, f"Nothing {'else ' if notes else ''}stands out: {good}"])


def _named(runs: Sequence[str], alike: Collection[str]) -> str:
    return listed([shortened(run, alike) for run in runs], N_NAMED)


def _kinds(words: Collection[str]) -> str:
    """Return a list of what may have commas itself: ``power264, bandpass; dmn, bandpass; and 2 more``."""
    more = [f"and {len(words) - N_KINDS:,} more"] if len(words) > N_KINDS else []
    return "; ".join([*list(words)[:N_KINDS], *more])


def of_estimates(estimation: Sequence[Row]) -> list[str]:
    """Return for how many estimates the penalty or the data give reason for doubt, each kind as a sentence.

    Parameters
    ----------
    estimation
        Rows of the table of estimation, of runs that are used.
    """
    doubtful = {
        "the chosen penalty is the largest that was tried, which leaves no edges: the data did not suffice to"
        " distinguish any edge from chance.": ("alpha_at_end_of_path", "largest"),
        "the chosen penalty is the smallest that was tried or could be fitted; a smaller one might describe the data"
        " better.": ("alpha_at_end_of_path", "smallest"),
        "the effective number of frames is smaller than the number of nodes: these connectomes depend on the shrinkage"
        " or penalty as much as on the data.": ("fewer_degrees_of_freedom_than_nodes", "yes"),
    }
    said = []
    for words, (column, value) in doubtful.items():
        rows = [row for row in estimation if row[column] == value]
        if rows:
            kinds = dict.fromkeys(f"{row['seed_set']}, {row['denoising']}, {row['estimator']}" for row in rows)
            said.append(f"For {len(rows):,} of {counted(len(estimation), 'connectome')} ({_kinds(kinds)}), {words}")
    return said


def _not_used_at_all(contents: Mapping[str, Any], alike: Collection[str]) -> list[str]:
    """Say which runs of the table, and how many images of a search though they were chosen, are not used, and why."""
    said, unused = [], contents["unused"]
    search = [row for row in contents["search"] if not row["reason"].startswith(NOT_CHOSEN_BY)]
    if unused:
        named = [f"{shortened(run, alike)} ({in_brackets(reason)})" for run, reason in unused]
        verb = "is" if len(unused) == 1 else "are"
        said.append(f"{counted(len(unused), 'run')} of the runs table {verb} not used: {listed(named, N_NAMED)}.")
    if search:
        reasons = [f"{reason} ({count:,})" for reason, count in Counter(row["reason"] for row in search).most_common()]
        verb = "was" if len(search) == 1 else "were"
        said.append(f"{counted(len(search), 'image')} {verb} found but not used: {listed(reasons, N_NAMED)}.")
    return said


def _in_no_group(contents: Mapping[str, Any], alike: Collection[str]) -> list[str]:
    """Say which runs belong to no group of a column."""
    by_column: dict[str, list[str]] = {}
    for run, column in contents["in_no_group"]:
        by_column.setdefault(column, []).append(run)
    return [
        f"{counted(len(runs), 'run')} {'belongs' if len(runs) == 1 else 'belong'} to no group by {column}, without a"
        f" value: {_named(runs, alike)}."
        for column, runs in by_column.items()
    ]


def _too_few(quality: Sequence[Row], alike: Collection[str]) -> list[str]:
    """Say that there are too few runs to tell which is unusual, and how much the one that moves most does."""
    n_runs = len({row["run"] for row in quality})
    if not 0 < n_runs < FEWEST:
        return []
    column = "mean_framewise_displacement"
    motion = {row["run"]: float(row[column]) for row in quality if row[column] != MISSING}
    few = "1 run is too few to tell whether it" if n_runs == 1 else f"{n_runs} runs are too few to tell which"
    if not motion:
        return [f"{few} is unusual, and head motion is not known."]
    run = max(motion, key=motion.__getitem__)
    most = f"{motion[run]:.2f} mm"
    if n_runs == 1:
        return [f"{few} is unusual; its mean framewise displacement is {most}."]
    return [
        f"{few} is unusual; the largest mean framewise displacement is {most} ({shortened(run, alike)}; median"
        f" {median(motion.values()):.2f} mm)."
    ]


def _left_out(
    quality: Sequence[Row], left_out: Sequence[Row], contents: Mapping[str, Any], alike: Collection[str]
) -> list[str]:
    """Say how many runs each denoising leaves out, and of which groups: groups that lose more are no longer alike."""
    said = []
    for label in dict.fromkeys(row["denoising"] for row in left_out):
        out = {row["run"] for row in left_out if row["denoising"] == label}
        runs = out | {row["run"] for row in quality if row["denoising"] == label}
        by_column: dict[str, list[tuple[float, str]]] = {}
        for (column, level), (n_out, n_all) in _levels(contents, label).items():
            by_column.setdefault(column, []).append((-n_out / n_all, f"{level} {n_out:,} of {n_all:,}"))
        of_levels = "; ".join(
            f"{column}: {', '.join(words for _, words in sorted(of)[:MOST_LEVELS])}{', …' * (len(of) > MOST_LEVELS)}"
            for column, of in by_column.items()
        )
        shares = f" ({of_levels})" if of_levels else ""
        reasons = {row["run"]: row["left_out"] for row in left_out if row["denoising"] == label}
        named = listed([f"{shortened(run, alike)} ({in_brackets(reason)})" for run, reason in reasons.items()], N_NAMED)
        said.append(f"{label} leaves out {len(out):,} of {counted(len(runs), 'run')}{shares}: {named}.")
    return said


def _levels(contents: Mapping[str, Any], denoising: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Return of each column and level how many runs a denoising leaves out, and how many there are, at the worst."""
    found: dict[tuple[str, str], tuple[int, int]] = {}

    def add(column: str, level: str, n_out: int, n_used: int) -> None:
        if n_out + n_used:
            found[column, level] = max(found.get((column, level), (0, 0)), (n_out, n_out + n_used))

    for item in contents["groups"]:
        if item["denoising"] == denoising and item["column"]:
            add(item["column"], item["level"], item["n_left_out"], item["n_runs"])
    for item in contents["contrasts"]:
        if item["labels"][1] == denoising:
            used, left_out = item["result"]["Levels"], item["result"]["LevelsLeftOut"]
            for column in used:
                for level in {**used[column], **left_out[column]}:
                    add(column, level, left_out[column].get(level, 0), used[column].get(level, 0))
    return found


def _of_contrasts(left_out: Sequence[Row], contents: Mapping[str, Any], alike: Collection[str]) -> list[str]:
    """Say what is to worry about in contrasts, each thing once, with what it holds for where that is not all."""
    said: dict[str, dict[str, list[tuple[str, ...]]]] = {}  # contrast -> words -> what they hold for
    tested: dict[str, list[tuple[str, ...]]] = {}
    for item in contents["contrasts"]:
        label, labels, result = item["label"], tuple(item["labels"]), item["result"]
        tested.setdefault(label, []).append(labels)
        known = {row["run"] for row in left_out if row["denoising"] == labels[1]}
        for words in filter(None, [not_used(result, alike, known), *doubts(result, alike)]):
            said.setdefault(label, {}).setdefault(words, []).append(labels)
    named: dict[tuple[str, str], list[str]] = {}  # words and what they hold for -> contrasts
    for label, by_words in said.items():
        for words, some in by_words.items():
            named.setdefault((words, _only(some, tested[label])), []).append(label)
    sentences = [
        f"{'Contrast' if len(of) == 1 else 'Contrasts'} {listed(of, N_KINDS)}{where}: {words}"
        for (words, where), of in named.items()
    ]
    more = len(sentences) - MOST_OF_CONTRASTS
    rest = [f"{more:,} more of this kind {'stands' if more == 1 else 'stand'} beside the results of the contrasts."]
    return [*sentences[:MOST_OF_CONTRASTS], *(rest if more > 0 else [])]


def _only(some: Sequence[tuple[str, ...]], whole: Sequence[tuple[str, ...]]) -> str:
    """Name the seed sets, denoisings and estimators that tell some combinations from the whole of them, in brackets."""
    if set(some) == set(whole):
        return ""
    telling = [place for place in range(3) if {of[place] for of in some} != {of[place] for of in whole}]
    shown = list(dict.fromkeys(", ".join(of[place] for place in telling) for of in some))
    told = [of for of in whole if ", ".join(of[place] for place in telling) in shown]
    if not telling or set(told) != set(some):
        shown = [", ".join(of) for of in some]
    return f" ({_kinds(shown)})"


def _far_below(quality: Sequence[Row], alike: Collection[str]) -> list[str]:
    """Name the runs with less than a third of the median degrees of freedom of their denoising."""
    said = []
    for label in dict.fromkeys(row["denoising"] for row in quality):
        worth: dict[str, float] = {}
        for row in quality:
            if row["denoising"] == label:
                value = float(row["effective_degrees_of_freedom"])
                worth[row["run"]] = min(value, worth.get(row["run"], value))
        middle = median(worth.values())
        low = sorted((value, run) for run, value in worth.items() if FAR_BELOW * value < middle)
        if low:
            named = listed([f"{shortened(run, alike)} ({value:.1f})" for value, run in low], N_NAMED)
            said.append(
                f"{counted(len(low), 'run')} of {len(worth):,} ({label}) {'has' if len(low) == 1 else 'have'} less than"
                f" a third of the median effective degrees of freedom ({middle:.1f}): {named}. They have the same"
                " weight as other runs in group means; to exclude such runs, set min_degrees_of_freedom."
            )
    return said

"""The strategies of a published comparison of denoising, as denoisings of a study: which, and for which runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sphereconn.clean.strategies import Scrubbing, Strategy, motion_traces, regressors
from sphereconn.errors import InputError
from sphereconn.files import MISSING, read_records, table
from sphereconn.study import names
from sphereconn.study.denoising import cleaned_by_aroma, confound_files, written_out
from sphereconn.study.preflight import Tables, by_reason
from sphereconn.study.runs import Run
from sphereconn.study.settings import in_canonical_form
from sphereconn.words import listed

Settings = Mapping[str, Any]

TABLE = Path("denoising") / "published.tsv"
STRATEGY = ("high_pass", "motion", "wm_csf", "global_signal", "compcor", "n_compcor", "ica_aroma")
SCRUB = ("framewise_displacement", "std_dvars", "min_segment")
EVERY_RUN = "all"
COLUMNS = ("denoising", "run", "reason")


@dataclass(frozen=True)
class Published:
    """The published strategies that a study computes for its comparison.

    Attributes
    ----------
    denoising
        Their settings, complete, by label; those that no run can be cleaned by are not among them.
    left_out
        By label, the runs that a strategy is not for, and why; ``all`` stands for every run.
    notices
        The same in sentences, for a person who starts the study.
    """

    denoising: Mapping[str, Settings]
    left_out: Mapping[str, Mapping[str, str]]
    notices: tuple[str, ...] = ()

    def runs_of(self, label: str, runs: Iterable[Run]) -> list[Run]:
        """Return those of some runs that a strategy can clean."""
        without = self.left_out.get(label, {})
        return [run for run in runs if run.stem not in without]

    def written(self) -> bytes:
        """Return the table of what is left out, which jobs read instead of looking at confounds again."""
        rows = ((label, run, reason) for label, of in sorted(self.left_out.items()) for run, reason in of.items())
        return table(COLUMNS, rows)


NONE = Published({}, {})


def published_strategies(
    settings: Settings,
    runs: Sequence[Run],
    resources: Path,
    schema: Path,
    output_dir: str,
    source: str,
    main_process: bool,
) -> Published:
    """Return the published strategies that ``comparison`` of a configuration asks for.

    Parameters
    ----------
    settings
        The checked configuration, its denoisings written out in full.
    runs
        That are cleaned.
    resources
        The folder with the shipped tables.
    schema
        The JSON schema of a configuration.
    output_dir
        The folder of the results, where jobs find what the main process has found out of the confounds.
    source
        What to call the configuration in messages.
    main_process
        Whether to look at the confounds of every run.

    Raises
    ------
    InputError
        When none of the strategies is wanted, or the study has another denoising of the same label.
    """
    entry = settings["comparison"]
    if entry is None or entry["preset"] is None:
        return NONE
    where = f"{source}: comparison"
    strategies = dict(_wanted(entry, _read(resources / TABLE, schema, _aroma_of(runs)), settings["denoising"], where))
    if not main_process:
        left_out: dict[str, dict[str, str]] = {}
        for row in read_records(f"{output_dir}/{names.PUBLISHED_LEFT_OUT}"):
            left_out.setdefault(row["denoising"], {})[row["run"]] = row["reason"]
        return Published({label: of for label, of in strategies.items() if not _of_none(left_out, label)}, left_out)
    left_out, notices = _unfit(strategies, runs, where)
    used = {label: of for label, of in strategies.items() if not _of_none(left_out, label)}
    return Published(used, left_out, notices)


def _unfit(
    strategies: Mapping[str, Settings], runs: Sequence[Run], where: str
) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Find the runs that strategies are not for; say so in a sentence for each reason, whatever the strategies."""
    tables = Tables()
    left_out: dict[str, dict[str, str]] = {}
    alike: dict[str, list[str]] = {}  # what is told of some runs -> of which strategies
    for label, strategy in strategies.items():
        findings = list(by_reason(runs, partial(why_not, strategy=strategy, tables=tables), ""))
        reasons = {run.stem: finding.sentence.removeprefix(": ") for finding in findings for run in finding.runs}
        if reasons and len(reasons) == len(runs):
            left_out[label] = {EVERY_RUN: "; ".join(dict.fromkeys(reasons.values()))}
        elif reasons:
            left_out[label] = dict(sorted(reasons.items()))
        for finding in findings:
            alike.setdefault(finding.told(), []).append(label)
    return left_out, tuple(f"{where}: {_strategies(labels)} left out{told}" for told, labels in alike.items())


def _strategies(labels: Sequence[str]) -> str:
    if len(labels) == 1:
        return f"the published strategy {labels[0]} is"
    return f"the published strategies {listed(labels, len(labels))} are"


def _of_none(left_out: Mapping[str, Mapping[str, str]], label: str) -> bool:
    return EVERY_RUN in left_out.get(label, {})


def _aroma_of(runs: Sequence[Run]) -> str:
    """Say what ICA-AROMA is to do: it has cleaned the images, or its components are regressed out of them."""
    return "full" if runs and all(map(cleaned_by_aroma, runs)) else "basic"


def _read(path: Path, schema: Path, aroma: str) -> dict[str, Settings]:
    """Read the table of strategies: for each label its settings, complete."""
    strategies: dict[str, Settings] = {}
    for row in read_records(path):
        given = {key: cell for key, cell in row.items() if cell != MISSING}
        chosen = {key: given[key] for key in STRATEGY if key in given}
        if "ica_aroma" in chosen:
            chosen["ica_aroma"] = aroma
        scrub = {key: given[key] for key in SCRUB if key in given}
        # Where more regressors than frames are left, the paper leaves a run out; so does a least of one.
        entry = {"strategy": chosen, "scrub": scrub or None, "min_degrees_of_freedom": 1}
        strategies[row["denoising"]] = written_out(str(path), in_canonical_form(entry, schema, "denoising"))
    return strategies


def _wanted(
    entry: Settings, strategies: Mapping[str, Settings], own: Mapping[str, Settings], where: str
) -> Iterator[tuple[str, Settings]]:
    """Yield the strategies that are compared and that the study does not have itself."""
    chosen = [label for label in strategies if entry["denoising"] == "all" or label in entry["denoising"]]
    if not chosen:
        raise InputError(
            f"{where}.denoising: none of {', '.join(entry['denoising'])} belongs to the preset '{entry['preset']}'"
            f" (those are {', '.join(strategies)}); name some of these, or leave preset out."
        )
    alike = {label.casefold(): label for label in own}
    for label in chosen:
        same = alike.get(label)
        if same is None:
            yield label, strategies[label]
        elif own[same] != strategies[label]:
            raise InputError(
                f"{where}.preset: the denoising '{same}' of the study has the label of a published strategy and other"
                " settings; rename it."
            )


def why_not(run: Run, strategy: Settings, tables: Tables) -> str | None:
    """Return why a run cannot be cleaned by a published strategy, as far as headers tell; None when it can.

    Parameters
    ----------
    run
        The run.
    strategy
        Settings of the denoising, complete.
    tables
        The columns of confounds tables.
    """
    groups = Strategy(**strategy["strategy"])
    if cleaned_by_aroma(run) and groups.ica_aroma != "full":
        return "the image has already been cleaned by ICA-AROMA"
    if run.confounds is None:
        return "there is no confounds table"
    read = tables.of(run)
    if read is None:
        return "the confounds table is not there yet, or cannot be read"
    files = confound_files(run, strategy)
    if groups.compcor is not None and not Path(files["components"]).is_file():
        return "the confounds table has no sidecar, which says what the components of CompCor are"
    if "aroma" in files:  # they are in a table of their own
        groups = replace(groups, ica_aroma=None)
    try:
        regressors(read, strategy=groups, components=files.get("components"))
        motion_traces(read, Scrubbing(**strategy["scrub"]) if strategy["scrub"] else None)
    except InputError as problem:
        # What to change in the configuration is for those who wrote the strategy themselves.
        reason = str(problem).partition(", which")[0]
        return reason.replace(f"{files.get('components')}: it", "the sidecar of the confounds table")
    return None

"""The folder of a study's results, opened to be read: ``read_study``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import nibabel
import pandas as pd
from nibabel.spatialimages import SpatialImage

from sphereconn.errors import InputError
from sphereconn.files import read_json, read_records
from sphereconn.read.catalogue import Entry, entries, one_run, the_one
from sphereconn.read.connectomes import OTHERS, Connectomes, connectomes_of
from sphereconn.read.parts import Comparison, Contrast, Part, Reliability
from sphereconn.read.tables import column, connectome, matrix, signals, table
from sphereconn.study.groups import ALL_RUNS
from sphereconn.study.names import ENTITIES, folder
from sphereconn.words import counted, listed

GEOMETRY = ["index", "x", "y", "z", "radius", "network"]  # of the nodes, the same in all runs
OF_CONNECTOMES = ("seed_set", "denoising", "estimator")

P = TypeVar("P", bound=Part)


def read_study(folder: str | PathLike[str]) -> StudyResults:
    """Return the results of a study, chosen by label and read when they are asked for.

    Only the folder of results is needed: no configuration, no images, no workflow.

    Parameters
    ----------
    folder
        The ``output_dir`` of the study. Where the study has not run to its end, what is there can be read.

    Raises
    ------
    InputError
        When the folder does not hold the results of a study.

    Examples
    --------
    >>> from sphereconn import read_study
    >>> study = read_study("results")                                                        # doctest: +SKIP
    >>> study.connectomes("power264", "bandpass", "correlation").group("site-essen")         # doctest: +SKIP
    """
    return StudyResults(Path(folder))


class StudyResults:
    """The results of a study.

    Labels are those of the configuration. One that leaves no choice need not be given: with a single denoising,
    ``study.connectomes("power264", estimator="partial")`` is clear. An unknown label is answered with those there are.

    Attributes
    ----------
    folder : Path
        Where the results are.
    settings : dict
        The complete configuration of the study, defaults included.
    runs : DataFrame
        One row per run, by the name that its results begin with: subject and further entities, and the columns of the
        runs table that groups and contrasts are made of.
    quality : DataFrame
        For each run, seed set and denoising: frames, degrees of freedom, motion, coverage, temporal SNR, and why the
        run was left out, if it was.
    estimation : DataFrame
        For each connectome: shrinkage, penalty, duality gap, convergence.
    seed_sets, denoising, estimators, groups, contrasts, maps : tuple of str
        The labels that there are results of.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder; give the output_dir of a study.")
        if not (folder / "study.json").is_file():
            inside = next((path.parent.name for path in sorted(folder.glob("*/study.json"))), None)
            hint = f"did you mean {folder / inside}?" if inside else "give the output_dir of a study that has run."
            raise InputError(f"{folder}: this folder contains no results of a study (study.json is missing); {hint}")

    def __repr__(self) -> str:
        subjects = counted(self.runs["subject"].nunique(), "subject") if len(self.runs) else ""
        lines = {
            "runs": f"{len(self.runs):,}" + (f" of {subjects}" if subjects else ""),
            "seed_sets": self.seed_sets,
            "denoising": self.denoising,
            "estimators": self.estimators,
            "groups": self.groups,
            "contrasts": self.contrasts,
            "comparisons": tuple(sorted({entry.seed_set for entry in self._of("comparison-")})),
            "reliability": tuple(sorted({entry.whose.partition("-")[2] for entry in self._of("reliability-")})),
            "maps": self.maps,
        }
        told = {key: value if isinstance(value, str) else listed(value, most=8) for key, value in lines.items()}
        return "\n".join([f"Study in {self.folder}", *(f"  {key:<13}{value}" for key, value in told.items() if value)])

    # --- what there is

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The complete configuration of the study."""
        return read_json(self.folder / "study.json")

    @cached_property
    def _group_results(self) -> list[Entry]:
        there = self.folder / "group"
        return list(entries(there)) if there.is_dir() else []

    def _of(self, prefix: str) -> list[Entry]:
        return [entry for entry in self._group_results if entry.whose.startswith(prefix)]

    @property
    def _stacks(self) -> list[Entry]:
        return [entry for entry in self._of(ALL_RUNS) if entry.kind == "stack.npy"]

    @property
    def seed_sets(self) -> tuple[str, ...]:
        """The labels of seed sets."""
        return tuple(sorted({entry.seed_set for entry in self._stacks}))

    @property
    def denoising(self) -> tuple[str, ...]:
        """The labels of denoisings."""
        return tuple(sorted({entry.denoising for entry in self._stacks}))

    @property
    def estimators(self) -> tuple[str, ...]:
        """The labels of estimators."""
        return tuple(sorted({entry.estimator for entry in self._stacks}))

    @property
    def groups(self) -> tuple[str, ...]:
        """The labels of groups."""
        named = {entry.whose for entry in self._group_results if entry.statistic == "mean" and not entry.seed}
        return tuple(sorted(whose for whose in named if not whose.startswith(OTHERS)))

    @property
    def contrasts(self) -> tuple[str, ...]:
        """The labels of contrasts, of connectomes and of seed maps."""
        return tuple(sorted({entry.whose.partition("-")[2] for entry in self._of("contrast-")}))

    @property
    def maps(self) -> tuple[str, ...]:
        """The labels of sets of seed maps."""
        return tuple(sorted({entry.estimator for entry in self._group_results if entry.seed}))

    # --- tables of runs

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The runs, one row each."""
        known: dict[str, dict[str, str]] = {}
        if (self.folder / "group" / "quality.tsv").is_file():
            known = {run: {} for run in self.quality["run"]}
        for entry in self._stacks:
            if known and all(known.values()):
                break
            known.update({row["name"]: row for row in read_records(entry.path.with_suffix(".tsv"))})
        rows = [_entities(run) | of for run, of in known.items()]
        columns = dict.fromkeys(name for row in rows for name in row if name != "name")
        frame = {name: column(name, [row.get(name, "") for row in rows]) for name in columns}
        return pd.DataFrame(frame).set_index(pd.Index(list(known), name="run", dtype=object))

    @cached_property
    def quality(self) -> pd.DataFrame:
        """The quality of each run."""
        return table(self._published("group/quality.tsv"))

    @cached_property
    def estimation(self) -> pd.DataFrame:
        """How the estimate of each connectome went."""
        return table(self._published("group/estimation.tsv"))

    def _published(self, name: str) -> Path:
        if not (self.folder / name).is_file():
            raise InputError(f"{self.folder}: {name} is not there yet; run the study to its end.")
        return self.folder / name

    # --- results of single runs

    def nodes(
        self, seed_set: str | None = None, *, run: str | None = None, denoising: str | None = None
    ) -> pd.DataFrame:
        """Return the nodes of a seed set, one row each, by name.

        Parameters
        ----------
        seed_set
            Label of the seed set.
        run
            Name of a run, or its beginning: voxels, coverage and temporal SNR of each node are then added, and what is
            wrong with one that has no signal. Those of groups are in ``connectomes``.
        denoising
            Needed for runs that were combined only.

        Returns
        -------
        DataFrame
            ``index``; ``x``, ``y``, ``z`` and ``radius`` in mm; ``network``.
        """
        if run is None:
            tables = [entry for entry in self._of(ALL_RUNS) if entry.kind == "nodes.tsv"]
            first = {entry.seed_set: entry for entry in reversed(tables)}  # whichever: the geometry is the same
            found = the_one(first.values(), {"seed_set": seed_set}, str(self.folder), ("seed_set",))
            return table(found.path, index="name")[GEOMETRY]
        tables = self._of_run(run, "nodes.tsv")
        combined = any(entry.denoising for entry in tables)
        names = ("seed_set", "denoising") if combined else ("seed_set",)
        return table(self._chosen(run, tables, names, seed_set=seed_set, denoising=denoising), index="name")

    def signals(
        self, run: str, seed_set: str | None = None, denoising: str | None = None, *, cleaned: bool = True
    ) -> pd.DataFrame:
        """Return the signals of a run, one row per frame, one column per node.

        Parameters
        ----------
        run
            Name of the run, or its beginning where one run begins so: ``sub-01``.
        seed_set, denoising
            Labels.
        cleaned
            Whether the signals are those after denoising; False gives the mean of each sphere as it was measured.

        Returns
        -------
        DataFrame
            By the frames of the image, counted from 0: censored ones are absent. NaN for a node without a signal.
        """
        of_run = [entry for entry in self._of_run(run, "timeseries.tsv") if bool(entry.denoising) == cleaned]
        names = ("seed_set", "denoising") if cleaned else ("seed_set",)
        return signals(self._chosen(run, of_run, names, seed_set=seed_set, denoising=denoising))

    def connectome(
        self,
        run: str,
        seed_set: str | None = None,
        denoising: str | None = None,
        estimator: str | None = None,
        *,
        statistic: str = "",
    ) -> pd.DataFrame:
        """Return the connectome of a run, with the names of the nodes on both sides.

        Parameters
        ----------
        run
            Name of the run, or its beginning where one run begins so: ``sub-01``.
        seed_set, denoising, estimator
            Labels.
        statistic
            Another matrix of the same fit: ``precision``, ``covariance`` or ``partialcorrelation`` of a sparse inverse
            covariance, ``z`` and ``degreesoffreedom`` of correlations under xDF.
        """
        of_run = self._of_run(run, "relmat.tsv")
        if not any(entry.statistic for entry in of_run) and statistic:
            raise InputError(f"{self.folder}: {self._run(run)}: there are no matrices other than connectomes.")
        of_run = [entry for entry in of_run if bool(entry.statistic) == bool(statistic)]
        asked = {"seed_set": seed_set, "denoising": denoising, "estimator": estimator, "statistic": statistic}
        names = (*OF_CONNECTOMES, "statistic") if statistic else OF_CONNECTOMES
        path = self._chosen(run, of_run, names, **asked)
        return matrix(path) if statistic else connectome(path)

    def described(
        self, run: str, seed_set: str | None = None, denoising: str | None = None, estimator: str | None = None
    ) -> dict[str, Any]:
        """Return what the sidecar of a run's connectome says: measure, shrinkage, penalty, duality gap, sources."""
        of_run = [entry for entry in self._of_run(run, "relmat.json") if not entry.statistic]
        asked = {"seed_set": seed_set, "denoising": denoising, "estimator": estimator}
        return read_json(self._chosen(run, of_run, OF_CONNECTOMES, **asked))

    def _run(self, run: str) -> str:
        return one_run(run, list(self.runs.index), str(self.folder))

    def _of_run(self, run: str, kind: str) -> list[Entry]:
        name = self._run(run)
        there = self.folder / folder(_entities(name)) / "func"
        return [
            entry for entry in (entries(there) if there.is_dir() else ()) if (entry.whose, entry.kind) == (name, kind)
        ]

    def _chosen(self, run: str, found: Iterable[Entry], names: tuple[str, ...], **asked: str | None) -> Path:
        return the_one(found, asked, f"{self.folder}: {self._run(run)}", names).path

    # --- results of groups

    def connectomes(
        self, seed_set: str | None = None, denoising: str | None = None, estimator: str | None = None
    ) -> Connectomes:
        """Return the connectomes of all runs and groups, of a seed set, a denoising and an estimator."""
        asked = {"seed_set": seed_set, "denoising": denoising, "estimator": estimator}
        return connectomes_of(self._group_results, asked, str(self.folder))

    def contrast(
        self,
        contrast: str | None = None,
        seed_set: str | None = None,
        denoising: str | None = None,
        estimator: str | None = None,
    ) -> Contrast:
        """Return what a contrast of connectomes found."""
        asked = {"contrast": contrast, "seed_set": seed_set, "denoising": denoising, "estimator": estimator}
        found = [entry for entry in self._of("contrast-") if not entry.seed]
        return self._part(Contrast, found, "contrast.json", asked)

    def comparison(self, seed_set: str | None = None, estimator: str | None = None) -> Comparison:
        """Return the comparison of denoising strategies, of a seed set and an estimator."""
        asked = {"seed_set": seed_set, "estimator": estimator}
        return self._part(Comparison, self._of("comparison-"), "comparison.json", asked)

    def reliability(
        self,
        over: str | None = None,
        seed_set: str | None = None,
        denoising: str | None = None,
        estimator: str | None = None,
    ) -> Reliability:
        """Return the reliability of connectomes over repeated runs (``session``) or ``halves`` of runs."""
        asked = {"over": over, "seed_set": seed_set, "denoising": denoising, "estimator": estimator}
        return self._part(Reliability, self._of("reliability-"), "reliability.json", asked)

    def _part(self, part: type[P], found: list[Entry], sidecar: str, asked: Mapping[str, str | None]) -> P:
        sidecars = [entry for entry in found if entry.kind == sidecar]
        if not sidecars:
            raise InputError(f"{self.folder}: there is no {part.__name__.lower()} among the results.")
        chosen = the_one(sidecars, asked, str(self.folder), tuple(asked))
        labels = [name for name in OF_CONNECTOMES if getattr(chosen, name)]
        alike = [
            entry
            for entry in found
            if entry.whose == chosen.whose and all(getattr(entry, name) == getattr(chosen, name) for name in labels)
        ]
        title = ", ".join([chosen.whose.partition("-")[2], *(getattr(chosen, name) for name in labels)])
        return part(title, alike, str(self.folder))

    def seed_map(
        self,
        seed: str | None = None,
        *,
        run: str | None = None,
        group: str | None = None,
        contrast: str | None = None,
        maps: str | None = None,
        seed_set: str | None = None,
        denoising: str | None = None,
        statistic: str | None = None,
    ) -> SpatialImage:
        """Return a seed map as an image, of which nibabel reads the voxels when they are asked for.

        Parameters
        ----------
        seed
            Label of the seed, its name without blanks and punctuation.
        run, group, contrast
            Whose map it is; of the group of all runs where none is given.
        maps, seed_set, denoising
            Labels.
        statistic
            ``mean`` (unless another is asked for), ``std``, ``n`` or ``t`` of a group, ``z`` or ``r`` of a run,
            ``effect``, ``statistic``, ``p``, ``tfcefwe`` and so on of a contrast.
        """
        asked = {"maps": maps, "seed_set": seed_set, "denoising": denoising, "seed": seed, "statistic": statistic}
        names = tuple(asked)
        if run is not None:
            of_run = [entry for entry in self._of_run(run, "statmap.nii.gz") if entry.seed]
            return _image(self._chosen(run, of_run, names, **asked))
        images = [entry for entry in self._group_results if entry.kind == "statmap.nii.gz"]
        if not images:
            raise InputError(f"{self.folder}: there is no seed map among the results.")
        of_contrasts = [entry for entry in images if entry.whose.startswith("contrast-")]
        if contrast is not None:
            asked = {"contrast": contrast, **asked}
            return _image(the_one(of_contrasts, asked, str(self.folder), tuple(asked)).path)
        of_groups = [entry for entry in images if entry not in of_contrasts]
        asked = {"group": group or ALL_RUNS, **asked, "statistic": statistic or "mean"}
        return _image(the_one(of_groups, asked, str(self.folder), tuple(asked)).path)


def _image(path: Path) -> SpatialImage:
    image = nibabel.load(path)
    assert isinstance(image, SpatialImage)
    return image


def _entities(run: str) -> dict[str, str]:
    """Return the entities of a run by the columns of a runs table, read off its name."""
    columns = {entity: name for name, entity in ENTITIES.items()}
    parts = (part.partition("-") for part in run.split("_"))
    return {columns[entity]: label for entity, _, label in parts if entity in columns}

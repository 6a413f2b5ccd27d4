"""The connectomes of all runs and groups, of one seed set, denoising and estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sphereconn.aggregate.stack import open_stack
from sphereconn.connect.edges import matrix_from_edges
from sphereconn.errors import InputError
from sphereconn.files import read_json
from sphereconn.read.catalogue import Entry, check_known, one_run, the_one
from sphereconn.read.tables import matrix, named, table
from sphereconn.study.groups import ALL_RUNS, name_of
from sphereconn.words import counted

# How the names of results of groups start that are none of a group.
OTHERS = ("contrast-", "reliability-", "comparison-")
STATISTICS = ("mean", "std", "n")  # of the edges of a group


class Connectomes:
    """Connectomes that were made in one way: those of all runs, and the means of groups.

    Nothing is read before it is asked for: the edges of runs are mapped from the disk, so a study of thousands of runs
    opens in no time.

    Attributes
    ----------
    seed_set, denoising, estimator : str
        The labels of what made them.
    runs : DataFrame
        One row per run, by its name: subject and further entities, the columns of the runs table, frames, degrees of
        freedom, mean framewise displacement. Runs in ``left_out`` are absent.
    nodes : DataFrame
        One row per node, by its name: coordinates and radius in mm, network; for the group of all runs the number of
        runs that have the node, mean coverage and temporal SNR.
    edges : ndarray of shape (n_runs, n_edges)
        The upper triangle of each run's matrix, row by row; with the diagonal where ``has_diagonal``. Mapped from the
        disk unless runs were chosen by ``where``. NaN where a node has no signal.
    groups : tuple of str
        The labels of groups: ``group-all``, ``site-essen``.
    described : dict
        What the sidecar says: measure, settings, sources, versions.

    Examples
    --------
    >>> from sphereconn import read_study
    >>> study = read_study("results")                                                        # doctest: +SKIP
    >>> connectomes = study.connectomes("power264", "bandpass", "correlation")               # doctest: +SKIP
    >>> connectomes.where(site="essen").edges.mean(axis=0)                                   # doctest: +SKIP
    """

    def __init__(
        self, of_all: Mapping[str, Entry], groups: Sequence[Entry], where: str, rows: Sequence[int] | None = None
    ) -> None:
        first = of_all["stack.npy"]
        self.seed_set, self.denoising, self.estimator = first.seed_set, first.denoising, first.estimator
        self._of_all, self._groups, self._where, self._rows = of_all, groups, where, rows

    def __repr__(self) -> str:
        n_edges = self._stack.shape[1]
        labels = f"{self.seed_set}, {self.denoising}, {self.estimator}"
        return f"<Connectomes of {labels}: {counted(len(self), 'run')}, {counted(n_edges, 'edge')} each>"

    def __len__(self) -> int:
        return len(self._stack) if self._rows is None else len(self._rows)

    def __getitem__(self, run: str) -> pd.DataFrame:
        return self.matrix(run)

    @cached_property
    def described(self) -> dict[str, Any]:
        """What the sidecar says."""
        return read_json(self._of_all["stack.json"].path)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The runs, one row each."""
        runs = pd.concat([table(self._of_all[kind].path) for kind in ("stack.tsv", "quality.tsv")], axis=1)
        runs = runs.loc[:, ~runs.columns.duplicated()].rename(columns={"name": "run"}).set_index("run")
        return runs if self._rows is None else runs.iloc[list(self._rows)]

    @property
    def left_out(self) -> dict[str, str]:
        """Why runs that were asked for have no connectome here, by their names."""
        return {name_of(item["Run"]): item["Reason"] for item in self.described["RunsLeftOut"]}

    @property
    def has_diagonal(self) -> bool:
        """Whether the diagonal is among the edges: of covariances and displacements, not of correlations."""
        return bool(self.described["ValidDiagonal"])

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """The nodes, one row each, of all runs."""
        return self.group_nodes(ALL_RUNS)

    @cached_property
    def _stack(self) -> np.ndarray:
        return open_stack(self._of_all["stack.npy"].path)

    @property
    def edges(self) -> np.ndarray:
        """The edges of every run, shape (n_runs, n_edges)."""
        return self._stack if self._rows is None else self._stack[list(self._rows)]

    @property
    def edge_names(self) -> pd.MultiIndex:
        """The two nodes of each edge, in the order of ``edges``."""
        names = np.array(self.described["Nodes"], dtype=object)
        first, second = np.triu_indices(len(names), k=0 if self.has_diagonal else 1)
        return pd.MultiIndex.from_arrays([names[first], names[second]], names=["node1", "node2"])

    def frame(self) -> pd.DataFrame:
        """Return the edges of every run as a table: one row per run, one column per edge."""
        return pd.DataFrame(self.edges, index=self.runs.index, columns=self.edge_names)

    def matrix(self, run: str) -> pd.DataFrame:
        """Return the connectome of a run, by its name or beginning, with the names of the nodes on both sides.

        Raises
        ------
        InputError
            When the run is not among ``runs``.
        """
        name = one_run(run, list(self.runs.index), self._where)
        place = self.runs.index.get_loc(name)
        row = place if self._rows is None else self._rows[place]
        return named(self._matrix(self._stack[row]), self.described["Nodes"])

    def matrices(self) -> np.ndarray:
        """Return the connectomes of all runs, an array of shape (n_runs, n_nodes, n_nodes) in the order of ``runs``."""
        n_nodes = len(self.described["Nodes"])
        found = np.empty((len(self), n_nodes, n_nodes))
        for place, edges in enumerate(self.edges):
            found[place] = self._matrix(edges)
        return found

    def _matrix(self, edges: np.ndarray) -> np.ndarray:
        return matrix_from_edges(edges, len(self.described["Nodes"]), self.has_diagonal, 1.0)

    def where(self, **columns: Any) -> Connectomes:
        """Return the connectomes of the runs with these values in their columns: ``where(site="essen", sex=["F"])``.

        Raises
        ------
        InputError
            When there is no such column, or no run has the value.
        """
        kept = np.ones(len(self), dtype=bool)
        for name, wanted in columns.items():
            check_known(name, list(self.runs.columns), "column", f"{self._where}: ")
            values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
            for value in values:
                if not (self.runs[name] == value).any():
                    raise InputError(
                        f"{self._where}: no run has {value!r} in the column '{name}' (found:"
                        f" {', '.join(map(repr, self.runs[name].dropna().unique().tolist()[:10]))})."
                    )
            kept &= self.runs[name].isin(values).to_numpy()
        rows = np.arange(len(self._stack)) if self._rows is None else np.asarray(self._rows)
        return Connectomes(self._of_all, self._groups, self._where, rows[kept].tolist())

    @property
    def groups(self) -> tuple[str, ...]:
        """The labels of groups."""
        return tuple(sorted({entry.whose for entry in self._groups}))

    def group(self, group: str = ALL_RUNS, statistic: str = "mean") -> pd.DataFrame:
        """Return a matrix of a group.

        Parameters
        ----------
        group
            A label in ``groups``.
        statistic
            ``mean`` (of Fisher's z, transformed back, for correlations), ``std`` (of z), or ``n``, the number of runs.

        Raises
        ------
        InputError
            When the group or the statistic is not there.
        """
        matrices = [entry for entry in self._groups if entry.kind == "relmat.tsv"]
        asked = {"group": group, "statistic": statistic}
        return matrix(the_one(matrices, asked, self._where, ("group", "statistic")).path)

    def group_nodes(self, group: str = ALL_RUNS) -> pd.DataFrame:
        """Return the nodes of a group, with the number of runs that have each, mean coverage and temporal SNR."""
        tables = [entry for entry in self._groups if entry.kind == "nodes.tsv"]
        return table(the_one(tables, {"group": group}, self._where, ("group",)).path, index="name")


def connectomes_of(found: Sequence[Entry], asked: Mapping[str, str | None], where: str) -> Connectomes:
    """Return the connectomes that labels choose among the results of groups."""
    names = ("seed_set", "denoising", "estimator")
    stacks = [entry for entry in found if entry.kind == "stack.npy" and entry.whose == ALL_RUNS]
    if not stacks:
        raise InputError(f"{where}: there are no connectomes of groups yet; run the study to its end.")
    chosen = the_one(stacks, asked, where, names)
    alike = [entry for entry in found if all(getattr(entry, name) == getattr(chosen, name) for name in names)]
    of_all = {entry.kind: entry for entry in alike if entry.whose == ALL_RUNS and not entry.statistic}
    groups = [entry for entry in alike if entry.statistic in STATISTICS or entry.kind == "nodes.tsv"]
    own = [entry for entry in groups if not entry.whose.startswith(OTHERS)]
    return Connectomes(of_all, own, where)

"""The results of a contrast, of a comparison of denoising, and of reliability."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from sphereconn.files import read_json
from sphereconn.read.catalogue import Entry, check_known, the_one
from sphereconn.read.tables import matrix, table


class Part:
    """Results that belong together: tables, matrices and a sidecar; each is read when it is asked for.

    Attributes
    ----------
    title : str
        Which results these are.
    tables, statistics : tuple of str
        What ``table`` and ``matrix`` can be asked for.
    described : dict
        What the sidecar says.
    """

    def __init__(self, title: str, found: Sequence[Entry], where: str) -> None:
        self.title, self._found, self._where = title, found, f"{where}: {title}"

    def __repr__(self) -> str:
        matrices = f"; matrices: {', '.join(self.statistics)}" if self.statistics else ""
        return f"<{type(self).__name__} {self.title}: tables: {', '.join(self.tables)}{matrices}>"

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of tables."""
        endings = (entry.kind for entry in self._found if not entry.statistic)
        return tuple(sorted({kind.removesuffix(".tsv") for kind in endings if kind.endswith(".tsv")}))

    @property
    def statistics(self) -> tuple[str, ...]:
        """The names of matrices."""
        return tuple(sorted({entry.statistic for entry in self._matrices}))

    @property
    def _matrices(self) -> list[Entry]:
        return [entry for entry in self._found if entry.kind == "relmat.tsv" and entry.statistic]

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by its name in ``tables``; ``InputError`` says which there are."""
        tables = {entry.kind.removesuffix(".tsv"): entry.path for entry in self._found if not entry.statistic}
        check_known(name, self.tables, "table", f"{self._where}: ")
        return table(tables[name])

    def matrix(self, statistic: str) -> pd.DataFrame:
        """Return a matrix by its name in ``statistics``; ``InputError`` says which there are."""
        return matrix(the_one(self._matrices, {"statistic": statistic}, self._where, ("statistic",)).path)

    @cached_property
    def described(self) -> dict[str, Any]:
        """What the sidecar says."""
        return read_json(next(entry.path for entry in self._found if entry.kind.endswith(".json")))


class Contrast(Part):
    """What a contrast found: an effect, a statistic and a p of each kind for every edge, and tables.

    Examples
    --------
    >>> study.contrast("age", estimator="correlation").effect                                # doctest: +SKIP
    >>> study.contrast("age", estimator="correlation").edges.query("significant == 'yes'")   # doctest: +SKIP
    """

    @property
    def effect(self) -> pd.DataFrame:
        """The effect on every edge: of Fisher's z for correlations, else in the unit of the connectomes."""
        return self.matrix("effect")

    @property
    def statistic(self) -> pd.DataFrame:
        """The t or F of every edge."""
        return self.matrix("statistic")

    @property
    def p(self) -> pd.DataFrame:
        """The p of every edge, not corrected."""
        return self.matrix("p")

    @property
    def fdr(self) -> pd.DataFrame:
        """The p of every edge, adjusted for the false discovery rate."""
        return self.matrix("fdr")

    @property
    def fwe(self) -> pd.DataFrame:
        """The p of every edge, corrected for all edges by permutations."""
        return self.matrix("fwe")

    @property
    def significant(self) -> pd.DataFrame:
        """Which edges are significant after correction for all edges: by permutations, or by FDR where there are none.

        An edge that only its component makes significant is none of them; ``matrix("significant")`` marks it with 1.
        """
        return self.matrix("significant") == 2

    @property
    def edges(self) -> pd.DataFrame:
        """The edges that any correction finds significant (also FDR alone), with intervals and sizes of effects.

        The column ``significant`` says which of them ``significant`` has, and the report counts.
        """
        return self.table("edges")

    @property
    def components(self) -> pd.DataFrame:
        """The connected components of edges above a threshold (network-based statistic)."""
        return self.table("components")

    @property
    def network_pairs(self) -> pd.DataFrame:
        """The pairs of networks."""
        return self.table("networkpairs")

    @property
    def strongest(self) -> pd.DataFrame:
        """The edges with the smallest p, run by run: what was tested, the value, and what the model fitted."""
        return self.table("strongest")

    @property
    def design(self) -> pd.DataFrame:
        """The design: one row per run, with its leverage and the columns of the model."""
        return self.table("design").set_index("run")


class Comparison(Part):
    """Denoising strategies side by side: how much of motion each leaves in the connectomes, and what it costs."""

    @property
    def criteria(self) -> pd.DataFrame:
        """Every criterion with its value and rank for each denoising."""
        return self.table("criteria")

    @property
    def distance(self) -> pd.DataFrame:
        """How an edge depends on motion by the distance between its nodes, in mm."""
        return self.table("distance")

    @property
    def motion_groups(self) -> pd.DataFrame:
        """How the third with most motion differs from the third with least, by the distance between nodes, in mm."""
        return self.table("motiongroups")

    @property
    def similarity(self) -> pd.DataFrame:
        """How alike the connectomes of two denoisings are."""
        return self.table("similarity")

    def qcfc(self, denoising: str) -> pd.DataFrame:
        """Return the correlation of every edge with motion over runs (QC-FC) under a denoising."""
        return self._of_denoising("qcfc", denoising)

    def motion_difference(self, denoising: str) -> pd.DataFrame:
        """Return the mean of the third with most motion minus that of the third with least, for every edge."""
        return self._of_denoising("motiondifference", denoising)

    def _of_denoising(self, statistic: str, denoising: str) -> pd.DataFrame:
        matrices = [entry for entry in self._matrices if entry.statistic == statistic]
        return matrix(the_one(matrices, {"denoising": denoising}, self._where, ("denoising",)).path)


class Reliability(Part):
    """How reliable connectomes are over repeated runs or halves of runs."""

    @property
    def icc(self) -> pd.DataFrame:
        """ICC(1,1) of every edge."""
        return self.matrix("icc11")

    @property
    def edges(self) -> pd.DataFrame:
        """The intraclass correlations of every edge, with intervals."""
        return self.table("edges")

    @property
    def network_pairs(self) -> pd.DataFrame:
        """The intraclass correlations of pairs of networks."""
        return self.table("networkpairs")

    @property
    def summary(self) -> pd.DataFrame:
        """The measures of the whole connectome: discriminability, identification and others."""
        return self.table("summary")

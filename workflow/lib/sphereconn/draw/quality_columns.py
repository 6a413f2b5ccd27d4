"""What the columns of the table of quality are called in the report and on the pages of subjects."""

from __future__ import annotations

from dataclasses import dataclass

from sphereconn.words import number


@dataclass(frozen=True)
class Column:
    """How a column of the table of quality is called, and how many decimal places its numbers have."""

    words: str
    digits: int

    def written(self, value: float) -> str:
        """Return a number of the column as the report writes it."""
        return number(value, f".{self.digits}f")


COLUMNS = {
    "frames": Column("frames", 0),
    "frames_without_data": Column("frames without data", 0),
    "frames_kept": Column("frames kept", 0),
    "repetition_time": Column("repetition time (s)", 3),
    "regressors": Column("regressors", 0),
    "degrees_of_freedom": Column("degrees of freedom", 1),
    "effective_degrees_of_freedom": Column("effective degrees of freedom", 1),
    "mean_framewise_displacement": Column("mean framewise displacement (mm)", 3),
    "nodes": Column("nodes", 0),
    "nodes_unusable": Column("unusable nodes", 0),
    "lowest_coverage": Column("lowest coverage", 2),
    "median_coverage": Column("median coverage", 2),
    "median_temporal_snr": Column("median temporal SNR", 1),
}

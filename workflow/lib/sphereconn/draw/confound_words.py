"""Columns of a confounds table in words for a paper."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sphereconn.words import counted

EXPANSIONS = {
    "basic": "",
    "derivatives": " with their temporal derivatives",
    "power2": " with their squares",
    "full": " with their temporal derivatives and the squares of both",
}
_SUFFIXES = {
    "basic": {""},
    "derivatives": {"", "_derivative1"},
    "power2": {"", "_power2"},
    "full": {"", "_derivative1", "_power2", "_derivative1_power2"},
}
_TRANSLATIONS, _ROTATIONS = (tuple(f"{kind}_{axis}" for axis in "xyz") for kind in ("trans", "rot"))
_MOTION = (
    (_TRANSLATIONS + _ROTATIONS, "the six head-motion parameters"),
    (_TRANSLATIONS, "the three translations of the head"),
    (_ROTATIONS, "the three rotations of the head"),
)
_SIGNALS = {
    "csf": "CSF",
    "white_matter": "white-matter",
    "csf_wm": "combined CSF and white-matter",
    "global_signal": "global",
}
_FAMILIES = (
    (r"a_comp_cor_\d+", "anatomical CompCor component"),
    (r"c_comp_cor_\d+", "CompCor component from CSF"),
    (r"w_comp_cor_\d+", "CompCor component from white matter"),
    (r"t_comp_cor_\d+", "temporal CompCor component"),
    (r"aroma_motion_\d+", "ICA-AROMA motion component"),
    (r"aroma_orth_motion_\d+", "orthogonalized ICA-AROMA motion component"),
    (r"cosine_?\d+", "discrete cosine regressor"),
    (r"motion_outlier_?\d+", "motion-outlier indicator"),
    (r"non_steady_state_outlier_?\d+", "indicator of frames before the steady state"),
)
_SINGLE = {
    "framewise_displacement": "framewise displacement",
    "dvars": "DVARS",
    "std_dvars": "standardized DVARS",
    "rmsd": "the root mean square displacement",
}


def in_words(columns: Mapping[str, int], n_runs: int) -> list[str]:
    """Return phrases that together name all columns.

    Parameters
    ----------
    columns
        In how many runs each column was regressed out.
    n_runs
        Number of runs.

    Examples
    --------
    >>> columns = ["csf", "white_matter", "trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]
    >>> in_words(dict.fromkeys(columns, 15), 15)
    ['the mean CSF and white-matter signals', 'the six head-motion parameters']
    """
    left = dict(columns)
    phrases = _signals(left)
    for bases, words in _MOTION:
        expansion = _expansion(left, bases)
        if expansion:
            _take(left, bases, expansion)
            phrases.append(words + EXPANSIONS[expansion])
    for pattern, noun in _FAMILIES:
        of_family = [name for name in left if re.fullmatch(pattern, name)]
        if of_family:
            in_all = all(left[name] >= n_runs for name in of_family)
            phrases.append(("" if in_all else "up to ") + counted(len(of_family), noun))
            for name in of_family:
                del left[name]
    phrases += [_SINGLE[name] for name in left if name in _SINGLE]
    others = [name for name in left if name not in _SINGLE]
    if others:
        phrases.append(f"the confound{'' if len(others) == 1 else 's'} {_and(others)}")
    return phrases


def _signals(left: dict[str, int]) -> list[str]:
    """Name the mean signals, those with the same expansion together, and take them out of ``left``."""
    by_expansion: dict[str, list[str]] = {}
    for base in _SIGNALS:
        expansion = _expansion(left, (base,))
        if expansion:
            by_expansion.setdefault(expansion, []).append(base)
    phrases = []
    for expansion, bases in by_expansion.items():
        _take(left, bases, expansion)
        several = len(bases) > 1
        expanded = EXPANSIONS[expansion] if several else EXPANSIONS[expansion].replace("their", "its")
        mean = "" if bases == ["global_signal"] else "mean "
        phrases.append(f"the {mean}{_and([_SIGNALS[base] for base in bases])} signal{'s' if several else ''}{expanded}")
    return phrases


def _expansion(names: Mapping[str, int], bases: Sequence[str]) -> str | None:
    """Return by which expansion all bases are there, None where none of them describes all."""
    every = set(_SUFFIXES["full"])
    there = {frozenset(suffix for suffix in every if base + suffix in names) for base in bases}
    return next((key for key, suffixes in _SUFFIXES.items() if there == {frozenset(suffixes)}), None)


def _take(left: dict[str, int], bases: Sequence[str], expansion: str) -> None:
    for base in bases:
        for suffix in _SUFFIXES[expansion]:
            del left[base + suffix]


def _and(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last

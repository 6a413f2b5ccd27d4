"""What speaks against taking the result of a contrast as it stands: motion, collinearity, single runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sphereconn.draw.contrast_words import compared, direction
from sphereconn.infer.formula import INTERCEPT
from sphereconn.words import counted, listed, number, shortened

LARGE_DIFFERENCE = 0.5  # between groups, in standard deviations within them; docs/methods.md
COLLINEAR = 5.0  # variance inflation factor
MOST_WEIGHT = 0.5  # of what is tested
LITTLE_WEIGHT = 0.1
N_NAMED = 3  # runs


def doubts(sidecar: Mapping[str, Any], alike: Collection[str] = ()) -> list[str]:
    """Return what is to worry about in a contrast, beside the runs that are not used, each in a few sentences.

    Parameters
    ----------
    sidecar
        Of the contrast, or of one of maps.
    alike
        Parts of the names of runs that all runs of the study share, which are not repeated.
    """
    motion = with_motion(sidecar) if _is_of_motion(sidecar) else ""
    found = [motion, collinear(sidecar), decided_by_runs(sidecar, alike), not_tested(sidecar)]
    return [words for words in found if words]


def beside_the_result(sidecar: Mapping[str, Any], alike: Collection[str] = ()) -> str:
    """Return what is to be known beside the result of a contrast: its doubts, and motion even where it is none."""
    motion = with_motion(sidecar)
    return " ".join([*([motion] if motion else []), *(words for words in doubts(sidecar, alike) if words != motion)])


def with_motion(sidecar: Mapping[str, Any]) -> str:
    """Return how head motion goes together with what a contrast tests, as sentences; "" where that is not known.

    Parameters
    ----------
    sidecar
        Of the contrast.
    """
    motion = sidecar["WithMotion"]
    if motion is None:
        return ""
    sizes = [f"partial r = {number(motion['PartialR'])}", f"p = {motion['P']:.2g}"]
    if sidecar["Statistic"] == "F":
        differs = "depends on what is tested" if _significant(sidecar) else "may depend on what is tested"
    else:
        differs = direction(sidecar, 1, motion["Effect"] > 0)
        if _compares_groups(sidecar):
            sizes.insert(0, f"{number(motion['StandardizedEffect'])} standard deviations")
        sizes.insert(0, f"{number(motion['Effect'], '.2g')} mm")
    said = f"Head motion (mean framewise displacement) {differs} ({', '.join(sizes)})"
    if not _is_of_motion(sidecar):
        return f"{said}: not significant."
    if not _significant(sidecar):
        said += ": not significant, but large"
    inflation = _inflation(sidecar)
    if not motion["InModel"]:
        so = (
            "Its model does not adjust for motion, so what it finds may be due to motion;"
            " add mean_framewise_displacement to the model to see what remains."
        )
    elif inflation < COLLINEAR:
        so = (
            "Its model adjusts for motion, which costs precision: the variance inflation factor of what is tested is"
            f" {inflation:.1f}."
        )
    else:
        so = "Its model adjusts for motion."
    return f"{said}. {so}"


def _significant(sidecar: Mapping[str, Any]) -> bool:
    return bool(sidecar["WithMotion"]["P"] <= sidecar["Settings"]["level"])


def _compares_groups(sidecar: Mapping[str, Any]) -> bool:
    """Say whether the sign of an effect says which of some levels is higher."""
    test = sidecar["Settings"]["test"]
    of_levels = not isinstance(test, list) and test != INTERCEPT and not sidecar["Settings"]["groups"]
    return sidecar["Statistic"] != "F" and of_levels and compared(test, sidecar["Levels"]) is not None


def _is_of_motion(sidecar: Mapping[str, Any]) -> bool:
    """Say whether what is tested goes together with motion: significantly, or as a large difference of groups."""
    motion = sidecar["WithMotion"]
    if motion is None:
        return False
    large = _compares_groups(sidecar) and abs(motion["StandardizedEffect"]) > LARGE_DIFFERENCE
    return large or _significant(sidecar)


def _inflation(sidecar: Mapping[str, Any]) -> float:
    """Return the largest variance inflation factor of the columns that are tested."""
    tested = {
        name for row in sidecar["Contrast"] for name, weight in zip(sidecar["Columns"], row, strict=True) if weight
    }
    return max((sidecar["VarianceInflation"].get(column, 1.0) for column in tested), default=1.0)


def collinear(sidecar: Mapping[str, Any]) -> str:
    """Return that what is tested can hardly be told from other columns of the model; "" where it can."""
    inflation = _inflation(sidecar)
    if inflation < COLLINEAR:
        return ""
    return (
        "What is tested is strongly collinear with other columns of the model (variance inflation factor"
        f" {inflation:.1f}): the absence of an effect is not informative."
    )


def decided_by_runs(sidecar: Mapping[str, Any], alike: Collection[str] = ()) -> str:
    """Return which runs the model follows almost alone, and what they weigh in the test; "" where there are none."""
    high = sidecar["HighLeverage"]
    if not high:
        return ""
    named = [
        f"{shortened(run, alike)} (leverage {of['Leverage']:.3f},"
        f" {100 * of['ShareOfTest']:.0f} % of the weight in what is tested)"
        for run, of in high.items()
    ]
    weight, one = sum(of["ShareOfTest"] for of in high.values()), len(high) == 1
    said = f"The model follows {'one run' if one else f'{len(high):,} runs'} almost exactly: {listed(named, N_NAMED)}."
    if weight > MOST_WEIGHT:
        these = "this run; repeat the contrast without it" if one else "these runs; repeat the contrast without them"
        return f"{said} The result rests mostly on {these}."
    if weight < LITTLE_WEIGHT:
        return f"{said} {'It hardly contributes' if one else 'They hardly contribute'} to the test."
    return said


def not_tested(sidecar: Mapping[str, Any]) -> str:
    """Return how many edges were not tested; "" where all were."""
    n = sidecar.get("EdgesNotTested", 0)  # maps have none
    if not n:
        return ""
    return (
        f"{counted(n, 'edge')} {'was' if n == 1 else 'were'} not tested because nodes had no signal in too many runs."
    )

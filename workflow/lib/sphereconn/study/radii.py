"""Seed sets with several radii: each radius is a seed set of its own, and the name of the whole means all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sphereconn.errors import InputError
from sphereconn.study import names

Settings = Mapping[str, Any]


def labels_by_radius(seed_sets: Mapping[str, Settings], source: str) -> dict[str, dict[str, float]]:
    """Return the labels of the seed sets that lists of radii make, with their radii in mm, in ascending order.

    Parameters
    ----------
    seed_sets
        As the configuration has them, by label; those with a single radius are passed over.
    source
        What to call the configuration in messages.

    Returns
    -------
    dict of str to dict of str to float
        For each seed set with a list of radii, label (``names.seed_set_of_radius``) -> radius.

    Raises
    ------
    InputError
        When such a label is that of another seed set; capitals do not count, as on many disks.
    """
    found = {
        label: {names.seed_set_of_radius(label, radius): radius for radius in sorted(seed_set["radius"])}
        for label, seed_set in seed_sets.items()
        if isinstance(seed_set["radius"], list)
    }
    taken = {label.casefold(): label for label in seed_sets}
    for label, of_label in found.items():
        for made, radius in of_label.items():
            other = taken.setdefault(made.casefold(), label)
            if other != label:
                raise InputError(
                    f"{source}: seed_sets.{label}: the seed set of its radius of {radius:g} mm would be called"
                    f" '{made}', and the results of '{other}' would have the same names; rename one of the two."
                )
    return found


def radii_apart(settings: Settings, of_lists: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Return the settings of a study in which each radius of a list is a seed set.

    Wherever a key names seed sets, the name of one with a list of radii stands for all of them. Figure settings of the
    whole hold for each radius, and those of a single radius come before them.

    Parameters
    ----------
    settings
        All settings of the study, complete.
    of_lists
        What ``labels_by_radius`` gives for them.
    """
    apart = {**settings, "seed_sets": dict(_each_radius(settings["seed_sets"], of_lists))}
    for key in ("contrasts", "maps"):
        apart[key] = {label: _naming_each(entry, of_lists) for label, entry in settings[key].items()}
    if settings["connectomes"] != "all":
        apart["connectomes"] = [_naming_each(entry, of_lists) for entry in settings["connectomes"]]
    if settings["reliability"]:
        apart["reliability"] = _naming_each(settings["reliability"], of_lists)
    figures = settings["figures"]
    apart["figures"] = {**figures, "seed_sets": _figures_of_each(figures["seed_sets"], of_lists)}
    return apart


def _each_radius(
    seed_sets: Mapping[str, Settings], of_lists: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[str, Settings]]:
    for label, seed_set in seed_sets.items():
        if label in of_lists:
            yield from ((made, {**seed_set, "radius": radius}) for made, radius in of_lists[label].items())
        else:
            yield label, seed_set


def _naming_each(entry: Settings, of_lists: Mapping[str, Mapping[str, float]]) -> Settings:
    """Name each radius where an entry names a seed set with several."""
    if "seed_sets" not in entry:
        return entry
    named = (each for label in entry["seed_sets"] for each in of_lists.get(label, (label,)))
    return {**entry, "seed_sets": list(dict.fromkeys(named))}


def _figures_of_each(
    exceptions: Mapping[str, Settings], of_lists: Mapping[str, Mapping[str, float]]
) -> dict[str, Settings]:
    apart = {label: kinds for label, kinds in exceptions.items() if label not in of_lists}
    for label, of_label in of_lists.items():
        of_all: Settings = exceptions.get(label, {})
        for made in of_label if of_all else ():
            own = apart.get(made, {})
            apart[made] = {key: {**of_all.get(key, {}), **own.get(key, {})} for key in sorted({*of_all, *own})}
    return dict(sorted(apart.items()))

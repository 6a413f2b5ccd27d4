"""One colour for a network, whatever the atlas that it comes from calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Found by a search for the largest smallest distance (CIELAB) within the set and to NO_NETWORK_COLOUR, under normal,
# protan, deutan and tritan vision; their lightness runs from 13 to 83, so that neighbours differ in grey print, too.
COLOURS = (
    "#2d78f0", "#d28700", "#870069", "#2de1ff", "#5a3c1e", "#a5d296", "#9678b4", "#f0785a",
    "#5a6900", "#d20f5a", "#e1d25a", "#4b2d96", "#5ab4ff", "#3c8778", "#8c00ff", "#520029",
)  # fmt: skip
NO_NETWORK_COLOUR = "#b8b8b8"
NO_NETWORK = frozenset({"", "n/a", "none", "unassigned", "uncertain"})

# Colour -> names of a network in the atlases of Power, Dosenbach, Seitzman, Gordon, Yeo and Schaefer, and in short.
_CALLED = {
    "#2d78f0": "default mode, default, dmn",
    "#d28700": "frontoparietal, frontoparietal control, control, cont, fpn, executive control, ecn, cen",
    "#870069": "cingulo-opercular, cingulo opercular, cinguloopercular, con, action mode",
    "#2de1ff": "somatomotor, sensorimotor, somatomotor hand, somatomotor dorsal, sommot, smn, smhand",
    "#5a3c1e": "salience, sal, sn",
    "#a5d296": "dorsal attention, dorsattn, dan",
    "#9678b4": "auditory, aud",
    "#f0785a": "somatomotor mouth, somatomotor lateral, smmouth",
    "#5a6900": "visual, occipital, vis",
    "#d20f5a": "ventral attention, salience ventral attention, salventattn, ventattn, van",
    "#e1d25a": "cerebellar, cerebellum, cb",
    "#4b2d96": "subcortical, sub, basal ganglia",
    "#5ab4ff": "memory retrieval, parieto medial, parietal memory, pmn",
    "#3c8778": "medial temporal lobe, medial temporal, mtl",
    "#8c00ff": "reward, rew",
    "#520029": "limbic",
}
_COLOUR_OF = {re.sub(r"[^a-z]", "", name): colour for colour, names in _CALLED.items() for name in names.split(",")}


def network_colours(networks: Iterable[str]) -> dict[str, str]:
    """Return the colour of each network: that of the table by any of its names, else one that the others leave.

    A known network has the same colour in every atlas; capitals, spaces, hyphens and the word "network" play no part.
    Names that the table does not have take the colours that no known network of the set has, in the order of the
    names, and all colours again when these are used up.
    """
    names = sorted(set(networks), key=lambda name: (name.lower(), name))
    found = {name: _COLOUR_OF.get(_plain(name)) for name in names}
    known = set(found.values())
    free = [colour for colour in COLOURS if colour not in known]
    others = [name for name in names if found[name] is None and name.lower() not in NO_NETWORK]
    order = (free + list(COLOURS) * (1 + len(others) // len(COLOURS)))[: len(others)]
    given = dict(zip(others, order, strict=True))
    return {name: found[name] or given.get(name, NO_NETWORK_COLOUR) for name in names}


def _plain(name: str) -> str:
    letters = re.sub(r"[^a-z]", "", name.lower())
    return letters.removesuffix("network")

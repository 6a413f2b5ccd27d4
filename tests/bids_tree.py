"""A tree of BIDS derivatives as fMRIPrep names it; the files are empty but for the sidecars."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

# The order of entities in a name.
ORDER = ("sub", "ses", "task", "acq", "ce", "rec", "dir", "run", "echo", "part", "recording", "space", "cohort", "res")
SPACE = "MNI152NLin2009cAsym"
MISSING = object()


def stem(entities: Mapping[str, str], *without: str) -> str:
    """Join entities in the order of BIDS, those that are not known to it at the end."""
    ordered = sorted(entities, key=lambda entity: (ORDER.index(entity) if entity in ORDER else len(ORDER), entity))
    return "_".join(f"{entity}-{entities[entity]}" for entity in ordered if entity not in without)


def add_run(
    root: Path,
    sub: str,
    spaces: Sequence[str] = (SPACE,),
    *,
    confounds: str | None = "timeseries",
    mask: bool = True,
    sidecar: object = MISSING,
    extension: str = ".nii.gz",
    **entities: str,
) -> Path:
    """Add the outputs of one run in some spaces; give its folder.

    A space is "" for that of the run itself, or its label, with others behind colons: "MNI152NLin6Asym:res-2".
    ``confounds`` is the suffix of the table, None for none; ``sidecar`` what the sidecar of the image says, None for no
    sidecar.
    """
    source = {"sub": sub, **entities}
    folder = root / f"sub-{sub}" / (f"ses-{entities['ses']}" if "ses" in entities else "") / "func"
    folder.mkdir(parents=True, exist_ok=True)
    for space in spaces:
        name, *others = space.split(":")
        form = source | ({"space": name} if name else {}) | dict(other.split("-") for other in others)
        (folder / f"{stem(form)}_desc-preproc_bold{extension}").touch()
        (folder / f"{stem(form)}_boldref{extension}").touch()
        if mask:
            (folder / f"{stem(form)}_desc-brain_mask{extension}").touch()
            (folder / f"{stem(form)}_desc-brain_mask.json").write_text("{}")
        if sidecar is not None:
            said = {"RepetitionTime": 2.0, "SkullStripped": False} if sidecar is MISSING else sidecar
            (folder / f"{stem(form)}_desc-preproc_bold.json").write_text(json.dumps(said))
    if confounds:
        (folder / f"{stem(source)}_desc-confounds_{confounds}.tsv").touch()
        (folder / f"{stem(source)}_desc-confounds_{confounds}.json").write_text("{}")
    return folder


def add_clutter(root: Path, sub: str) -> None:
    """Add what else fMRIPrep writes for a subject: anatomy, figures, transforms, reports."""
    anat, figures = root / f"sub-{sub}" / "anat", root / f"sub-{sub}" / "figures"
    for folder in (anat, figures):
        folder.mkdir(parents=True, exist_ok=True)
    for suffix in ("desc-preproc_T1w", "desc-brain_mask", "dseg", "label-GM_probseg", "label-WM_probseg"):
        for space in ("", f"_space-{SPACE}"):
            (anat / f"sub-{sub}{space}_{suffix}.nii.gz").touch()
            (anat / f"sub-{sub}{space}_{suffix}.json").touch()
    (anat / f"sub-{sub}_from-T1w_to-{SPACE}_mode-image_xfm.h5").touch()
    for hemisphere in "LR":
        (anat / f"sub-{sub}_hemi-{hemisphere}_pial.surf.gii").touch()
    (figures / f"sub-{sub}_task-rest_desc-carpetplot_bold.svg").touch()
    (root / f"sub-{sub}.html").touch()

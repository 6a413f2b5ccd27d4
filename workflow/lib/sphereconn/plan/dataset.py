"""What the folder of results says of itself, as a data set of BIDS derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sphereconn import provenance

BIDS_VERSION = "1.11.1"

# What BIDS 1.11 has no names for: signals of regions and connectomes (its proposals 12, 17 and 38), groups, figures.
# Patterns are those of .gitignore; behind the name of a folder a slash would leave the folder itself in.
NOT_IN_BIDS = (
    "*_atlas-*",
    "*.html",
    "figures",
    "group",
    "logs",
    "records",
    "seeds",
    "runs.tsv",
    "runs_left_out.tsv",
    "study.json",
)


def description(title: str) -> dict[str, Any]:
    """Return the content of ``dataset_description.json`` for a study of this title."""
    return {
        "Name": title,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": provenance.NAME, "Version": provenance.software()[provenance.NAME]}],
    }


def ignored() -> str:
    """Return the content of ``.bidsignore``: what a validator is to pass over."""
    return "".join(f"{pattern}\n" for pattern in NOT_IN_BIDS)


def readme(settings: Mapping[str, Any]) -> str:
    """Return the README of the data set.

    Parameters
    ----------
    settings
        The complete configuration of the study.
    """
    labels = {
        "seed sets": settings["seed_sets"],
        "denoisings": settings["denoising"],
        "estimators": settings["estimators"],
        "contrasts": settings["contrasts"],
    }
    chosen = "\n".join(f"- {what}: {', '.join(sorted(of))}" for what, of in labels.items() if of)
    return f"""# {settings["title"]}

Made by {provenance.NAME} {provenance.software()[provenance.NAME]}. `study.json` has the complete settings.

{chosen}

| where | what |
|---|---|
| `sub-*/` | of each run: signals of the spheres (`timeseries`), nodes, connectomes (`relmat`, `edges` for NumPy) |
| `group/` | means over groups, contrasts, the edges of all runs in one array (`stack`), quality of all runs |
| `*/figures/` | figures and interactive pages |
| `report.html`, `sub-*.html` | all of it on one page, and a page of each subject with quality sheets of its runs |
| `records/` | what each result was made of; `logs/` has a log of each job |

Each result has a JSON sidecar that says what was done. In a name, `atlas-` is the seed set, `desc-` the denoising,
`meas-` the estimator and `stat-` the statistic. In Python:

    from sphereconn import read_study
    study = read_study("path/of/this/folder")

The names follow BIDS derivatives. BIDS {BIDS_VERSION} does not know connectomes and signals of regions yet:
`.bidsignore` lists what a validator passes over.
"""

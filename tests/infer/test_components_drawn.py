"""What figures mark as a significant component is what the table of components and the text say."""

import numpy as np
import pytest

from sphereconn.infer import contrast as c
from sphereconn.infer.tables import components_drawn

N_NODES, N_RUNS, LEVEL = 12, 20, 0.05
SETTINGS = {
    "model": "age",
    "test": "age",
    "factors": [],
    "paired": None,
    "groups": None,
    "runs": {},
    "weights": None,
    "variances": "equal",
    "tests": ["edges", "components"],
    "component_p": [0.01, 0.001],
    "permutations": 399,
    "seed": 1,
    "least_share": 0.5,
    "level": LEVEL,
}


def planted(slope, pairs):
    """Return the edges of runs that depend on age where pairs of nodes say so."""
    rng = np.random.default_rng(3)
    age = np.arange(N_RUNS, dtype=float)
    rows, columns = np.triu_indices(N_NODES, 1)
    effect = np.array([slope * ((one, other) in pairs) for one, other in zip(rows, columns, strict=True)])
    runs = [{"name": f"sub-{number}", "subject": f"{number}", "age": str(value)} for number, value in enumerate(age)]
    return runs, rng.normal(0, 1, (N_RUNS, len(rows))) + np.outer((age - age.mean()) / age.std(), effect)


@pytest.mark.parametrize(
    ("slope", "pairs", "n_drawn"),
    [
        (2.0, {(0, 1), (1, 2), (2, 3), (0, 3)}, 1),  # strong: significant at both thresholds
        (1.0, {(0, other) for other in range(1, 12)}, 1),
        (3.0, {(0, 1), (1, 2), (0, 2), (6, 7), (7, 8), (6, 8)}, 2),
        (3.0, {(0, 1)}, 0),  # an edge alone is no component
        (0.0, set(), 0),
    ],
)
def test_edges_of_the_components_of_the_table_are_those_that_are_marked(slope, pairs, n_drawn):
    runs, values = planted(slope, pairs)
    model = c.contrast_model(runs, SETTINGS)
    shuffles = c.shuffles_of(model, SETTINGS)
    null = c.shuffle(values, model, shuffles, c.collected_of(model, None, SETTINGS), range(1, 400), SETTINGS)
    tested = c.results_of(values, model, None, SETTINGS, null)
    names = [f"node {number:02d}" for number in range(N_NODES)]
    table = [
        dict(zip(c.COMPONENT_COLUMNS, map(str, row), strict=True))
        for row in c.component_rows(tested, names, model, SETTINGS, null, shuffles)
    ]
    drawn = components_drawn(table, LEVEL)
    marks = c.marks_of(tested, model, SETTINGS, null, shuffles)
    assert len(drawn) == n_drawn
    rows, columns = np.triu_indices(N_NODES, 1)
    if not drawn:
        assert not (marks == 1).any()
        return
    members = {name for row in drawn for name in row["members"].split("; ")}
    beyond = np.abs(tested.statistics.statistic) > float(drawn[0]["threshold"])
    within = np.array([{names[one], names[other]} <= members for one, other in zip(rows, columns, strict=True)])
    assert sum(int(row["edges"]) for row in drawn) == (beyond & within).sum()
    assert (marks[beyond & within] > 0).all() and not (marks[~(beyond & within)] == 1).any()

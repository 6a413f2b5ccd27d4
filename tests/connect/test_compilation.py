"""Machine code: the same numbers from what a process has compiled itself and from what it has found compiled."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from sphereconn import compile_all

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
FIT = """
import numpy as np
from sphereconn.connect.graphical_lasso import graphical_lasso
from sphereconn.connect.group_sparse import group_sparse_covariance
x = np.random.default_rng(0).standard_normal((3, 60, 40))
S = np.array([np.corrcoef(of_run.T) for of_run in x])
print(graphical_lasso(S[0], 0.05).precision.tobytes().hex())
print(group_sparse_covariance(S, [60, 60, 60], 0.1).precisions.tobytes().hex())
"""


def names_of(decorator, tree):
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and decorator in {ast.unparse(item) for item in node.decorator_list}
    }


MODULES = [path for path in LIBRARY.rglob("*.py") if "@compiled" in path.read_text()]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_compiled_functions_call_is_inlined_and_nothing_else(path):
    tree = ast.parse(path.read_text())
    compiled, inlined = names_of("compiled", tree), names_of("inlined", tree)
    for function in tree.body:
        called = {
            node.func.id
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        if isinstance(function, ast.FunctionDef) and function.name in compiled | inlined:
            assert not called & compiled, function.name
        else:
            assert not called & inlined, ast.unparse(function)[:60]


def test_whatever_is_compiled_is_compiled_when_the_tool_is_set_up():
    names = {".".join(path.relative_to(LIBRARY / "sphereconn").with_suffix("").parts) for path in MODULES}
    assert names == {*compile_all.MODULES}
    compile_all.compile_all()
    for name in compile_all.MODULES:
        module = sys.modules[f"sphereconn.{name}"]
        functions = names_of("compiled", ast.parse(Path(module.__file__).read_text()))
        assert all(getattr(module, function).signatures for function in functions), name


def test_the_first_fit_of_a_new_installation_is_that_of_all_later_ones(tmp_path):
    def fit():
        command = [sys.executable, "-P", "-c", FIT]
        environment = {"PYTHONPATH": str(LIBRARY), "NUMBA_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    assert fit() == fit()

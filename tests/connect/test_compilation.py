import os
import subprocess
import sys
from pathlib import Path

import sphereconn

LIBRARY = Path(sphereconn.__file__).parents[1]
MODULE = """
from sphereconn.connect.compilation import compiled

@compiled
def total(n: int) -> float:
    value = 0.0
    for i in range(n):
        value += i
    return value

if __name__ == "__main__":
    print(total(5), sum(total.stats.cache_hits.values()), sum(total.stats.cache_misses.values()))
"""


def start(module, **environment):
    known = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA")}
    return subprocess.Popen(
        [sys.executable, module],
        env=known | {"PYTHONPATH": str(LIBRARY)} | {key: str(value) for key, value in environment.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    result, hits, misses = output.split()
    assert float(result) == 10
    return int(hits), int(misses)


def write_module(folder):
    folder.mkdir()
    path = folder / "sums.py"
    path.write_text(MODULE)
    return path


def forbid_cache_beside(module):
    # A file where the folder should be: nothing can be written there, not even by an administrator.
    (module.parent / "__pycache__").write_text("")


def test_the_second_process_finds_the_code_of_the_first(tmp_path):
    module = write_module(tmp_path / "package")
    assert finish(start(module)) == (0, 1)
    assert finish(start(module)) == (1, 0)


def test_a_read_only_package_is_cached_in_the_user_s_folder_or_where_numba_cache_dir_says(tmp_path):
    module = write_module(tmp_path / "package")
    forbid_cache_beside(module)
    for place in ({"XDG_CACHE_HOME": tmp_path / "user"}, {"NUMBA_CACHE_DIR": tmp_path / "chosen"}):
        assert finish(start(module, **place)) == (0, 1)
        assert finish(start(module, **place)) == (1, 0)
        assert list(next(iter(place.values())).rglob("*.nbc"))


def test_without_any_folder_to_write_to_the_code_still_runs(tmp_path):
    module = write_module(tmp_path / "package")
    forbid_cache_beside(module)
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    for _ in range(2):
        assert finish(start(module, XDG_CACHE_HOME=nowhere, HOME=nowhere)) == (0, 1)


def test_processes_that_compile_at_once_do_not_disturb_each_other(tmp_path):
    module = write_module(tmp_path / "package")
    processes = [start(module) for _ in range(4)]
    for process in processes:
        finish(process)
    assert finish(start(module)) == (1, 0)

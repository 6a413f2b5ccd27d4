"""The folder of the results: what may be written and removed there, whose it is, and who is there now."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sphereconn.errors import InputError
from sphereconn.files import write_rows
from sphereconn.job import logged
from sphereconn.ledger import Writer
from sphereconn.plan.orphans import left_over, listed, orphans, remove
from sphereconn.plan.products import results
from sphereconn.study.folder import LOCK, MARK, Origin, check_folder, take_folder
from sphereconn.study.study import resolve_study

ROOT = Path(__file__).parents[2]
TIMES = count(10**6)  # no two runs of a study write the same
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"


class Place:
    """A folder where a person works, with data and configurations: ``study.yaml`` and copies of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "data").mkdir(parents=True)
        (root / "data" / "runs.tsv").write_text("subject\tbold\n01\ta.nii.gz\n02\tb.nii.gz\n")
        for name in ("a", "b"):
            (root / "data" / f"{name}.nii.gz").write_text("an image")
        self.configure()

    def configure(self, name: str = "study.yaml", **changes) -> None:
        """Write a configuration."""
        config = {
            "output_dir": str(self.root / "results"),
            "runs": str(self.root / "data" / "runs.tsv"),
            "seed_sets": {"dmn": {"seeds": "dmn", "radius": 8}},
            "denoising": {"plain": {}},
            "figures": {"kinds": []},
            "estimators": {"full": {"kind": "correlation"}, "partial": {"kind": "partial correlation"}},
        }
        (self.root / name).write_text(yaml.safe_dump({**config, **changes}))

    def read(self, name: str = "study.yaml"):
        """Read the study of a configuration, as a job does: the images are none, and nobody looks into them."""
        config = yaml.safe_load((self.root / name).read_text())
        return resolve_study(config, SCHEMA, ROOT / "resources", name, main_process=False)

    def origin(self, name: str = "study.yaml", **others) -> Origin:
        """Say where a study comes from."""
        return Origin((str(self.root / name),), str(ROOT), **others)

    def check(self, name: str = "study.yaml", **others) -> None:
        """Ask whether the study may write where it wants to."""
        check_folder(self.read(name), self.origin(name, **others), name)

    def run(self, name: str = "study.yaml", **others) -> None:
        """Run a study, as far as its files go: every result and log is written as the scripts write them."""
        study = self.read(name)
        check_folder(study, self.origin(name, **others), name)
        lock = take_folder(study, self.origin(name, **others), name)
        writer, time = Writer(study.output_dir), str(next(TIMES))
        for result in sorted(results(study)):
            with logged(f"{study.output_dir}/logs/step/{result}.log"):
                write_rows(f"{study.output_dir}/{result}", ["result", "time"], [[result, time]])
            writer.add("settings", [], {}, [f"{study.output_dir}/{result}"])
        if lock:
            lock.close()

    def remove_orphans(self, name: str = "study.yaml") -> list[str]:
        """Remove what the configuration does not ask for any more."""
        study = self.read(name)
        check_folder(study, self.origin(name), name)
        return list(remove(study.output_dir, orphans(study)))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "work")


def files_of(root):
    """All files and links below a folder, with what they hold."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*files, *folders):
            path = Path(folder, name)
            if path.is_symlink():
                found[path] = os.readlink(path)
            elif path.is_file():
                found[path] = path.read_bytes()
    return found


# --- where results may be written


def is_refused(place, sentence, **changes):
    """The study must be refused, and nothing be written."""
    place.configure(**changes)
    before = files_of(place.root)
    with pytest.raises(InputError, match=sentence):
        place.check()
    assert files_of(place.root) == before


@pytest.mark.parametrize("output_dir", [".", "..", "/", "./", "a/..", str(Path.cwd())])
def test_a_folder_that_holds_the_working_directory_is_refused(place, output_dir):
    is_refused(place, "contains the working directory; choose a separate folder", output_dir=output_dir)


def test_the_home_directory_is_refused(place, monkeypatch):
    home = place.root / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    is_refused(place, "contains the home directory", output_dir="~")
    is_refused(place, "contains the home directory", output_dir=str(home / ".." / "home"))
    place.configure(output_dir="~/results")
    place.run()
    assert (home / "results" / MARK).exists()


@pytest.mark.parametrize("name", ["workflow", "scripts", "resources/new", ".ci", ".venv/x", "docs", "tests/a/b"])
def test_the_workflows_own_folders_are_refused(place, name):
    is_refused(place, "lies in the workflow's own folder", output_dir=str(ROOT / name))


def test_folders_of_a_persons_are_refused(place):
    is_refused(place, "contains an input of the study, .*a.nii.gz", output_dir=str(place.root / "data"))
    is_refused(place, "contains the configuration", output_dir=str(place.root))
    other = place.root / "other"
    (other / ".git").mkdir(parents=True)
    is_refused(place, r"is a repository \(.git is in it\)", output_dir=str(other))
    is_refused(place, "lies in a folder .git", output_dir=str(other / ".git" / "new"))
    shutil.rmtree(other / ".git")
    (other / "thesis.tex").write_text("precious")
    is_refused(place, r"a folder with other files \(found: thesis.tex\); choose a new or", output_dir=str(other))
    (place.root / "linked").symlink_to(other)
    is_refused(place, "a folder with other files", output_dir=str(place.root / "linked"))
    (other / "thesis.tex").unlink()
    place.configure(output_dir=str(place.root / "linked"))
    place.run()
    assert (other / MARK).exists()


@pytest.mark.parametrize("description", [{"Name": "raw"}, {"GeneratedBy": [{"Name": "fMRIPrep"}]}, {"GeneratedBy": 1}])
def test_the_folder_of_another_data_set_is_refused(place, description):
    (place.root / "other").mkdir()
    (place.root / "other" / "dataset_description.json").write_text(json.dumps(description))
    is_refused(place, "is another data set", output_dir=str(place.root / "other"))
    with pytest.raises(InputError, match="is another data set"):
        place.check(take_over=True)


def test_an_input_that_is_a_link_into_the_folder_or_out_of_it_is_refused(place):
    results = place.root / "results"
    place.run()
    (place.root / "data" / "a.nii.gz").rename(results / "a.nii.gz")
    (place.root / "data" / "a.nii.gz").symlink_to(results / "a.nii.gz")
    is_refused(place, "contains an input of the study")
    (place.root / "data" / "a.nii.gz").unlink()
    (results / "a.nii.gz").rename(place.root / "data" / "a.nii.gz")
    (results / "linked.nii.gz").symlink_to(place.root / "data" / "a.nii.gz")
    (place.root / "data" / "runs.tsv").write_text("subject\tbold\n01\t../results/linked.nii.gz\n")
    is_refused(place, "contains an input of the study")


def test_results_within_the_results_of_a_study_are_refused(place):
    place.run()
    is_refused(place, "lies in the results of a study", output_dir=str(place.root / "results" / "inner"))


@pytest.mark.parametrize("linked", ["sub-01", "sub-01/func", "group", "logs", "logs/step/sub-01", "records"])
def test_a_link_that_would_lead_the_writing_elsewhere_is_refused(place, linked):
    place.run()
    path = place.root / "results" / linked
    shutil.move(path, place.root / "elsewhere")
    path.symlink_to(place.root / "elsewhere")
    is_refused(place, "is a link to")


def test_a_log_is_never_written_through_a_link(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "link.log").symlink_to(tmp_path / "precious")
    os.link(tmp_path / "precious", tmp_path / "hard.log")
    for name in ("link.log", "hard.log"):
        with logged(str(tmp_path / name)):
            print("said")
        assert (tmp_path / name).read_text() == "said\n"
    assert (tmp_path / "precious").read_text() == "precious"


# --- whose results they are


def test_edits_a_new_name_another_place_and_copies_are_the_same_study(place, tmp_path):
    place.run()
    place.configure(
        seed_sets={"power": {"seeds": "power264", "radius": 5}}, estimators={"full": {"kind": "correlation"}}
    )
    place.run()  # edits
    (place.root / "study.yaml").rename(place.root / "renamed.yaml")
    place.run("renamed.yaml")
    (place.root / "deep" / "er").mkdir(parents=True)
    (place.root / "renamed.yaml").rename(place.root / "deep" / "er" / "study.yaml")
    place.run("deep/er/study.yaml")
    shutil.copy(place.root / "deep" / "er" / "study.yaml", place.root / "copy.yaml")
    place.run("copy.yaml")
    place.configure("copy.yaml", output_dir=str(place.root / "backup"))
    shutil.copytree(place.root / "results", place.root / "backup")
    place.run("copy.yaml")  # a copy of the results
    both = Origin((str(place.root / "copy.yaml"), str(place.root / "more.yaml")), str(ROOT))
    check_folder(place.read("copy.yaml"), both, "config")  # a second file that adds to the first
    shutil.copytree(place.root, tmp_path / "moved")  # all of it, while the first is still there
    moved = yaml.safe_load((tmp_path / "moved" / "copy.yaml").read_text())
    moved.update(output_dir=str(tmp_path / "moved" / "backup"), runs=str(tmp_path / "moved" / "data" / "runs.tsv"))
    (tmp_path / "moved" / "copy.yaml").write_text(yaml.safe_dump(moved))
    study = resolve_study(moved, SCHEMA, ROOT / "resources", "copy.yaml", main_process=False)
    check_folder(study, Origin((str(tmp_path / "moved" / "copy.yaml"),), str(ROOT)), "copy.yaml")


def test_another_study_with_the_same_folder_is_refused_until_the_user_says_that_it_is_the_same(place):
    place.run()
    place.configure("other.yaml", seed_sets={"power": {"seeds": "power264", "radius": 5}})
    before = files_of(place.root)
    for act in (place.check, place.run, place.remove_orphans):
        with pytest.raises(InputError, match=r"the results of another study, of .*study.yaml; .* take_over=true"):
            act("other.yaml")
    assert files_of(place.root) == before
    place.run("other.yaml", take_over=True)
    place.check("other.yaml")
    with pytest.raises(InputError, match=r"another study, of .*other.yaml"):
        place.check("study.yaml")


def test_another_study_is_refused_too_when_the_first_configuration_is_gone(place):
    place.run()
    (place.root / "study.yaml").unlink()
    (place.root / "data" / "more.tsv").write_text("subject\tbold\n03\tb.nii.gz\n")
    place.configure(
        "other.yaml", runs=str(place.root / "data" / "more.tsv"), estimators={"full": {"kind": "correlation"}}
    )
    with pytest.raises(InputError, match="the results of another study"):
        place.check("other.yaml")


def test_results_without_a_mark_are_taken_over_on_request_only(place):
    place.run()
    (place.root / "results" / "dataset_description.json").write_text('{"GeneratedBy": [{"Name": "sphereconn"}]}')
    for ruin in (Path.unlink, lambda path: path.write_text("")):
        ruin(place.root / "results" / MARK)
        with pytest.raises(InputError, match="no record of the study"):
            place.check()
        place.run(take_over=True)
        (place.root / "results" / "dataset_description.json").write_text('{"GeneratedBy": [{"Name": "sphereconn"}]}')
        place.check()


def test_a_run_that_ended_before_its_first_result_is_taken_up(place):
    (place.root / "results" / "records").mkdir(parents=True)
    (place.root / "results" / LOCK).write_text("")
    place.run()


# --- who writes there now


def test_two_runs_with_one_folder_exclude_each_other_until_the_first_has_died(place):
    script = (
        "import sys; sys.path[:0] = sys.argv[1:3]; from pathlib import Path; from study.test_folder import Place;"
        "place = Place.__new__(Place); place.root = Path(sys.argv[3]);"
        "from sphereconn.study.folder import take_folder;"
        "lock = take_folder(place.read(), place.origin(), 'study.yaml'); print('mine', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(ROOT / "tests"), str(ROOT / "workflow" / "lib"), str(place.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "mine\n"
        place.check()  # a dry run
        with pytest.raises(InputError, match=rf"is in use by another run \(process {first.pid} on .*\); .* delete"):
            place.run()
        (place.root / "results" / LOCK).rename(place.root / "kept")  # the user's way out
        place.run()
        (place.root / "kept").rename(place.root / "results" / LOCK)
        first.kill()
    place.run()  # nothing is left of a dead process


# --- what is removed


def test_only_what_was_made_here_and_is_as_it_was_made_is_removed(place):
    place.run()
    results = place.root / "results"
    made = files_of(results)
    (results / "group" / "notes.txt").write_text("precious")
    (results / "sub-01" / "func" / "sub-01_atlas-mine_meas-partial_desc-plain_relmat.tsv").write_text("precious")
    changed = results / "sub-01" / "func" / "sub-01_atlas-dmn_meas-partial_desc-plain_relmat.tsv"
    changed.write_text(changed.read_text().upper())  # of the same size
    linked = results / "sub-02" / "func" / "sub-02_atlas-dmn_meas-partial_desc-plain_relmat.tsv"
    shutil.move(linked, place.root / "data" / "kept.tsv")
    linked.symlink_to(place.root / "data" / "kept.tsv")
    place.configure(estimators={"full": {"kind": "correlation"}})
    study = place.read()
    found = orphans(study)
    told = left_over(study, found, "COMMAND")
    assert told[0].startswith(f"{results} has {len(found)} results (")
    assert told[-1] == "To list them all: COMMAND"
    assert all(orphan.path in "\n".join(listed(study, found, "COMMAND", removed=False)) for orphan in found)
    outside = files_of(place.root / "data")
    before = files_of(results)
    said = place.remove_orphans()
    gone = set(before) - set(files_of(results))
    assert gone == {path for path in made if "meas-partial" in path.name and "logs" not in path.parts} - {
        changed,
        linked,
    }
    assert [line for line in said if line.startswith("kept")] == [f"kept {changed}: it was changed after it was made"]
    assert files_of(place.root / "data") == outside
    assert any("kept, because" in line for line in listed(study, found, "COMMAND", removed=True))


def test_a_record_that_names_a_file_elsewhere_removes_nothing(place):
    place.run()
    precious = place.root / "data" / "precious.tsv"
    precious.write_text("precious")
    writer = Writer(str(place.root / "results"))
    writer.add("settings", [], {}, [str(precious)])  # its path in the folder begins with ..
    assert place.remove_orphans() == []
    assert precious.exists()


# --- over layouts

NAMES = st.sampled_from(["data", "results", "out", "sub-01", "func", "group", "logs", "records", "seeds", "deep"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
LAYOUTS = st.lists(st.tuples(st.sampled_from(["file", "folder", "link", "moved"]), PATHS, PATHS), max_size=8)


@settings(max_examples=30)
@given(LAYOUTS, PATHS, st.booleans())
@example([("link", "results/sub-01", "data")], "results", False)
@example([("link", "results", "data")], "results", False)
@example([("link", "results/records", "data")], "results", False)
@example([("link", "results/records/in_use", "data")], "results", True)
@example([("moved", "results/sub-01", "data/sub-01")], "results", True)
@example([("moved", "results/logs", "deep")], "results", True)
@example([("moved", "results/group", "out")], "results", True)
def test_no_call_writes_or_deletes_outside_its_own_results(tmp_path_factory, layout, output_dir, run_before):
    place = Place(tmp_path_factory.mktemp("layout") / "work")
    place.configure(output_dir=str(place.root / output_dir))
    if run_before:
        _run_or_refuse(place)
    made = set(files_of(place.root)) if run_before else set()
    for kind, name, target in layout:
        path = place.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "folder":
                path.mkdir()
            elif kind == "moved" and not (place.root / target).exists():
                shutil.move(path, place.root / target)
                path.symlink_to(place.root / target)
            elif kind == "file":
                path.write_text("precious")
                made.discard(path)
            elif kind == "link":
                path.symlink_to(place.root / target)
        except OSError:
            continue
    root = Path(os.path.realpath(place.root / output_dir))
    own = {path for path in files_of(place.root) if run_before and path in made and path.is_relative_to(root)}
    before = {path: content for path, content in files_of(place.root).items() if path not in own}
    _run_or_refuse(place)
    place.configure(output_dir=str(place.root / output_dir), estimators={"full": {"kind": "correlation"}})
    before[place.root / "study.yaml"] = (place.root / "study.yaml").read_bytes()
    with suppress(InputError):
        place.remove_orphans()
    after = files_of(place.root)
    assert all(after.get(path) == content for path, content in before.items())
    assert all(path.is_relative_to(root) for path in set(after) - set(before) - own)


def _run_or_refuse(place):
    """A study that is refused must leave everything as it is."""
    before = files_of(place.root)
    try:
        place.run()
    except InputError:
        assert files_of(place.root) == before


def test_a_folder_that_cannot_be_made_is_named(place):
    for folder, why in ((place.root / "data" / "a.nii.gz" / "x", "is no folder"), ("/proc/x", "cannot be made")):
        place.configure(output_dir=str(folder))
        with pytest.raises(InputError, match=f"study.yaml: output_dir: .*{why}"):
            take_folder(place.read(), place.origin(), "study.yaml")

"""A study whose workflow comes from a repository, as the workflow catalogue deploys it, makes what a checkout makes."""

import shutil
import subprocess

import pytest

from workflow.project import SNAKEMAKE, environment_of_a_person, new_project

# As `snakedeploy deploy-workflow https://github.com/lab/sphereconn … --tag v1.0.0` writes it.
DEPLOYED = """\
from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


# declare https://github.com/lab/sphereconn as a module
module sphereconn:
    snakefile: 
        {source}
    config:
        config


# use all rules from https://github.com/lab/sphereconn
use rule * from sphereconn
"""  # noqa: W291
FROM_GITHUB = 'github("lab/sphereconn", path="workflow/Snakefile", {at})'
FROM_A_CLONE = 'gitfile("{clone}", path="workflow/Snakefile", commit="{commit}")'
NOTHING_TO_DO = "Nothing to be done"


def git(folder, *arguments):
    names = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    done = subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    """A checkout with a small study, and a repository of it in the place of GitHub's."""
    root = tmp_path_factory.mktemp("hosted")
    project = new_project(root / "github" / "lab" / "sphereconn", n_subjects=1)
    project.configure(
        lambda config: config["figures"].update(kinds=["glass_brain", "page"], glass_brain={"views": ["z"]})
    )
    project.configure(lambda config: config["seed_sets"].pop("mine"))
    project.configure(lambda config: config["estimators"].pop("partial"))
    project.configure(lambda config: config.update(runs=str(project.root / "data" / "runs.tsv")))
    project.run()
    (project.root / ".gitignore").write_text("data\nresults\nstudy.yaml\n.snakemake\n__pycache__\n")
    git(project.root, "init", "--quiet", "--initial-branch=main")
    commit(project, "v1.0.0")
    return project


def commit(project, tag):
    git(project.root, "add", ".")
    git(project.root, "commit", "--quiet", "--message", tag)
    git(project.root, "tag", tag)


def deploy(project, folder, source):
    """Set up a study in a folder of its own; give the function that runs Snakemake there and what it said."""
    (folder / "workflow").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "workflow" / "Snakefile").write_text(DEPLOYED.format(source=source))
    shutil.copy(project.root / "study.yaml", folder / "config" / "config.yaml")
    environment = environment_of_a_person() | {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{project.root.parents[1]}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }
    environment.pop("GITHUB_TOKEN", None)

    def run(*arguments):
        done = subprocess.run(
            [SNAKEMAKE, "--cores", "2", *arguments],
            cwd=folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def results(folder):
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith(("logs/", "records/"))}


def test_from_github_it_runs_as_from_a_checkout_and_an_upgrade_makes_only_new_what_has_changed(hosted, tmp_path):
    source = FROM_GITHUB.format(at='tag="v1.0.0"')
    run = deploy(hosted, tmp_path / "study", source)
    run()
    made = results(tmp_path / "study" / "results")
    assert made == results(hosted.root / "results")
    assert any(name.endswith("_connectomes.html") for name in made)
    assert NOTHING_TO_DO in run()
    run("--report", "snakemake_report.html")
    assert "edges" in (tmp_path / "study" / "snakemake_report.html").read_text()

    hosted.replace("workflow/lib/sphereconn/draw/page.py", "from __future__", "# Said anew.\nfrom __future__")
    (hosted.root / "scripts" / "extract.py").touch()
    commit(hosted, "v1.0.1")
    snakefile = tmp_path / "study" / "workflow" / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace("v1.0.0", "v1.0.1"))
    assert NOTHING_TO_DO in run()


@pytest.mark.parametrize("source", [FROM_GITHUB.format(at='branch="main"'), FROM_A_CLONE])
def test_a_branch_and_a_clone_are_planned_from_a_copy_of_the_commit(hosted, tmp_path, source):
    commit = git(hosted.root, "rev-parse", "HEAD")
    run = deploy(hosted, tmp_path / "study", source.format(clone=hosted.root, commit=commit))
    said = run("--dry-run")
    assert "Extracting dmn" in said and "Writing the report" in said
    copies = (tmp_path / "study" / "cache").glob("**/source-cache/sphereconn/*")
    assert [copy.name for copy in copies] == [commit]

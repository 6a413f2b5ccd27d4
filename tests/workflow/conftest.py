"""One finished study for all tests that ask what an edit runs again."""

import pytest

from workflow.project import new_project, once_for_all_workers


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory):
    """A small study with every kind of figure that has run to its end; read it, never edit it."""

    def make(root):
        project = new_project(root)
        project.configure(lambda config: config["figures"].pop("kinds"))
        project.run()

    return once_for_all_workers(tmp_path_factory, "finished", make)


@pytest.fixture
def finished(finished_once, tmp_path):
    """A copy of the finished study for one test to edit."""
    return finished_once.copy(tmp_path / "project")

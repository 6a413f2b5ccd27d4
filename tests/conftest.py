"""Property tests draw the same examples every time, so no fresh clone fails by chance; `make fuzz` searches."""

import hypothesis

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None, print_blob=True)
hypothesis.settings.load_profile("fixed")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Return a name without content for bytes: compressed ones hold the time, and workers must agree on names."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list) -> None:
    """Let the tests that wait for a cluster start first, then the studies: at the end short files fill the workers."""
    items.sort(key=lambda item: (item.path.name != "test_slurm.py", item.path.parent.name != "workflow"))

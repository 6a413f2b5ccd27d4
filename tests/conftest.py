"""Property tests draw the same examples every time, so no fresh clone fails by chance; `make fuzz` searches."""

import hypothesis

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None, print_blob=True)
hypothesis.settings.load_profile("fixed")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Return a name without content for bytes: compressed ones hold the time, and workers must agree on names."""
    return argname if isinstance(val, bytes) else None

"""The browser that pages are opened in."""

import os

import pytest
from browser import Browser, find_chromium


@pytest.fixture(scope="session")
def browser():
    executable = find_chromium()
    if executable is None:
        if "CI" in os.environ:
            pytest.fail(
                "Chromium is missing: these tests open the page in it (Debian and Ubuntu: apt install chromium)."
            )
        pytest.skip("Chromium is not installed: the page was not opened (Debian and Ubuntu: apt install chromium).")
    browser = Browser(executable)
    yield browser
    browser.close()

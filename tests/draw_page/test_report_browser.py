"""The report in a browser: its contents fold on a phone, it is dark where a person wants that, and prints in colour."""

import pytest

from sphereconn.draw.html import Card, Cards, Paragraph, Section, Table, html_page


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    cards = Cards([Card("All runs", ["A sentence."]), Card("What to worry about", ["Another."], warning=True)])
    sections = [Section("At a glance", [cards]), *(Section(f"Part {n}", [Paragraph("Text. " * 99)]) for n in range(30))]
    path.write_text(html_page("A title", "A lead.", sections), encoding="utf-8")
    return path.as_uri()


def contents_height(browser):
    return browser.evaluate("document.querySelector('nav').getBoundingClientRect().height")


def prefer(browser, scheme, media=""):
    features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}  # the second as for all tests
    named = [{"name": name, "value": value} for name, value in features.items()]
    browser.call("Emulation.setEmulatedMedia", media=media, features=named)


def ground(browser):
    return browser.evaluate("getComputedStyle(document.body).backgroundColor")


def test_on_a_phone_the_contents_fold_and_nothing_is_wider_than_the_screen(browser, address):
    browser.open(address, 390, 844)
    assert contents_height(browser) < 60
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    browser.evaluate("document.querySelector('label[for=contents-shown]').click()")
    assert contents_height(browser) > 500


def test_on_a_desk_the_contents_are_open_and_the_cards_side_by_side(browser, address):
    browser.open(address, 1400, 900)
    assert contents_height(browser) >= 900
    tops = browser.evaluate("[...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect().top)")
    assert tops[0] == tops[1] < 300


def test_the_page_is_dark_where_that_is_preferred_but_never_on_paper(browser, address):
    try:
        browser.open(address, 1400, 900)
        prefer(browser, "light")
        assert ground(browser) == "rgb(255, 255, 255)"
        prefer(browser, "dark")
        assert ground(browser) == "rgb(23, 25, 28)"
        prefer(browser, "dark", "print")
        assert ground(browser) == "rgb(255, 255, 255)"
        assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    finally:
        prefer(browser, "light")


def test_a_wide_table_fits_on_paper_and_its_head_holds_nothing_that_paper_does_not_repeat(browser, tmp_path):
    path = tmp_path / "wide.html"
    header = [f"setting{place}" for place in range(7)]
    rows = [["butterworth" + "_with_a_long_value" * 3] * 7]
    table = Table("Settings", header, rows, sortable=True)
    path.write_text(html_page("A title", "A lead.", [Section("Settings", [table])]), encoding="utf-8")
    browser.open(path.as_uri(), 720, 1000)  # as wide as A4 between its margins
    try:
        prefer(browser, "light", "print")
        assert browser.evaluate("document.documentElement.scrollWidth") == 720
        boxes = browser.evaluate("[...document.querySelectorAll('thead button')].map((b) => b.getClientRects().length)")
        assert boxes == [0] * 7
        assert "setting6" in browser.evaluate("document.querySelector('thead').innerText")
    finally:
        prefer(browser, "light")


def test_a_short_card_is_no_taller_than_what_it_says(browser, tmp_path):
    path = tmp_path / "cards.html"
    cards = Cards([Card("All runs", ["A sentence."] * 20), Card("What to worry about", ["Another."], warning=True)])
    path.write_text(html_page("A title", "A lead.", [Section("At a glance", [cards])]), encoding="utf-8")
    browser.open(path.as_uri(), 1400, 900)
    tall, short = browser.evaluate("[...document.querySelectorAll('.card')].map((card) => card.offsetHeight)")
    assert short < tall / 3


ROWS = [["sub-01", "moved much", "0.90", "n/a"], ["sub-02", "–", "0.10", "1,200"], ["sub-03", "–", "0.30", "−5"]]


@pytest.fixture(scope="module")
def table_address(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "report.html"
    table = Table("Runs", ["run", "what is unusual", "motion", "difference"], ROWS, sortable=True)
    path.write_text(html_page("A title", "A lead.", [Section("Runs", [table])]), encoding="utf-8")
    return path.as_uri()


def shown_runs(browser):
    rows = "[...document.querySelectorAll('tbody tr')].filter((row) => row.offsetHeight)"
    return browser.evaluate(f"{rows}.map((row) => row.cells[0].textContent)")


def click_column(browser, name):
    browser.evaluate(f"[...document.querySelectorAll('thead button')].find((b) => b.textContent === '{name}').click()")


def test_a_list_of_runs_is_sorted_by_a_column_largest_first_then_the_other_way_then_as_it_was(browser, table_address):
    browser.open(table_address, 1400, 900)
    orders = []
    for _ in range(3):
        click_column(browser, "motion")
        orders.append(shown_runs(browser))
    assert orders == [["sub-01", "sub-03", "sub-02"], ["sub-02", "sub-03", "sub-01"], ["sub-01", "sub-02", "sub-03"]]
    click_column(browser, "difference")  # what is missing comes last, a minus is one, thousands have commas
    assert shown_runs(browser) == ["sub-02", "sub-03", "sub-01"]
    assert browser.evaluate("document.querySelectorAll('th')[3].ariaSort") == "descending"
    click_column(browser, "difference")
    assert shown_runs(browser) == ["sub-03", "sub-02", "sub-01"]
    click_column(browser, "run")
    assert shown_runs(browser) == ["sub-01", "sub-02", "sub-03"]


def test_a_list_of_runs_is_filtered_by_words(browser, table_address):
    browser.open(table_address, 390, 844)
    assert browser.text(".filter [role=status]") == "3 rows"
    type_filter = (
        "const box = document.querySelector('.filter input'); box.value = '{}'; box.dispatchEvent(new Event('input'))"
    )
    browser.evaluate("{" + type_filter.format("much SUB") + "}")
    assert shown_runs(browser) == ["sub-01"] and browser.text(".filter [role=status]") == "1 of 3 rows"
    browser.evaluate("{" + type_filter.format("") + "}")
    assert len(shown_runs(browser)) == 3

"""The page of a document: whatever it is given is shown as text, and it needs nothing but itself."""

import base64
import hashlib
import re

import pytest
from pages import Page

from sphereconn.draw.html import (
    Card,
    Cards,
    Facts,
    Figure,
    Figures,
    Folded,
    Image,
    Link,
    Listing,
    Paragraph,
    References,
    Section,
    Table,
    html_page,
)

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<b>"


def page_of(*blocks, title="Title"):
    return html_page(title, "A sentence.", [Section("One", list(blocks))])


@pytest.mark.parametrize(
    "block",
    [
        Paragraph(HOSTILE),
        Paragraph([HOSTILE, Link(HOSTILE, HOSTILE)]),
        Facts([(HOSTILE, HOSTILE)]),
        Table(HOSTILE, [HOSTILE], [[HOSTILE]]),
        Figures([Figure(f"{HOSTILE}.png", HOSTILE, Image("image/webp", b"x")), Figure("a.pdf", HOSTILE, None)]),
        Cards([Card(HOSTILE, [HOSTILE], [Figure("a.png", HOSTILE, None)])]),
        Listing(HOSTILE),
        References([(HOSTILE, HOSTILE)]),
        Folded(HOSTILE, [Paragraph(HOSTILE)]),
        Section(HOSTILE, [Paragraph(HOSTILE)]),
    ],
    ids=lambda block: type(block).__name__,
)
def test_hostile_text_stays_text(block):
    page = Page(page_of(block, title=HOSTILE))
    assert HOSTILE in "".join(page.text)
    assert not any(tag in ("script", "b") for tag, _ in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert all(image["src"].startswith("data:") for image in page.attributes_of("img"))


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "https://example.org/a", "//example.org/a", "/etc/passwd", "data:text/html,a"]
)
def test_a_link_is_a_path_beside_the_page_whatever_it_says(target):
    [link] = [item["href"] for item in Page(page_of(Paragraph(Link("here", target)))).attributes_of("a")][2:]
    assert ":" not in link and not link.startswith("/")


def test_a_doi_leads_to_its_address():
    page = Page(page_of(References([("Ledoit and Wolf.", "10.1016/S0047-259X(03)00096-4")])))
    assert page.attributes_of("a")[-1]["href"] == "https://doi.org/10.1016/S0047-259X(03)00096-4"


def test_the_contents_lead_to_every_section_of_two_levels():
    inner = Section("Inner", [Section("Too deep", [Paragraph("text")])])
    page = Page(html_page("Title", "Lead.", [Section("One", [inner, Paragraph("text"), inner]), Section("Two")]))
    targets = [item["href"] for item in page.attributes_of("a") if item["href"].startswith("#section")]
    assert targets == ["#section-1", "#section-1-1", "#section-1-2", "#section-2"]
    assert {target[1:] for target in targets} < set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_policy_allows_the_style_of_the_page_and_embedded_images_and_nothing_else():
    text = page_of(Paragraph("text"))
    policy = next(
        item["content"] for item in Page(text).attributes_of("meta") if item.get("http-equiv", "").startswith("Content")
    )
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style and "@import" not in style and " style=" not in text


def test_tables_have_headers_and_numbers_stand_to_the_right():
    cells = [["a", "1.5", "n/a", "1 (0 to 2)", "x"], ["b", "1,000", "2", "3", "4"]]
    page = Page(page_of(Table("Caption", ["name", "one", "two", "spread", "mixed"], cells)))
    headers = page.attributes_of("th")
    assert [item["scope"] for item in headers] == ["col"] * 5 + ["row"] * 2
    assert ["class" in item for item in headers[:5]] == [False, True, True, True, False]
    assert [item.get("aria-label") for item in page.attributes_of("div")] == ["Caption"]


def test_an_image_has_its_caption_as_its_text_and_leads_to_its_file():
    page = Page(page_of(Figures([Figure("group/a b.png", "What it shows", Image("image/webp", b"content"))])))
    [image] = page.attributes_of("img")
    assert image["alt"] == "What it shows"
    assert base64.b64decode(image["src"].removeprefix("data:image/webp;base64,")) == b"content"
    assert page.attributes_of("a")[-1]["href"] == "group/a%20b.png"

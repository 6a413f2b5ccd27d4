"""The site's pages are all there, lead somewhere, and name every key that a configuration may hold."""

import importlib.util
import json
import re

import jsonschema
import pytest
import yaml
from test_manual import PAGES, ROOT, SCHEMA

SPEC = importlib.util.spec_from_file_location("site_pages", ROOT / "docs" / "site.py")
site = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(site)

SPEC = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures.py")
pictures_made = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(pictures_made)

TEXT = site.config_keys(json.loads(SCHEMA.read_text()))
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(#[^)\s]*)?\)")


def names_in(part):
    """Every name of a key in a part of a schema, wherever it stands."""
    if isinstance(part, dict):
        yield from part.get("properties", {})
        for value in part.values():
            yield from names_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from names_in(value)


def anchors(page):
    """The anchors of the headings of a page, as GitHub and MkDocs make them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


def nav(entries):
    for entry in entries:
        (value,) = entry.values()
        yield from nav(value) if isinstance(value, list) else [value]


def test_every_key_is_on_its_page_with_what_is_allowed():
    schema = json.loads(SCHEMA.read_text())
    told = set(re.findall(r"^`(.*)`$", TEXT, flags=re.M))
    assert {name.rpartition(".")[2].removesuffix("[]") for name in told} >= set(names_in(schema))
    assert {"bids.derivatives", "seed_sets.LABEL.radius", "contrasts.LABEL.model", "output_dir"} <= told
    assert "Allowed: the path of a runs table ending in .tsv." in TEXT and 'Default: `"results"`.' in TEXT


def test_a_key_that_is_new_in_the_schema_is_on_the_page():
    schema = json.loads(SCHEMA.read_text())
    schema["properties"]["combine"]["anyOf"][1]["properties"]["novel"] = {"description": "Something.", "default": 7}
    assert "`combine.novel`\n:   Something.\n    Default: `7`." in site.config_keys(schema)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_a_file_and_a_heading(page):
    for target, anchor in LINK.findall(page.read_text()):
        if "://" in target:
            continue
        place = (page.parent / target).resolve() if target else page
        assert place.exists(), target
        if anchor and place.suffix == ".md":
            assert anchor[1:] in anchors(place), f"{target}{anchor}"


def test_the_site_has_every_page_and_no_other():
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    there = {path.name for suffix in ("*.md", "*.ipynb") for path in (ROOT / "docs").glob(suffix)}
    assert sorted(nav(config["nav"])) == sorted({*there, *site.SHOWN, "config_keys.md"})


@pytest.mark.parametrize("source", site.SHOWN.values())
def test_links_of_a_page_that_is_shown_lead_to_pages_of_the_site(source):
    there = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*")} | set(site.SHOWN)
    found = [target for target, _ in LINK.findall(site.shown(source)) if "://" not in target and target]
    assert set(found) <= there
    assert source != "README.md" or {"manual.md", "methods.md", "images/page.png"} <= set(found)


def test_a_link_from_a_page_of_the_site_to_the_manual_leads_to_its_page():
    text = "[groups](../config/README.md#groups), [code](../Snakefile), ![figure](images/page.png)"
    assert site.turned(text, ROOT / "docs") == ("[groups](manual.md#groups), code, ![figure](images/page.png)")


def test_the_front_page_is_one_screen():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 70


def test_the_gallery_shows_every_kind_of_figure():
    schema = json.loads(SCHEMA.read_text())
    allowed = dict(site.keys_of(schema, "figures", schema["properties"]["figures"]))["figures.kinds"]["items"]["enum"]
    shown = re.findall(r"^      kinds: \[(.*)\]$", (ROOT / "docs/gallery.md").read_text(), flags=re.M)
    assert {kind for line in shown for kind in line.split(", ")} == set(allowed)


def test_every_picture_of_the_site_is_shown_on_a_page():
    text = "".join(page.read_text() for page in PAGES)
    pictures = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs/images").rglob("*.*")]
    assert [picture for picture in pictures if f"{picture})" not in text] == []


def test_every_picture_is_made_by_the_script_that_makes_them_from_the_studies_of_the_checkout():
    pictures = ROOT / "docs" / "images"
    made = {pictures / f"{name}.png" for name in (*pictures_made.FIGURES, *pictures_made.PAGES)}
    assert made | {pictures / "performance.svg"} == set(pictures.rglob("*.*"))
    study = yaml.safe_load((ROOT / "docs/gallery.yaml").read_text())
    jsonschema.validate(study, json.loads(SCHEMA.read_text()))
    folders = {yaml.safe_load((ROOT / "config/config.yaml").read_text())["output_dir"], study["output_dir"]}
    used = [*pictures_made.FIGURES.values(), *(address for address, _, _ in pictures_made.PAGES.values())]
    assert {path.split("/")[0] for path in used} == folders

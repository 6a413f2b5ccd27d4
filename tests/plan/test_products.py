"""The list of products: what stands in it once is a target, a result that stays, and a figure of the report."""

import pytest

from sphereconn.errors import InputError
from sphereconn.files import written_whole
from sphereconn.plan import drawn, products
from sphereconn.plan.orphans import orphans
from sphereconn.plan.product import Product
from sphereconn.plan.products import STAGES, results, targets
from sphereconn.plan.reported import reported

MODELS = {label: {"model": "", "test": "intercept", "runs": {"session": "a"}} for label in ("second", "first")}
JOINT = {"joint": {"kind": "group sparse inverse covariance"}, "space": {"kind": "tangent"}}


def endings(study, stage, whose):
    """List how the names of the files of one recording or group end."""
    return sorted(
        file.rpartition("_atlas-dmn_")[2]
        for product in STAGES[stage](study)
        if product.whose == whose and product.denoising in ("", "none")
        for file in product.files
    )


def test_a_run_has_its_signals_and_its_connectomes(study):
    run = "sub-01_ses-a"
    assert sorted(set(endings(study(), "signals", run))) == [
        "desc-none_timeseries.json",
        "desc-none_timeseries.tsv",
        "nodes.tsv",
        "timeseries.json",
        "timeseries.tsv",
    ]
    made = endings(study(), "connectomes", run)
    assert [name for name in made if "full" in name] == [
        "meas-full_desc-none_edges.npy",
        "meas-full_desc-none_relmat.json",
        "meas-full_desc-none_relmat.tsv",
    ]
    assert "meas-sparse_desc-none_stat-precision_relmat.tsv" in made
    assert "meas-sparse_desc-none_path.tsv" in made


def test_the_report_has_contrasts_in_the_order_of_the_configuration_and_nothing_else_depends_on_it(study):
    chosen, turned = study(contrasts=MODELS), study(contrasts=dict(reversed(MODELS.items())))
    labels = list(dict.fromkeys(item["label"] for item in reported(chosen)["contrasts"]))
    assert labels == ["second", "first"]
    assert list(dict.fromkeys(item["label"] for item in reported(turned)["contrasts"])) == ["first", "second"]
    assert chosen.contrasts == turned.contrasts and results(chosen) == results(turned)


def test_a_joint_fit_is_of_all_runs_and_each_run_has_its_part_of_it_without_a_path(study):
    chosen = study(estimators=JOINT)
    of_all = endings(chosen, "connectomes", "group-all")
    assert "meas-joint_desc-none_stat-precision_jointfit.npy" in of_all
    assert "meas-space_desc-none_stat-whitening_relmat.tsv" in of_all
    of_run = endings(chosen, "connectomes", "sub-01_ses-a")
    assert "meas-joint_desc-none_stat-precision_relmat.tsv" in of_run
    assert not [name for name in of_run if "path" in name]


@pytest.mark.parametrize(("how", "made"), [("concatenate", "timeseries.tsv"), ("average", "relmat.tsv")])
def test_combined_runs_have_nodes_and_joined_signals_or_averaged_connectomes(study, how, made):
    chosen = study(combine={"over": ["session"], "how": how})
    files = [file for product in STAGES["combined"](chosen) for file in product.files]
    whose = {product.whose for product in STAGES["combined"](chosen)}
    assert whose == {"sub-01_run-all", "sub-02_run-all", "sub-03_run-all"}
    assert [file for file in files if file.endswith("_nodes.tsv")]
    assert [file for file in files if file.endswith(made)]


def test_who_asks_for_a_target_gets_all_files_of_the_product(study):
    chosen = study()
    for stage, make in STAGES.items():
        asked = set(targets(chosen, stage))
        for product in make(chosen):
            assert chosen.place(product.files[0]) in asked
            assert set(product.files) <= results(chosen)


def test_no_file_is_of_two_products(study):
    chosen = study(estimators=JOINT | {"full": {"kind": "correlation", "z": "xdf"}}, tables=["networks", "edges"])
    made_by = {}
    for product in products.products(chosen):
        for file in product.files:
            assert made_by.setdefault(file, product.files) == product.files


def test_a_stage_that_is_added_to_the_list_is_a_target_and_no_left_over(study, monkeypatch):
    chosen = study()
    monkeypatch.setitem(STAGES, "prediction", lambda study: iter([Product(("group/prediction.tsv", "group/p.json"))]))
    assert targets(chosen, "prediction") == [chosen.place("group/prediction.tsv")]
    assert {"group/prediction.tsv", "group/p.json"} <= results(chosen)
    assert orphans(chosen) == []


def test_a_figure_that_is_added_to_the_list_is_a_target_and_in_the_report(study, monkeypatch):
    monkeypatch.setitem(drawn.FIGURES, "chord", drawn.Figure("chord", "chord diagram", "as a chord diagram"))
    monkeypatch.setattr(drawn, "OF_CONNECTOMES", (*drawn.OF_CONNECTOMES, "chord"))
    chosen = study()
    chosen.figures["kinds"].append("chord")
    of_group = "group/figures/group-all_atlas-dmn_meas-full_desc-none_chord.png"
    assert chosen.place(of_group) in targets(chosen, "figures")
    shown = next(
        item for item in reported(chosen)["groups"] if (item["denoising"], item["group"]) == ("none", "all runs")
    )
    assert ["chord diagram", of_group] in shown["figures"]
    links = next(item for item in reported(chosen)["runs"] if item["run"] == "sub-01_ses-a")["links"]
    assert "full: chord diagram" in [words for words, _ in links]


def test_only_the_chosen_runs_are_drawn_and_each_group_is(study):
    drawn_of = {product.whose for product in STAGES["figures"](study())}
    assert drawn_of == {"sub-01_ses-a", "sub-01_ses-b", "group-all", "site-essen", "site-bochum", "groups"}


def test_the_links_of_a_run_begin_with_its_page(study):
    links = reported(study())["runs"][0]["links"]
    assert [words for words, _ in links[:2]] == ["interactive page", "signals"]
    assert len({path for _, path in links}) == len(links)


def test_a_set_of_seeds_of_one_network_has_no_figure_of_networks(study):
    assert not [product for product in STAGES["figures"](study()) if product.shows == "networks"]
    power = study(seed_sets={"power": {"seeds": "power264", "radius": 5}})
    assert [product for product in STAGES["figures"](power) if product.shows == "networks"]


def test_the_longest_name_of_a_result_can_be_written_and_one_that_is_longer_is_refused(study, tmp_path):
    def longest(label):
        names = {file.rpartition("/")[2] for file in results(study(denoising={label: {}}))}
        return max(names, key=len)

    room = 255 - len(".unfinished-12345678-") - len(longest("d")) + 1
    products.check_names(study(denoising={"d" * room: {}}), "study.yaml")
    with written_whole(tmp_path / longest("d" * room)) as temporary:
        temporary.write_text("")
        assert len(temporary.name) == 255
    with pytest.raises(InputError, match=r"study\.yaml: .* shorten the labels"):
        products.check_names(study(denoising={"d" * (room + 1): {}}), "study.yaml")

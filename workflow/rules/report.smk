"""Report: how good the runs are, and one page that says what was run, how good it is and what came out.

Needs: sub-*/func/*_nodes.tsv, the sidecars of single runs, group/*_nodes.tsv, group/figures/*, study.json.
Gives: group/quality.tsv, group/estimation.tsv, each with a sidecar; report.html.
"""


report: "../report/workflow.rst"


from sphereconn.plan.reported import measured, nodes_tables, reported

MEASURED = measured(STUDY)
REPORTED = reported(STUDY)
NODES_TABLES = nodes_tables(STUDY)


rule summarize_quality:
    """Put what the results of single runs say of their quality into two tables."""
    input:
        nodes=[result(path) for path in MEASURED["nodes"]],
        extracted=[result(path) for path in MEASURED["extracted"]],
        cleaned=[result(path) for path in MEASURED["cleaned"]],
        connectomes=[result(path) for path in MEASURED["connectomes"]],
    output:
        quality=report(
            result("group/quality.tsv"),
            caption="../report/quality.rst",
            category="Quality",
            labels={"table": "runs"},
        ),
        quality_sidecar=result("group/quality.json"),
        estimation=report(
            result("group/estimation.tsv"),
            caption="../report/estimation.rst",
            category="Quality",
            labels={"table": "estimates"},
        ),
        estimation_sidecar=result("group/estimation.json"),
    log:
        log_of("summarize_quality", "quality"),
    group:
        "report"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        code=code_of("summarize_quality"),
    message:
        "Summarizing the quality of all runs"
    script:
        "../../scripts/summarize_quality.py"


rule write_report:
    """Write the report of the study."""
    input:
        settings=rules.describe_study.output.settings,
        dataset=rules.describe_study.output.dataset,
        quality=rules.summarize_quality.output.quality,
        estimation=rules.summarize_quality.output.estimation,
        sidecar=rules.summarize_quality.output.quality_sidecar,
        nodes=[result(path) for path in NODES_TABLES.values()],
        groups=[result(group["sidecar"]) for group in REPORTED["groups"]],
        networks=[result(group["networks"]) for group in REPORTED["groups"] if group["networks"]],
        contrasts=[result(contrast["sidecar"]) for contrast in REPORTED["contrasts"]],
        components=[result(contrast["components"]) for contrast in REPORTED["contrasts"]],
        pairs=[result(contrast["pairs"]) for contrast in REPORTED["contrasts"]],
        reliability=[result(item["sidecar"]) for item in REPORTED["reliability"]],
        lengths=[result(item["lengths_sidecar"]) for item in REPORTED["reliability"] if item["lengths_sidecar"]],
        comparisons=[result(item["sidecar"]) for item in REPORTED["comparisons"]],
        compared=[result(item["criteria"]) for item in REPORTED["comparisons"]],
        radii=[result(item["sidecar"]) for item in REPORTED["radii"]],
        measured_radii=[result(item["radii_table"]) for item in REPORTED["radii"]],
        alike_radii=[result(item["similarity_table"]) for item in REPORTED["radii"]],
        map_contrasts=[result(contrast["sidecar"]) for contrast in REPORTED["map_contrasts"]],
        figures=[
            result(path)
            for shown in (
                "groups",
                "differences",
                "contrasts",
                "maps",
                "map_contrasts",
                "reliability",
                "comparisons",
                "radii",
            )
            for item in REPORTED[shown]
            for _, path in item["figures"]
        ],
        look=REPORT_ASSETS,
    output:
        result("report.html"),
    log:
        log_of("write_report", "report"),
    group:
        "report"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 4
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        contents=REPORTED,
        seed_sets=list(NODES_TABLES),
        code=code_of("write_report"),
    message:
        "Writing the report"
    script:
        "../../scripts/write_report.py"

"""Subjects: a quality sheet of each run, and a page of each subject with those of its runs.

Needs: sub-*/func/*_timeseries.tsv before and after each denoising, *_nodes.tsv, confounds; group/quality.tsv,
  group/estimation.tsv.
Gives: sub-*/figures/*_sheet.svg, sub-*.html.
"""

from sphereconn.plan.sheets import runs_of_subjects, sheet_denoisings, sheet_signals, sheets

SHEETS = sheets(STUDY)
SUBJECTS = runs_of_subjects(STUDY)


rule draw_sheet:
    """Draw the quality sheet of a run."""
    input:
        unpack(of_job(sheet_signals)),
        signals=rules.extract.output.signals,
        sidecar=rules.extract.output.sidecar,
        nodes=rules.extract.output.nodes,
    output:
        result(names.quality_sheet(*OF_SPHERES)),
    log:
        log_of("draw_sheet", names.quality_sheet(*OF_SPHERES)),
    wildcard_constraints:
        stem=STEM_OF_RUN,
    group:
        "runs"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(1),
    params:
        denoisings=of_job(sheet_denoisings),
        code=code_of("draw_sheet", [OUTLINES, LIBRARY / "draw" / "report_assets" / "sheet.css"]),
    message:
        "Drawing the quality sheet of {wildcards.stem}"
    script:
        "../../scripts/draw_sheet.py"


# One job for all: each page has the numbers of all runs, and is little work.
rule write_subject_pages:
    """Write the page of each subject."""
    input:
        sheets=[result(path) for path in SHEETS.values()],
        quality=rules.summarize_quality.output.quality,
        estimation=rules.summarize_quality.output.estimation,
        look=REPORT_ASSETS,
    output:
        [result(names.subject_page(subject)) for subject in SUBJECTS],
    log:
        log_of("write_subject_pages", "subjects"),
    group:
        "report"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        title=STUDY.settings["title"],
        runs=list(SHEETS),
        subjects=SUBJECTS,
        figures=REPORTED["runs"],
        code=code_of("write_subject_pages"),
    message:
        "Writing the pages of subjects"
    script:
        "../../scripts/write_subject_pages.py"


rule subjects:
    """All quality sheets, and the pages of subjects."""
    input:
        targets(STUDY, "subjects"),
    message:
        "All pages of subjects are there"

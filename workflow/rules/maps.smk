"""Seed maps: the connectivity of a sphere with every voxel, of single runs and over groups.

Needs: the images, masks and confounds of the runs table, sub-*/func/*_desc-*_timeseries.tsv with its sidecar.
Gives: sub-*/func/*_seed-*_statmap.nii.gz, group/*_seed-*_statmap.nii.gz, *_peaks.tsv, group/figures/*_seed-*_slices.*;
  of contrasts group/contrast-*_seed-*_stat-*_statmap.nii.gz, *_clusters.tsv, *_design.tsv, *_contrast.json, the permutations
  as *_shuffles*.npz, group/figures/contrast-*_seed-*_significant.*; group/figures/groups_*_maps.html.
"""

MAP_PAGE_ASSETS = [COLOURS, *sorted((LIBRARY / "draw" / "map_assets").iterdir())]
OF_MAP = ("{seed_set}", "{map}", "{denoising}", "{seed}")

# A map has a file for each of its seeds, and these differ from map to map: each has a rule of its own.
for MAPS in STUDY.maps:

    rule:
        name:
            f"map_{MAPS.label}_{MAPS.seed_set}_{MAPS.denoising}"
        input:
            unpack(of_job(mapped.map_inputs, MAPS)),
        output:
            **{
                statistic: [result(path) for path in mapped.run_maps("{folder}", "{stem}", MAPS, statistic)]
                for statistic in MAPS.statistics
            },
            sidecar=result(names.seed_maps_sidecar("{folder}", "{stem}", *MAPS.labels)),
        log:
            log_of("map_seeds", names.seed_maps_sidecar("{folder}", "{stem}", *MAPS.labels)),
        wildcard_constraints:
            stem=STEM_OF_RUN,
        priority: 1
        group:
            "runs"
        conda:
            "../../envs/sphereconn.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(10),
        params:
            settings=dict(MAPS.settings),
            seeds=dict(MAPS.seeds),
            denoising=STUDY.denoising[MAPS.denoising],
            code=code_of("map_seeds"),
        message:
            "Mapping the seeds of {wildcards.stem}"
        script:
            "../../scripts/map_seeds.py"


rule map_group:
    """Mean, standard deviation, number of subjects and t of each voxel over a group, and the peaks of the mean."""
    input:
        maps=of_job(mapped.group_maps),
        seeds=sorted({item["seeds"] for item in STUDY.seed_sets.values()}),
    output:
        **outputs_of(names.seed_map, ("group", "{group}", *OF_MAP), mapped.GROUP_SUFFIXES),
    log:
        log_of("map_group", names.seed_map("group", "{group}", *OF_MAP, "statmap")),
    group:
        "groups"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        **{key: of_job(mapped.group_setting, key) for key in ("stems", "subjects", "described", "threshold")},
        code=code_of("map_group"),
    message:
        "Averaging the maps of {wildcards.seed} over {wildcards.group}"
    script:
        "../../scripts/map_group.py"


rule draw_map:
    """Draw the mean map of a group as slices."""
    input:
        mean=rules.map_group.output.mean,
        sidecar=rules.map_group.output.sidecar,
        seeds=lambda wildcards: STUDY.seed_sets[wildcards.seed_set]["seeds"],
    output:
        report(
            result(names.seed_map_figure("{group}", *OF_MAP, f"slices.{FORMAT}")),
            caption="../report/map.rst",
            category="Groups",
            subcategory="{group}",
            labels={"seed set": "{seed_set}", "denoising": "{denoising}", "map": "{map}", "figure": "{seed}"},
        ),
    log:
        log_of("draw_map", names.seed_map_figure("{group}", *OF_MAP, "slices")),
    group:
        "groups"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(3),
    params:
        of=lambda wildcards: f"{wildcards.seed_set}, {wildcards.map}, {wildcards.denoising}",
        dpi=STUDY.figures["dpi"],
        code=code_of("draw_map"),
    message:
        "Drawing the map of {wildcards.seed} over {wildcards.group}"
    script:
        "../../scripts/draw_map.py"


rule shuffle_map:
    """Permute a contrast of the maps of a seed, some permutations at a time."""
    input:
        unpack(of_job(mapped.contrast_inputs)),
    output:
        result(names.seed_map("group", "contrast-{contrast}", *OF_MAP, "shuffles{chunk}.npz")),
    log:
        log_of("shuffle_map", names.seed_map("group", "contrast-{contrast}", *OF_MAP, "shuffles{chunk}")),
    wildcard_constraints:
        contrast=names.LABEL,
        chunk=r"\d+",
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        **{key: of_job(mapped.contrast_setting, key) for key in ("rows", "runs", "settings")},
        contrast=lambda wildcards: wildcards.contrast,
        numbers=of_job(mapped.contrast_numbers),
        code=code_of("shuffle_map"),
    message:
        "Permuting {wildcards.contrast} in the maps of {wildcards.seed} ({wildcards.chunk})"
    script:
        "../../scripts/shuffle_map.py"


rule test_map:
    """Test a contrast of the maps of a seed, corrected for all voxels by permutation."""
    input:
        unpack(of_job(mapped.contrast_inputs)),
        shuffles=of_job(mapped.contrast_shuffles),
        seeds=sorted({item["seeds"] for item in STUDY.seed_sets.values()}),
    output:
        **outputs_of(names.seed_map, ("group", "contrast-{contrast}", *OF_MAP), mapped.TESTED),
    log:
        log_of("test_map", names.seed_map("group", "contrast-{contrast}", *OF_MAP, "contrast")),
    wildcard_constraints:
        contrast=names.LABEL,
    group:
        "contrasts"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **{key: of_job(mapped.contrast_setting, key) for key in ("rows", "runs", "settings", "level")},
        contrast=lambda wildcards: wildcards.contrast,
        described=of_job(mapped.contrast_described),
        code=code_of("test_map"),
    message:
        "Testing {wildcards.contrast} in the maps of {wildcards.seed}"
    script:
        "../../scripts/test_map.py"


rule draw_map_contrast:
    """Draw the statistic of a contrast of maps as slices."""
    input:
        statistic=rules.test_map.output.statistic,
        tfce_fwe=rules.test_map.output.tfce_fwe,
        sidecar=rules.test_map.output.sidecar,
        seeds=lambda wildcards: STUDY.seed_sets[wildcards.seed_set]["seeds"],
    output:
        report(
            result(names.seed_map_figure("contrast-{contrast}", *OF_MAP, f"significant.{FORMAT}")),
            caption="../report/map_contrast.rst",
            category="Contrasts",
            subcategory="{contrast}",
            labels={"seed set": "{seed_set}", "denoising": "{denoising}", "map": "{map}", "figure": "{seed}"},
        ),
    log:
        log_of("draw_map_contrast", names.seed_map_figure("contrast-{contrast}", *OF_MAP, "significant")),
    wildcard_constraints:
        contrast=names.LABEL,
    group:
        "contrasts"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(700),
        runtime=growing(3),
    params:
        **{key: of_job(mapped.contrast_setting, key) for key in ("title", "level")},
        of=lambda wildcards: f"{wildcards.seed_set}, {wildcards.map}, {wildcards.denoising}",
        dpi=STUDY.figures["dpi"],
        code=code_of("draw_map_contrast"),
    message:
        "Drawing {wildcards.contrast} in the maps of {wildcards.seed}"
    script:
        "../../scripts/draw_map_contrast.py"


rule draw_map_page:
    """Make the interactive page of a set of seed maps: three slices through any place."""
    input:
        unpack(of_job(mapped.page_maps)),
        seeds=lambda wildcards: STUDY.seed_sets[wildcards.seed_set]["seeds"],
    output:
        report(
            result(names.maps_page("{seed_set}", "{map}", "{denoising}")),
            caption="../report/map_page.rst",
            category="Groups",
            subcategory="seed maps",
            labels={
                "seed set": "{seed_set}",
                "denoising": "{denoising}",
                "map": "{map}",
                "figure": "interactive page",
            },
        ),
    log:
        log_of("draw_map_page", names.maps_page("{seed_set}", "{map}", "{denoising}")),
    group:
        "report"
    conda:
        "../../envs/sphereconn.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(3),
    params:
        code=code_of("draw_map_page", [*MAP_PAGE_ASSETS, RESOURCES / "brain" / "template.nii.gz"]),
    message:
        "Making the interactive page of the maps {wildcards.map} of {wildcards.seed_set}"
    script:
        "../../scripts/draw_map_page.py"


rule maps:
    """All seed maps and their figures."""
    input:
        targets(STUDY, "maps"),
    message:
        "All seed maps are there"

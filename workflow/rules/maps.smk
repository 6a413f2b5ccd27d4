"""Seed maps: the connectivity of a sphere with every voxel, of single runs and over groups.

Needs: the images, masks and confounds of the runs table, sub-*/func/*_desc-*_timeseries.tsv with its sidecar.
Gives: sub-*/func/*_seed-*_statmap.nii.gz, group/*_seed-*_statmap.nii.gz, *_peaks.tsv, group/figures/*_seed-*_slices.*.
"""

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


rule maps:
    """All seed maps and their figures."""
    input:
        targets(STUDY, "maps"),
    message:
        "All seed maps are there"

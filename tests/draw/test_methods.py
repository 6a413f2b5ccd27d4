"""The methods text says what was done, and cites what was used and nothing else."""

import pytest

from sphereconn.draw.methods import DataUsed, DenoisingUsed, SeedSetUsed, methods
from sphereconn.study.denoising import NOTHING

POWER = SeedSetUsed(
    "power264",
    {"seeds": "power264", "smoothing_fwhm": 6.0, "overlap": "error", "min_coverage": 0.5},
    264,
    (5.0, 5.0),
)
OWN = SeedSetUsed(
    "mine",
    {"seeds": "config/mine.tsv", "smoothing_fwhm": 0.0, "overlap": "nearest", "min_coverage": 0.25},
    1,
    (6.0, 8.0),
)
BANDPASS = {
    "confounds": ["csf", "trans_*"],
    "confounds_if_any": [],
    "detrend": True,
    "filter": "butterworth",
    "high_pass": 0.01,
    "low_pass": 0.1,
    "missing_confounds": "error",
    "order": 5,
    "padtype": "gaussian_process",
    "interpolation": "gaussian_process",
    "standardize": "zscore_sample",
    "strategy": None,
    "non_steady_state": "censor",
    "scrub": None,
    "min_frames": None,
    "min_minutes": None,
    "min_degrees_of_freedom": None,
    "max_mean_framewise_displacement": None,
}
COLUMNS = dict.fromkeys(("csf", "trans_x", "trans_y", "trans_z"), 15)
DATA = DataUsed(15, 14, (190, 200), (2.5, 2.52), (7.92, 8.4), ["MNI152NLin2009cAsym"], [["fMRIPrep", "23.2.0"]])
STUDY = {
    "data": DATA,
    "seed_sets": [POWER],
    "denoising": [DenoisingUsed("bandpass", 15, BANDPASS, (4, 4), (86.72, 90.0), (70.0, 80.0), columns=COLUMNS)],
    "estimators": {"partial": {"kind": "partial correlation", "covariance": "ledoit_wolf", "samples": "effective"}},
    "groups": ["site"],
    "motion_known": True,
    "software": {"sphereconn": ["0.1.0"], "python": ["3.11.7"], "numpy": ["2.3.0", "2.4.6"]},
}


def texts(**changes):
    return dict(methods(**{**STUDY, **changes}).paragraphs)


def denoised(degrees_of_freedom=(10.0, 10.0), effective=(7.5, 9.0), regressors=(4, 4), **changes):
    settings = {**BANDPASS, **changes}
    columns = COLUMNS if settings["confounds"] else {}
    used = DenoisingUsed("it", 15, settings, regressors, degrees_of_freedom, effective, columns=columns)
    return texts(denoising=[used])["Denoising"]


def test_the_data_are_counted_and_the_software_is_named_with_versions():
    assert texts()["Data and software"] == (
        "The data comprised 15 functional runs from 14 subjects, preprocessed with fMRIPrep 23.2.0 (Esteban et al.,"
        " 2019), in MNI152NLin2009cAsym space. Each run lasted 7.9 to 8.4 min (190 to 200 frames, repetition time 2.5"
        " to 2.52 s). The data were analysed with sphereconn 0.1.0, a workflow based on Snakemake (Mölder et al.,"
        " 2021), in Python 3.11.7 with NumPy 2.3.0 and 2.4.6 (Harris et al., 2020). Results were organized according to"
        " the Brain Imaging Data Structure (Gorgolewski et al., 2016)."
    )


def test_what_is_not_known_of_the_preprocessing_is_not_said():
    text = texts(data=DataUsed(15, 14, (200, 200), (2.0, 2.0), (6.67, 6.67)))["Data and software"]
    assert text.startswith(
        "The data comprised 15 preprocessed functional runs from 14 subjects. Each run lasted 6.7 min (200 frames,"
        " repetition time 2 s). The"
    )
    programs = [["XCP-D", ""], ["fMRIPrep", "23.2.0"]]
    text = texts(data=DataUsed(2, 2, (200, 200), (2.0, 2.0), (6.67, 6.67), [], programs))["Data and software"]
    assert "2 subjects, preprocessed with XCP-D and fMRIPrep 23.2.0 (Esteban et al., 2019). Each" in text


def test_an_atlas_gives_the_centres_of_its_regions():
    atlas = SeedSetUsed("mine", {**OWN.settings, "seeds": "atlas/mine_dseg.nii.gz"}, 100, (5.0, 5.0))
    assert "around the centres of the regions in atlas/mine_dseg.nii.gz." in texts(seed_sets=[atlas])["Spheres"]


def test_one_run_is_one_run():
    of_one = texts(data=DataUsed(1, 1, (200, 200), (2.0, 2.0), (6.67, 6.67), ["MNI152"]))
    assert "Groups" in texts() and "Groups" not in of_one  # there is nothing to average
    text = of_one["Data and software"]
    assert text.startswith(
        "The data comprised 1 preprocessed functional run from 1 subject in MNI152 space. The run lasted 6.7 min (200"
        " frames, repetition time 2 s). The data were analysed"
    )


def test_one_set_of_spheres():
    assert texts()["Spheres"] == (
        "Signals were averaged within 264 spheres of 5 mm radius around the coordinates of Power et al. (2011), after"
        " spatial smoothing with a Gaussian kernel of 6 mm full width at half maximum. A sphere comprised the voxels"
        " whose centres lay within its radius, and in any case the voxel nearest to its centre. The spheres did not"
        " overlap. Voxels outside the image or the brain mask, or without data (0 in every frame, or not finite), were"
        " not used for averaging or smoothing; spheres with less than 50 % coverage were treated as missing in that"
        " run."
    )


def test_several_sets_of_spheres():
    assert texts(seed_sets=[POWER, OWN])["Spheres"] == (
        "Signals were averaged within spheres of 2 sets: power264, 264 spheres of 5 mm radius around the coordinates of"
        " Power et al. (2011), after spatial smoothing with a Gaussian kernel of 6 mm full width at half maximum; mine,"
        " 1 sphere of 6 to 8 mm radius around the coordinates listed in config/mine.tsv. A sphere comprised the voxels"
        " whose centres lay within its radius, and in any case the voxel nearest to its centre. The spheres of power264"
        " did not overlap. Voxels within several spheres of mine were assigned to the sphere with the nearest centre."
        " Voxels outside the image or the brain mask, or without data (0 in every frame, or not finite), were not used"
        " for averaging or smoothing; spheres with less than 25 % or 50 % coverage (depending on the set) were treated"
        " as missing in that run."
    )


def test_denoising_by_a_band_pass_and_confounds():
    assert texts()["Denoising"] == (
        "The mean and the linear trend of the signals and confounds were removed. The signals and confounds were"
        " filtered with a zero-phase Butterworth filter of order 5 (band-pass, 0.01 to 0.1 Hz), after extending them"
        " beyond the ends of each run by their expected values under a Gaussian process with exponential"
        " autocorrelation (corner frequency 0.03 Hz) and white noise of 0.5 times its variance (Rasmussen and Williams,"
        " 2006). The mean CSF signal and the three translations of the head (4 regressors in total, filtered"
        " identically) were then regressed out, to avoid reintroducing filtered frequencies (Lindquist et al., 2019)."
        " The cleaned signals were z-scored. The cleaned signals of each run had 86.7 to 90.0 degrees of freedom (70.0"
        " to 80.0 after accounting for autocorrelation)."
    )


def test_what_nilearn_does_at_gaps_and_ends_is_described_without_the_gaussian_process():
    settings = {
        **BANDPASS,
        "interpolation": "cubic_spline",
        "scrub": {"framewise_displacement": 0.5, "std_dvars": None, "min_segment": 0},
    }
    clauses = {
        "odd": "0.1 Hz), after extending them beyond the ends of each run by point reflection about their end values.",
        "even": "0.1 Hz), after extending them beyond the ends of each run by mirroring.",
        "constant": "0.1 Hz), after extending them beyond the ends of each run by repeating their end values.",
        "none": "0.1 Hz). The mean",
    }
    for padtype, clause in clauses.items():
        text = denoised(**settings | {"padtype": padtype})
        assert clause in text
        assert (
            "censored frames between kept frames were replaced by a cubic spline through the kept frames; all censored"
            " frames were then discarded." in text
        )
        assert "Gaussian" not in text


def test_denoising_by_detrending_alone():
    assert denoised(confounds=[], high_pass=None, low_pass=None, regressors=(0, 0)) == (
        "The mean and the linear trend of the signals were removed. No temporal filter was applied. No confounds were"
        " regressed out. The cleaned signals were z-scored. The cleaned signals of each run had 10.0 degrees of freedom"
        " (7.5 to 9.0 after accounting for autocorrelation)."
    )


def test_denoising_by_cosines():
    assert denoised(
        confounds=["csf"],
        detrend=False,
        filter="cosine",
        high_pass=0.008,
        low_pass=None,
        missing_confounds="mean",
        regressors=(3, 5),
        standardize="psc",
    ) == (
        "The mean CSF signal and discrete cosines slower than 0.008 Hz (3 to 5 regressors in total) were regressed out."
        " Missing values of a confound were replaced by its mean. The cleaned signals were expressed in percent of the"
        " mean signal of each sphere. The cleaned signals of each run had 10.0 degrees of freedom (7.5 to 9.0 after"
        " accounting for autocorrelation)."
    )


@pytest.mark.parametrize(
    ("band", "words"),
    [((0.01, None), "(high-pass, 0.01 Hz)"), ((None, 0.1), "(low-pass, 0.1 Hz)")],
)
def test_filters_of_one_side(band, words):
    assert words in denoised(high_pass=band[0], low_pass=band[1])


def test_several_denoisings_have_paragraphs_of_their_own():
    used = [
        DenoisingUsed(label, n_runs, BANDPASS, (4, 4), (10.0, 10.0), (7.5, 9.0), columns=COLUMNS)
        for label, n_runs in (("hard", 14), ("soft", 1))
    ]
    paragraphs = methods(**{**STUDY, "denoising": used}).paragraphs
    headings = [heading for heading, _ in paragraphs]
    assert dict(paragraphs)["Denoising “hard”"].startswith("This denoising was applied to 14 runs. The mean and")
    assert dict(paragraphs)["Denoising “soft”"].startswith("This denoising was applied to 1 run. The mean and")
    assert headings == [
        "Data and software",
        "Spheres",
        "Denoising “hard”",
        "Denoising “soft”",
        "Connectomes",
        "Groups",
        "Quality",
    ]


SPARSE = {
    "kind": "sparse inverse covariance",
    "matrix": "partial correlation",
    "alpha": "cv",
    "cv": 3,
    "gap_frames": 0,
    "samples": "frames",
    "gamma": 0.5,
    "gap_per_node": 1e-4,
}
GROUP_SPARSE = {key: value for key, value in SPARSE.items() if key != "gamma"} | {
    "kind": "group sparse inverse covariance",
    "min_nodes": 0.5,
}
START = "For each run, the signals were z-scored over time and the connectivity between spheres was estimated as "


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"kind": "correlation", "covariance": "oas", "samples": "frames"},
            "the correlation derived from the covariance with oracle approximating shrinkage (Chen et al., 2010; for"
            " the number of frames).",
        ),
        ({"kind": "covariance", "covariance": "empirical"}, "the empirical covariance."),
        (
            {"kind": "correlation", "covariance": "empirical", "samples": "effective", "z": "xdf"},
            "Pearson’s correlation, with z scores that account for the autocorrelation of the signals (Afyouni et al.,"
            " 2019; variances scaled so that an average edge agrees with the effective degrees of freedom of the run).",
        ),
        (
            {"kind": "tangent", "covariance": "ledoit_wolf", "samples": "effective", "min_nodes": 0.5},
            "the displacement of the covariance shrunk towards a scaled identity (Ledoit and Wolf, 2004; for the"
            " effective number of frames) from the geometric mean over all runs, in the tangent space (Varoquaux,"
            " Baronnet et al., 2010). Joint fits excluded spheres without a signal in any of their runs, and runs with"
            " a signal in less than 50 % of the spheres.",
        ),
        (
            SPARSE,
            "the partial correlation derived from the sparse inverse covariance of the graphical lasso (Friedman et"
            " al., 2008), with a penalty chosen by 3-fold cross-validation and a duality gap of at most 0.0001 per"
            " sphere.",
        ),
        (
            SPARSE | {"matrix": "precision", "gap_frames": 2},
            "the sparse inverse covariance from the graphical lasso (Friedman et al., 2008), with a penalty chosen by"
            " 3-fold cross-validation, with 2 frames left out between training and test data, and a duality gap of at"
            " most 0.0001 per sphere.",
        ),
        (
            SPARSE | {"matrix": "covariance", "alpha": "ebic"},
            "the covariance from the graphical lasso (Friedman et al., 2008), with a penalty chosen by the extended"
            " Bayesian information criterion (Foygel and Drton, 2010; γ = 0.5; for the number of frames) and a duality"
            " gap of at most 0.0001 per sphere.",
        ),
        (
            SPARSE | {"samples": "effective"},
            "the partial correlation derived from the sparse inverse covariance of the graphical lasso (Friedman et"
            " al., 2008), with a penalty chosen by 3-fold cross-validation (if the effective number of frames was"
            " smaller than the number of spheres, the folds were blocks of the same number of uncorrelated samples) and"
            " a duality gap of at most 0.0001 per sphere.",
        ),
        (
            SPARSE | {"matrix": "precision", "alpha": 0.1},
            "the sparse inverse covariance from the graphical lasso (Friedman et al., 2008), with a penalty of 0.1 and"
            " a duality gap of at most 0.0001 per sphere.",
        ),
        (
            GROUP_SPARSE,
            "the partial correlation derived from the sparse inverse covariance of the joint fit to all runs, which"
            " have the same edges (Varoquaux et al., 2010), with a penalty chosen by 3-fold cross-validation and a"
            " duality gap of at most 0.0001 per sphere. Joint fits excluded spheres without a signal in any of their"
            " runs, and runs with a signal in less than 50 % of the spheres.",
        ),
    ],
)
def test_one_estimator(settings, words):
    assert texts(estimators={"it": settings})["Connectomes"] == START + words


def test_several_estimators_are_told_apart_by_their_labels():
    estimators = {
        "full": {"kind": "correlation", "covariance": "empirical"},
        "partial": {"kind": "partial correlation", "covariance": "ledoit_wolf", "samples": "effective"},
    }
    assert texts(estimators=estimators)["Connectomes"] == START + (
        "Pearson’s correlation (full) and the partial correlation derived from the"
        " covariance shrunk towards a scaled identity (Ledoit and Wolf, 2004; for the effective number of frames)"
        " (partial)."
    )
    text = texts(estimators=estimators)["Groups"]
    assert text.startswith(
        "Connectomes were averaged over all runs and over the runs of each level of site. Correlations and partial"
        " correlations were transformed to Fisher’s z before averaging, and the mean was transformed back;"
    )
    three = {**estimators, "cov": {"kind": "covariance", "covariance": "empirical"}}
    text = texts(estimators=three)["Connectomes"]
    assert "(full); the partial" in text and "(partial); and the empirical covariance (cov)." in text


def test_fishers_z_is_said_of_correlations_only():
    assert "Partial correlations were transformed to Fisher’s z" in texts(estimators={"it": SPARSE})["Groups"]
    assert "Fisher" not in texts(estimators={"it": SPARSE | {"matrix": "precision"}})["Groups"]
    text = texts(estimators={"cov": {"kind": "covariance", "covariance": "oas", "samples": "frames"}}, groups=[])[
        "Groups"
    ]
    assert text == (
        "Connectomes were averaged over all runs. Spheres without a signal were excluded only for the runs concerned."
    )


def test_nothing_is_said_of_combined_runs_where_none_are():
    assert "Combined runs" not in texts() and "over all runs" in texts()["Groups"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("concatenate", "the cleaned signals were z-scored within each run and concatenated"),
        ("average", "the connectomes of the runs of a subject were averaged (correlations as Fisher’s z)"),
    ],
)
def test_combined_runs_are_what_groups_are_made_of(how, words):
    found = texts(combine={"how": how, "over": ["run", "session"], "weights": "equal"})
    assert found["Combined runs"].startswith(
        f"Runs of a subject that differed only in run and session were combined: {words}"
    )
    assert found["Groups"].startswith(
        "Connectomes were averaged over all combined runs and over the combined runs of each level of site."
    )
    assert found["Groups"].endswith("Spheres without a signal were excluded only for the combined runs concerned.")


def test_the_references_are_those_that_the_text_cites_and_no_others():
    everything = methods(**STUDY)
    text = " ".join(paragraph for _, paragraph in everything.paragraphs)
    assert [reference.in_brackets for reference in everything.references] == [
        "Afyouni et al., 2019",
        "Bayley and Hammersley, 1946",
        "Esteban et al., 2019",
        "Gorgolewski et al., 2016",
        "Harris et al., 2020",
        "Ledoit and Wolf, 2004",
        "Lindquist et al., 2019",
        "Mölder et al., 2021",
        "Power et al., 2011",
        "Power et al., 2012",
        "Rasmussen and Williams, 2006",
    ]
    for reference in everything.references:
        assert reference.in_brackets in text or reference.in_text in text
        assert reference.year in reference.entry and reference.entry.startswith(reference.authors.split()[0])


def test_without_motion_its_reference_is_not_cited():
    cited = [reference.doi for reference in methods(**{**STUDY, "motion_known": False}).references]
    assert "10.1016/j.neuroimage.2011.10.018" not in cited
    assert "framewise" not in texts(motion_known=False)["Quality"]


def test_a_strategy_is_described_part_by_part_with_its_references():
    parts = {"motion": "full", "wm_csf": "full", "global_signal": "full"}
    text = denoised(confounds=[], strategy={**NOTHING, **parts})
    assert (
        "The six head-motion parameters with their temporal derivatives and the squares of both (Friston et al., 1996;"
        " Satterthwaite et al., 2013); the mean white-matter and cerebrospinal-fluid (CSF) signals with their temporal"
        " derivatives and the squares of both (Satterthwaite et al., 2013); and the global signal with its temporal"
        " derivatives and the squares of both (Satterthwaite et al., 2013) (4 regressors in total, filtered"
        " identically) were then regressed out"
    ) in text
    assert "This 36-parameter strategy is evaluated by Ciric et al. (2017)." in text
    assert "The first value of each derivative, which is undefined, was set to the next one." in text
    assert "censored" not in text and "No confounds" not in text
    more = denoised(confounds=[], strategy={**NOTHING, **parts, "compcor": "anat_combined"})
    assert "Ciric" not in more  # who did not evaluate these parameters with components
    for key in ("confounds", "confounds_if_any"):
        assert "Ciric" not in denoised(**{"confounds": [], key: ["cosine*"]}, strategy={**NOTHING, **parts})
    parts = {"compcor": "anat_separated", "n_compcor": "50%", "high_pass": True, "ica_aroma": "basic"}
    text = denoised(strategy={**NOTHING, **parts})
    assert "As many components as explain 50 % of the variance from CompCor in each of the white-matter and CSF" in text
    assert "(Behzadi et al., 2007; Muschelli et al., 2014); the motion components from ICA-AROMA (Pruim" in text
    assert "the discrete cosines from fMRIPrep (Esteban et al., 2019), which model slow drifts; the mean CSF" in text
    text = denoised(confounds=[], strategy={**NOTHING, "ica_aroma": "full"})
    assert "The images had previously been denoised with ICA-AROMA (Pruim et al., 2015)." in text
    assert "No confounds were regressed out." in text


def test_frames_before_the_steady_state_that_are_kept_are_said_to_be_kept():
    kept = "Any frames marked as acquired before the scanner reached its steady state were kept."
    assert kept in denoised(non_steady_state="keep")
    assert kept not in denoised(non_steady_state="censor")


def test_a_run_that_is_left_out_for_one_set_of_spheres_only_is_said_to_be():
    used = DenoisingUsed(
        "it", 8, {**BANDPASS, "min_frames": 50}, (4, 4), (10.0, 10.0), (7.5, 9.0), n_left_out=2, n_left_out_in_part=1
    )
    text = texts(denoising=[used])["Denoising"]
    assert (
        "Runs with fewer than 50 frames after censoring were excluded (n = 2; 1 for some sets of spheres only)." in text
    )


def test_censoring_and_the_minimum_are_described_with_what_came_of_them():
    scrub = {"framewise_displacement": 0.5, "std_dvars": 1.5, "min_segment": 5}
    settings = {**BANDPASS, "scrub": scrub, "strategy": NOTHING, "min_minutes": 4.0, "min_degrees_of_freedom": 10.0}
    settings["max_mean_framewise_displacement"] = 0.5
    used = DenoisingUsed(
        "it",
        15,
        settings,
        (4, 4),
        (10.0, 10.0),
        (7.5, 9.0),
        n_left_out=2,
        censored=(0.0, 0.125),
        without_data={"sub-01": 2, "sub-07": 1},
    )
    text = texts(denoising=[used])["Denoising"]
    for sentence in (
        "Frames marked as acquired before the scanner reached its steady state were censored.",
        "Frames with a framewise displacement above 0.5 mm or a standardized DVARS above 1.5 were censored (Power et"
        " al., 2012; Power et al., 2014), as were stretches of fewer than 5 frames between censored frames.",
        "Between 0 % and 12.5 % of frames were censored per run.",
        "Frames without data (image 0 everywhere, or not finite; 3 frames in 2 runs) were treated as censored.",
        "For filtering, censored frames between kept frames were replaced by their expected values under a Gaussian"
        " process with exponential autocorrelation (corner frequency 0.03 Hz) and white noise of 0.5 times its variance"
        " (Rasmussen and Williams, 2006); all censored frames were then discarded.",
        "Runs with less than 4 min of data or fewer than 10 effective degrees of freedom after censoring, or with a"
        " mean framewise displacement above 0.5 mm, were excluded (n = 2).",
    ):
        assert sentence in text
    cited = {reference.doi for reference in methods(**{**STUDY, "denoising": [used]}).references}
    assert {"10.1016/j.neuroimage.2011.10.018", "10.1016/j.neuroimage.2013.08.048"} <= cited


@pytest.mark.parametrize(
    ("expansion", "words", "parameters"),
    [
        ("basic", "", 9),
        ("derivatives", " with their temporal derivatives", None),
        ("power2", " with their squares", None),
        ("full", " with their temporal derivatives and the squares of both", 36),
    ],
)
def test_each_expansion_of_the_parameters_is_described_and_only_those_of_ciric_are_counted(
    expansion, words, parameters
):
    same = {"motion": expansion, "wm_csf": expansion, "global_signal": expansion}
    text = denoised(confounds=[], strategy={**NOTHING, **same})
    end = " (" if expansion == "full" else "; "
    assert f"The six head-motion parameters{words}{end}" in text
    assert f"the mean white-matter and cerebrospinal-fluid (CSF) signals{words}{end}" in text
    assert f"the global signal{words.replace('their', 'its')} (" in text
    counted = [number for number in (9, 12, 18, 24, 36) if f"This {number}-parameter strategy" in text]
    assert counted == ([parameters] if parameters else [])


def test_the_24_parameters_of_motion_alone_are_not_called_a_strategy_of_36():
    text = denoised(confounds=[], strategy={**NOTHING, "motion": "full"})
    assert (
        "The six head-motion parameters with their temporal derivatives and the squares of both (Friston et al., 1996;"
        " Satterthwaite et al., 2013) (4 regressors in total, filtered identically) were then regressed out"
    ) in text
    assert "-parameter strategy" not in text

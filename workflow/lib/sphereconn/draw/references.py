"""The works that the methods of a study cite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A work to cite: authors and year as the text names them, the entry of the list of references, and its DOI."""

    authors: str
    year: str
    entry: str
    doi: str

    @property
    def in_brackets(self) -> str:
        """The citation as it stands in brackets, without them."""
        return f"{self.authors}, {self.year}"

    @property
    def in_text(self) -> str:
        """The citation as a part of a sentence."""
        return f"{self.authors} ({self.year})"


AFYOUNI = Reference(
    "Afyouni et al.",
    "2019",
    "Afyouni S, Smith SM, Nichols TE (2019). Effective degrees of freedom of the Pearson’s correlation coefficient"
    " under autocorrelation. NeuroImage 199:609–625.",
    "10.1016/j.neuroimage.2019.05.011",
)
BAYLEY_HAMMERSLEY = Reference(
    "Bayley and Hammersley",
    "1946",
    "Bayley GV, Hammersley JM (1946). The “effective” number of independent observations in an autocorrelated time"
    " series. Supplement to the Journal of the Royal Statistical Society 8:184–197.",
    "10.2307/2983560",
)
BIDS = Reference(
    "Gorgolewski et al.",
    "2016",
    "Gorgolewski KJ, Auer T, Calhoun VD, et al. (2016). The brain imaging data structure, a format for organizing and"
    " describing outputs of neuroimaging experiments. Scientific Data 3:160044.",
    "10.1038/sdata.2016.44",
)
AMICO_GONI = Reference(
    "Amico and Goñi",
    "2018",
    "Amico E, Goñi J (2018). The quest for identifiability in human functional connectomes. Scientific Reports 8:8254.",
    "10.1038/s41598-018-25089-1",
)
BRIDGEFORD = Reference(
    "Bridgeford et al.",
    "2021",
    "Bridgeford EW, Wang S, Wang Z, et al. (2021). Eliminating accidental deviations to minimize generalization error"
    " and maximize replicability: applications in connectomics and genomics. PLOS Computational Biology 17:e1009279.",
    "10.1371/journal.pcbi.1009279",
)
FINN = Reference(
    "Finn et al.",
    "2015",
    "Finn ES, Shen X, Scheinost D, et al. (2015). Functional connectome fingerprinting: identifying individuals using"
    " patterns of brain connectivity. Nature Neuroscience 18:1664–1671.",
    "10.1038/nn.4135",
)
MCGRAW_WONG = Reference(
    "McGraw and Wong",
    "1996",
    "McGraw KO, Wong SP (1996). Forming inferences about some intraclass correlation coefficients. Psychological"
    " Methods 1:30–46.",
    "10.1037/1082-989X.1.1.30",
)
SHOU = Reference(
    "Shou et al.",
    "2013",
    "Shou H, Eloyan A, Lee S, et al. (2013). Quantifying the reliability of image replication studies: the image"
    " intraclass correlation coefficient (I2C2). Cognitive, Affective, & Behavioral Neuroscience 13:714–724.",
    "10.3758/s13415-013-0196-0",
)
SHROUT_FLEISS = Reference(
    "Shrout and Fleiss",
    "1979",
    "Shrout PE, Fleiss JL (1979). Intraclass correlations: uses in assessing rater reliability. Psychological Bulletin"
    " 86:420–428.",
    "10.1037/0033-2909.86.2.420",
)
SPEARMAN = Reference(
    "Spearman",
    "1910",
    "Spearman C (1910). Correlation calculated from faulty data. British Journal of Psychology 3:271–295.",
    "10.1111/j.2044-8295.1910.tb00206.x",
)
OAS = Reference(
    "Chen et al.",
    "2010",
    "Chen Y, Wiesel A, Eldar YC, Hero AO (2010). Shrinkage algorithms for MMSE covariance estimation. IEEE Transactions"
    " on Signal Processing 58:5016–5029.",
    "10.1109/TSP.2010.2053029",
)
DOSENBACH = Reference(
    "Dosenbach et al.",
    "2010",
    "Dosenbach NUF, Nardos B, Cohen AL, et al. (2010). Prediction of individual brain maturity using fMRI. Science"
    " 329:1358–1361.",
    "10.1126/science.1194144",
)
EBIC = Reference(
    "Foygel and Drton",
    "2010",
    "Foygel R, Drton M (2010). Extended Bayesian information criteria for Gaussian graphical models. Advances in Neural"
    " Information Processing Systems 23:604–612.",
    "10.48550/arXiv.1011.6640",
)
GRAPHICAL_LASSO = Reference(
    "Friedman et al.",
    "2008",
    "Friedman J, Hastie T, Tibshirani R (2008). Sparse inverse covariance estimation with the graphical lasso."
    " Biostatistics 9:432–441.",
    "10.1093/biostatistics/kxm045",
)
LEDOIT_WOLF = Reference(
    "Ledoit and Wolf",
    "2004",
    "Ledoit O, Wolf M (2004). A well-conditioned estimator for large-dimensional covariance matrices. Journal of"
    " Multivariate Analysis 88:365–411.",
    "10.1016/S0047-259X(03)00096-4",
)
LINDQUIST = Reference(
    "Lindquist et al.",
    "2019",
    "Lindquist MA, Geuter S, Wager TD, Caffo BS (2019). Modular preprocessing pipelines can reintroduce artifacts into"
    " fMRI data. Human Brain Mapping 40:2358–2376.",
    "10.1002/hbm.24528",
)
SNAKEMAKE = Reference(
    "Mölder et al.",
    "2021",
    "Mölder F, Jablonski KP, Letcher B, et al. (2021). Sustainable data analysis with Snakemake. F1000Research 10:33.",
    "10.12688/f1000research.29032.2",
)
POWER_2011 = Reference(
    "Power et al.",
    "2011",
    "Power JD, Cohen AL, Nelson SM, et al. (2011). Functional network organization of the human brain. Neuron"
    " 72:665–678.",
    "10.1016/j.neuron.2011.09.006",
)
POWER_2012 = Reference(
    "Power et al.",
    "2012",
    "Power JD, Barnes KA, Snyder AZ, Schlaggar BL, Petersen SE (2012). Spurious but systematic correlations in"
    " functional connectivity MRI networks arise from subject motion. NeuroImage 59:2142–2154.",
    "10.1016/j.neuroimage.2011.10.018",
)
SEITZMAN = Reference(
    "Seitzman et al.",
    "2020",
    "Seitzman BA, Gratton C, Marek S, et al. (2020). A set of functionally-defined brain regions with improved"
    " representation of the subcortex and cerebellum. NeuroImage 206:116290.",
    "10.1016/j.neuroimage.2019.116290",
)
VAROQUAUX = Reference(
    "Varoquaux et al.",
    "2010",
    "Varoquaux G, Gramfort A, Poline JB, Thirion B (2010). Brain covariance selection: better individual functional"
    " connectivity models using population prior. Advances in Neural Information Processing Systems 23:2334–2342.",
    "10.48550/arXiv.1008.5071",
)
TANGENT_SPACE = Reference(
    "Varoquaux, Baronnet et al.",
    "2010",
    "Varoquaux G, Baronnet F, Kleinschmidt A, Fillard P, Thirion B (2010). Detection of brain functional-connectivity"
    " difference in post-stroke patients using group-level covariance modeling. Medical Image Computing and"
    " Computer-Assisted Intervention – MICCAI 2010:200–208.",
    "10.1007/978-3-642-15705-9_25",
)
BEHZADI = Reference(
    "Behzadi et al.",
    "2007",
    "Behzadi Y, Restom K, Liau J, Liu TT (2007). A component based noise correction method (CompCor) for BOLD and "
    "perfusion based fMRI. NeuroImage 37:90–101.",
    "10.1016/j.neuroimage.2007.04.042",
)
CIRIC = Reference(
    "Ciric et al.",
    "2017",
    "Ciric R, Wolf DH, Power JD, et al. (2017). Benchmarking of participant-level confound regression strategies "
    "for the control of motion artifact in studies of functional connectivity. NeuroImage 154:174–187.",
    "10.1016/j.neuroimage.2017.03.020",
)
FMRIPREP = Reference(
    "Esteban et al.",
    "2019",
    "Esteban O, Markiewicz CJ, Blair RW, et al. (2019). fMRIPrep: a robust preprocessing pipeline for functional "
    "MRI. Nature Methods 16:111–116.",
    "10.1038/s41592-018-0235-4",
)
FRISTON = Reference(
    "Friston et al.",
    "1996",
    "Friston KJ, Williams S, Howard R, Frackowiak RSJ, Turner R (1996). Movement-related effects in fMRI time-series."
    " Magnetic Resonance in Medicine 35:346–355.",
    "10.1002/mrm.1910350312",
)
MUSCHELLI = Reference(
    "Muschelli et al.",
    "2014",
    "Muschelli J, Nebel MB, Caffo BS, et al. (2014). Reduction of motion-related artifacts in resting state fMRI "
    "using aCompCor. NeuroImage 96:22–35.",
    "10.1016/j.neuroimage.2014.03.028",
)
POWER_2014 = Reference(
    "Power et al.",
    "2014",
    "Power JD, Mitra A, Laumann TO, et al. (2014). Methods to detect, characterize, and remove motion artifact in "
    "resting state fMRI. NeuroImage 84:320–341.",
    "10.1016/j.neuroimage.2013.08.048",
)
PRUIM = Reference(
    "Pruim et al.",
    "2015",
    "Pruim RHR, Mennes M, van Rooij D, et al. (2015). ICA-AROMA: a robust ICA-based strategy for removing motion "
    "artifacts from fMRI data. NeuroImage 112:267–277.",
    "10.1016/j.neuroimage.2015.02.064",
)
RASMUSSEN = Reference(
    "Rasmussen and Williams",
    "2006",
    "Rasmussen CE, Williams CKI (2006). Gaussian Processes for Machine Learning. MIT Press, Cambridge, Massachusetts.",
    "10.7551/mitpress/3206.001.0001",
)
SATTERTHWAITE = Reference(
    "Satterthwaite et al.",
    "2013",
    "Satterthwaite TD, Elliott MA, Gerraty RT, et al. (2013). An improved framework for confound regression and "
    "filtering for control of motion artifact in the preprocessing of resting-state functional connectivity data. "
    "NeuroImage 64:240–256.",
    "10.1016/j.neuroimage.2012.08.052",
)
SOFTWARE: Mapping[str, tuple[str, Reference]] = {
    "matplotlib": (
        "Matplotlib",
        Reference(
            "Hunter",
            "2007",
            "Hunter JD (2007). Matplotlib: a 2D graphics environment. Computing in Science & Engineering 9:90–95.",
            "10.1109/MCSE.2007.55",
        ),
    ),
    "nibabel": (
        "NiBabel",
        Reference(
            "Brett et al.",
            "2024",
            "Brett M, Markiewicz CJ, Hanke M, et al. (2024). NiBabel. Zenodo.",
            "10.5281/zenodo.591597",
        ),
    ),
    "numba": (
        "Numba",
        Reference(
            "Lam et al.",
            "2015",
            "Lam SK, Pitrou A, Seibert S (2015). Numba: a LLVM-based Python JIT compiler. Proceedings of the Second"
            " Workshop on the LLVM Compiler Infrastructure in HPC, 7.",
            "10.1145/2833157.2833162",
        ),
    ),
    "numpy": (
        "NumPy",
        Reference(
            "Harris et al.",
            "2020",
            "Harris CR, Millman KJ, van der Walt SJ, et al. (2020). Array programming with NumPy. Nature 585:357–362.",
            "10.1038/s41586-020-2649-2",
        ),
    ),
    "scipy": (
        "SciPy",
        Reference(
            "Virtanen et al.",
            "2020",
            "Virtanen P, Gommers R, Oliphant TE, et al. (2020). SciPy 1.0: fundamental algorithms for scientific"
            " computing in Python. Nature Methods 17:261–272.",
            "10.1038/s41592-019-0686-2",
        ),
    ),
}
BENJAMINI_HOCHBERG = Reference(
    "Benjamini and Hochberg",
    "1995",
    "Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate: a practical and powerful approach to"
    " multiple testing. Journal of the Royal Statistical Society B 57:289–300.",
    "10.1111/j.2517-6161.1995.tb02031.x",
)
SMITH_NICHOLS = Reference(
    "Smith and Nichols",
    "2009",
    "Smith SM, Nichols TE (2009). Threshold-free cluster enhancement: addressing problems of smoothing, threshold"
    " dependence and localisation in cluster inference. NeuroImage 44:83–98.",
    "10.1016/j.neuroimage.2008.03.061",
)
WINKLER = Reference(
    "Winkler et al.",
    "2014",
    "Winkler AM, Ridgway GR, Webster MA, Smith SM, Nichols TE (2014). Permutation inference for the general linear"
    " model. NeuroImage 92:381–397.",
    "10.1016/j.neuroimage.2014.01.060",
)
ZALESKY = Reference(
    "Zalesky et al.",
    "2010",
    "Zalesky A, Fornito A, Bullmore ET (2010). Network-based statistic: identifying differences in brain networks."
    " NeuroImage 53:1197–1207.",
    "10.1016/j.neuroimage.2010.06.041",
)
BAGGIO = Reference(
    "Baggio et al.",
    "2018",
    "Baggio HC, Abos A, Segura B, et al. (2018). Statistical inference in brain graphs using threshold-free"
    " network-based statistics. Human Brain Mapping 39:2289–2302.",
    "10.1002/hbm.24007",
)
NOBLE = Reference(
    "Noble and Scheinost",
    "2020",
    "Noble S, Scheinost D (2020). The constrained network-based statistic: a new level of inference for neuroimaging."
    " Medical Image Computing and Computer Assisted Intervention, 458–468.",
    "10.1007/978-3-030-59728-3_45",
)
BLONDEL = Reference(
    "Blondel et al.",
    "2008",
    "Blondel VD, Guillaume JL, Lambiotte R, Lefebvre E (2008). Fast unfolding of communities in large networks. Journal"
    " of Statistical Mechanics: Theory and Experiment 2008:P10008.",
    "10.1088/1742-5468/2008/10/P10008",
)
PARKES = Reference(
    "Parkes et al.",
    "2018",
    "Parkes L, Fulcher B, Yücel M, Fornito A (2018). An evaluation of the efficacy, reliability, and sensitivity of"
    " motion correction strategies for resting-state functional MRI. NeuroImage 171:415–436.",
    "10.1016/j.neuroimage.2017.12.073",
)
RUBINOV_SPORNS = Reference(
    "Rubinov and Sporns",
    "2011",
    "Rubinov M, Sporns O (2011). Weight-conserving characterization of complex functional brain networks. NeuroImage"
    " 56:2068–2079.",
    "10.1016/j.neuroimage.2011.03.069",
)
WANG = Reference(
    "Wang et al.",
    "2024",
    "Wang HT, Meisler SL, Sharmarke H, et al. (2024). Continuous evaluation of denoising strategies in resting-state"
    " fMRI connectivity using fMRIPrep and Nilearn. PLoS Computational Biology 20:e1011942.",
    "10.1371/journal.pcbi.1011942",
)
COMBAT = Reference(
    "Fortin et al.",
    "2018",
    "Fortin JP, Cullen N, Sheline YI, et al. (2018). Harmonization of cortical thickness measurements across scanners"
    " and sites. NeuroImage 167:104–120.",
    "10.1016/j.neuroimage.2017.11.024",
)
COVBAT = Reference(
    "Chen et al.",
    "2022",
    "Chen AA, Beer JC, Tustison NJ, et al. (2022). Mitigating site effects in covariance for machine learning in"
    " neuroimaging data. Human Brain Mapping 43:1179–1195.",
    "10.1002/hbm.25688",
)

Cite = Callable[[Reference], Reference]

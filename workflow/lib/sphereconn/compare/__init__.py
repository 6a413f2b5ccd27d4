"""Compare what choices of a study do to its connectomes: denoising, radius, and how reliable the results are."""

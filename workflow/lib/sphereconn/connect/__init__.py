"""From cleaned signals to a connectome: covariance estimators and the kinds of connectivity derived from them."""

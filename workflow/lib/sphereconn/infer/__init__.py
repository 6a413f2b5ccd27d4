"""Inference over runs: do connectomes differ between groups, go with a score, or differ between sites."""

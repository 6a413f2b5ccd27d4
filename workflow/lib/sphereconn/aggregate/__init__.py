"""From connectomes of runs to those of groups."""

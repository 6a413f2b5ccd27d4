"""Seed maps: the connectivity of a sphere with every voxel, for a run and over a group."""

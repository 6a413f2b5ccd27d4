"""Results read back: the folder of a finished study as tables, matrices and arrays that are chosen by label."""

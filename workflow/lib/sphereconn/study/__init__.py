"""What the user wrote: the configuration, the runs table, the seed tables, and the names of the results."""

"""Everything that the tables and figures of a study share: its results, filtered and grouped."""

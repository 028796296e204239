"""The tables of a study, a module each."""

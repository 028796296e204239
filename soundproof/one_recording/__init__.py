"""A recording that no study holds: brought to a study's form, scored, explained, and shown on a page of its own."""

"""Words and rules of the house that shape no number: errors, registries, choices, messages, progress."""

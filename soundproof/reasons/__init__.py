"""Reasons in words: attributes measured on what a map marks of a sound, rules that name a fault, sentences."""

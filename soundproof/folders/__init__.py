"""Folders of one's own: what names, tables and lengths say about clips."""

"""How results lie on disk: whole files, tables, maps, rows, schemas, provenance."""

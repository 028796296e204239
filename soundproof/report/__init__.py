"""The static page of a study: its tables and figures with what a reader must know to judge them."""

"""Which tables and figures exist, and how they are printed and written."""

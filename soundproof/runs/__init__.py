"""The run: what a job does around its work, which files there must be, what the terminal says."""

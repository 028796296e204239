"""One interpreter that has the libraries loaded, and a fork of it for each job of a local run.

``start`` has the run's jobs called through ``client``; ``server`` answers with a fork. Without a server, or where
it would compute with other threads, the client becomes a plain Python: the same job, some seconds later.
"""

"""What runs are made of: jobs, their records, and what is kept of finished work."""

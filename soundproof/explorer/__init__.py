"""Pages to look at and to listen to explained clips, opened from disk."""

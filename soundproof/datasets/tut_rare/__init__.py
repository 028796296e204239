"""TUT Rare Sound Events 2017: cries, breaking glass and gunshots in everyday backgrounds."""

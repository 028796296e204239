"""What single clips look like to a detector."""

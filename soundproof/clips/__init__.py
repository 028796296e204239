"""What a list of clips says: which are explained, what to be wary of."""

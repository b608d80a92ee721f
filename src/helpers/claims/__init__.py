"""Results -> claims: the literature's statements judged by declared rules."""

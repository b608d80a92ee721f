"""Every declared way to run the analysis at once, and what they say together."""

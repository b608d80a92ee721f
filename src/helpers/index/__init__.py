"""Panel -> indices: scaled, weighted, aggregated, accounted for, derived anew for any sample, and described."""

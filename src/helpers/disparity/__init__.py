"""How a score is spread over units and moves: convergence, inequality and its parts, neighbours, transitions."""

"""Does it fit together: coupling and coordination of dimensions, interaction, returns, features, the loop."""

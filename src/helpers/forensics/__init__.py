"""Which convention made published weights or scores."""

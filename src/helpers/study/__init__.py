"""The study file: every choice a person makes, read once and validated; models and index methods as objects."""

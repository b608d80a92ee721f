"""What a reader sees of a number: tables, figures, sentences, journal files. Knows no model."""

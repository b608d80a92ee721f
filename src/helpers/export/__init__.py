"""Results of a finished run for a manuscript: one number quoted, or all of them in a folder."""

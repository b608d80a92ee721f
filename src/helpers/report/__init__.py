"""Claims -> report: executed notebooks as chapters of one page that opens offline."""

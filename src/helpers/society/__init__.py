"""For whom: equality of services, gaps, functions, and social quality beside government quality."""

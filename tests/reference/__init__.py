"""Data and printed results from outside the project that the tests are checked against."""

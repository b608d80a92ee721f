"""Where: effects by group and tests of their differences."""

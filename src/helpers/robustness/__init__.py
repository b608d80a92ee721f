"""The primary specification changed one thing at a time; who carries it; the index as an estimate."""

"""What else could explain it: omitted variables, placebos, instruments, dynamics."""

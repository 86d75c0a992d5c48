"""The rows of `make bench-bus`."""

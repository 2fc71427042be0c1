"""The benchmark: speed against other packages on one core, in one run (`make bench`)."""

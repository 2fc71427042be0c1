"""One file per rule, same name: read tables, call the science, write tables."""

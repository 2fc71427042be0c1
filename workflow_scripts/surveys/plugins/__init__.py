"""The surveys that the workflow knows, one file each; registry.py finds them."""

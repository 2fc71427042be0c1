"""Pure functions of light curves: cleaning, folding, period search."""

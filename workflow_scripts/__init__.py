"""Variable Sky: from light curves to a calibrated catalogue of classified variable stars."""

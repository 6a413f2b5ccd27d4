"""From sphere signals to cleaned signals: confounds, filters, standardisation."""

"""Problem management: what keeps coming back, why, and whether it is gone."""

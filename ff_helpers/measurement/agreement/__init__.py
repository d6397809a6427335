"""Do graders say the same: pairs, panels, graders against the truth."""

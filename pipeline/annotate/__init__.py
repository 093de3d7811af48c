"""Labelling: which statements, by whom, how far coders agree, and which labels count."""

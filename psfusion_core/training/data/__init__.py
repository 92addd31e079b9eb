"""Data sets on disk and simulated drives, as random windows of aligned planes."""

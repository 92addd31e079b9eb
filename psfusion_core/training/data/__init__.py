"""From data sets on disk and simulated drives to random windows of aligned planes."""

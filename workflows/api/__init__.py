"""`/api/v1/<org>/workflows/…/runs/`: what the followers of a workflow see of its runs."""

"""The admin's pages of workflows. One module for each concept.

Django's autodiscovery imports this package; each module registers its pages.
"""

from workflows.admin import policies, runs, workflows

__all__ = ["policies", "runs", "workflows"]

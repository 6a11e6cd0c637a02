from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)|(?:src|srcset)=\"([^\"]+)\"")


def anchors(file: Path) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    for path, anchor, image in LINK.findall(document.read_text(encoding="utf-8")):
        target = document.parent / (path or image) if path or image else document

        assert target.exists(), f"{document.name}: {path or image}"
        assert not anchor or anchor in anchors(target), f"{document.name}: #{anchor}"


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")

    missing = {file.name for file in folder.glob("*.md") if f"({file.name})" not in index}

    assert missing == {"README.md"}


def test_every_setting_is_in_the_operators_table() -> None:
    settings_file = (ROOT / "pushbridge" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r"\benv\.\w+\(\s*\"(\w+)\"", settings_file))
    table = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert len(names) > 15
    assert {name for name in names if f"`{name}`" not in table} == set()

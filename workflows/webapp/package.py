"""The function's package: handler, page, the code that makes a review's counts, and the vocabulary. Equal contents, equal bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import algorithms.reviews
from algorithms.reviews.bag import Vocabulary
from workflows.webapp import function

PAGE = "page.html"
EPOCH = (1980, 1, 1, 0, 0, 0)


def contents(vocabulary: Vocabulary | None) -> dict[str, str]:
    """Name -> text of all files; without a vocabulary for models that take the review itself."""
    source, reviews = Path(function.__file__).parent, Path(algorithms.reviews.__file__).parent
    found = {
        "handler.py": (source / "handler.py").read_text(encoding="utf-8"),
        PAGE: page(),
        "algorithms/__init__.py": "",
    }
    for name in ("__init__.py", "words.py", "bag.py"):
        found[f"algorithms/reviews/{name}"] = (reviews / name).read_text(encoding="utf-8")
    if vocabulary is not None:
        found["vocabulary.json"] = vocabulary.document()
    return found


def pack(vocabulary: Vocabulary | None) -> bytes:
    """The zip, the same to the byte whenever it is made."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(contents(vocabulary).items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16  # Lambda runs as somebody else, who must be able to read
            archive.writestr(entry, text)
    return data.getvalue()


def page(url: str = "") -> str:
    """The page. With the URL of a stage it works as a file; without one where the function serves it: it asks its own address."""
    text = (Path(function.__file__).parent / PAGE).read_text(encoding="utf-8")
    parts = urlsplit(url)
    api, origin = (f"{url}verdict", f"{parts.scheme}://{parts.netloc}") if url else ("", "'self'")
    return text.replace("{{api}}", api).replace("{{origin}}", origin)

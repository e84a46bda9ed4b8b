"""Serves the review net: a review as plain text, or many as JSON Lines or JSON; probabilities of "positive" out (needs torch 2.x only)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from dictionary import WordDictionary
from net import ReviewNet

TEXT, LINES, JSON, CSV = "text/plain", "application/jsonlines", "application/json", "text/csv"
MEMBER = "review"


@dataclass(frozen=True)
class Model:
    """The net with its dictionary and the length of its rows: what makes numbers of a review belongs to the model."""

    net: ReviewNet
    words: WordDictionary
    length: int


def model_fn(model_dir: str) -> Model:
    """The net as train.py saved it, ready to predict.

    Raises:
        ValueError: The dictionary is not the one that the net was trained with.
    """
    torch.set_num_threads(1)
    folder = Path(model_dir)
    described = json.loads((folder / "model.json").read_text())
    words = WordDictionary.load(folder / "words.json")
    if words.version != described["dictionary"]:
        raise ValueError(
            f"the net was trained with dictionary {described['dictionary']}, and words.json is {words.version}"
        )
    net = ReviewNet(
        words.size, described["embedding_dim"], described["hidden_dim"], pooling=described["pooling"]
    )
    net.load_state_dict(torch.load(folder / "model.pth", map_location="cpu", weights_only=True))
    # In double precision an answer does not depend on the rows beside it: an endpoint and batch transform agree to the last digit told.
    net.double().eval()
    return Model(net, words, int(described["length"]))


def input_fn(body: bytes | str, content_type: str = TEXT) -> list[str]:
    """Reviews of a request.

    Plain text is one review. JSON Lines have one a line, ``{"review": "…"}`` or the text alone; JSON is ``["…", …]``,
    ``{"instances": [{"review": "…"}, …]}`` or ``{"review": "…"}``.

    Raises:
        ValueError: Another content type, no UTF-8, another form, or a review without any text.
    """
    kind = (content_type or TEXT).split(";")[0].strip().lower()
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8")
        if kind == TEXT:
            found: list[Any] = [text]
        elif kind in (LINES, "application/jsonl", "application/x-jsonlines"):
            found = [json.loads(line) for line in text.split("\n") if line.strip()]
        elif kind == JSON:
            data = json.loads(text)
            data = data.get("instances", data) if isinstance(data, dict) else data
            found = data if isinstance(data, list) else [data]
        else:
            raise ValueError(
                f"content type {content_type!r} is not served; send a review as {TEXT}, or many as {LINES} or {JSON}"
            )
        reviews = [one[MEMBER] if isinstance(one, dict) else one for one in found]
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"the {kind} body holds no reviews: {error!r}") from error
    for number, review in enumerate(reviews, 1):
        if not isinstance(review, str) or not review.strip():
            raise ValueError(f"review {number} of the request is no text: {str(review)[:60]!r}")
    if not reviews:
        raise ValueError("the request holds no review")
    return reviews


def predict_fn(reviews: list[str], model: Model) -> list[float]:
    """The probability that each review is positive."""
    rows = [model.words.encode(review, model.length) for review in reviews]
    numbers = torch.tensor([numbers for numbers, _ in rows])
    counts = torch.tensor([count for _, count in rows])
    probabilities: list[float] = model.net.probability(numbers, counts).tolist()
    return probabilities


def output_fn(prediction: list[float], accept: str = JSON) -> str | tuple[str, str]:
    """The answer in the format that was asked for: one number a line, or ``{"predictions": […]}`` when any will do.

    Raises:
        ValueError: Another format was asked for.
    """
    for part in (accept or "*/*").split(","):
        kind = part.split(";")[0].strip().lower()
        if kind in (CSV, TEXT, LINES):
            return "\n".join(repr(value) for value in prediction) + "\n", kind
        if kind in (JSON, "*/*", "application/*"):
            return json.dumps({"predictions": prediction}), JSON
    raise ValueError(f"accept {accept!r} cannot be answered; ask for {CSV}, {TEXT}, {LINES} or {JSON}")

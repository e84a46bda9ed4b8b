"""The second half: the reviews change, and the model after them."""

from __future__ import annotations

import json
from typing import Any

from algorithms.reviews import bag
from workflows.drift.words import compare
from workflows.files import sha256
from workflows.lessons import boosted, subject
from workflows.lessons.boosted import Score
from workflows.lessons.channels import upload
from workflows.lessons.subject import Rows, Subject
from workflows.lessons.updating import fleet
from workflows.lessons.updating.changed import changed
from workflows.studies import batch, gates, training
from workflows.studies.context import Context
from workflows.studies.study import Result
from workflows.transforms.request import TransformRequest
from workflows.webapp import serving

KIND = subject.KINDS["reviews"]
VALIDATION = 0.15
"""Share of the training reviews that is held out: less than the notebooks' 0.4, because there are fewer of them."""
WINDOWS = (25, 50, 100, 200, 400)
"""How many new reviews are looked at."""
BASELINE = 4_000
"""Training reviews that words are compared with at most."""
ALPHA = 0.05
SLICES = ("old", "new")


def read(context: Context) -> Subject:
    """The old reviews."""
    return subject.read(context, "reviews", VALIDATION)


def newer(context: Context, found: Subject, part: str) -> tuple[Rows, Any]:
    """The new reviews of a set, and which of them are changed."""
    seed = int(context.value("seed")) * 10 + subject.SETS.index(part)
    return changed(found.sets[part], str(context.value("word")), float(context.value("share")), seed)


def titled(context: Context, title: str) -> str:
    """A title that says so when the reviews are made up, whatever the houses are."""
    return context.titled(title, bool(context.of("prepare")["source"]["synthetic"]))


def data_inputs(context: Context) -> dict[str, Any]:
    """What the reviews, old and new, depend on."""
    names = ("rows", "split-seed", "vocabulary", "word", "share", "seed")
    return {
        "data": subject.located(context, "reviews").sha256,
        **{name: context.value(name) for name in names},
    }


def current_inputs(context: Context) -> dict[str, Any]:
    """What yesterday's model depends on."""
    return data_inputs(context) | {"hyperparameters": boosted.hyperparameters(context, KIND)}


def current(context: Context) -> Result:
    """Trained on old reviews, scored on old and new test reviews by batch transform, and hosted."""
    found = read(context)
    rows = {name: found.sets[name] for name in ("train", "validation")}
    made = _train(context, "current", rows)
    scores = _scores(context, found, "current", made, made["vocabulary"])
    _tell(context, "Yesterday's model", {"yesterday's model": scores})
    name = context.run.id
    fleet.host(
        context,
        name,
        [fleet.variant("AllTraffic", made["model"], str(context.value("hosting-instance-type")))],
    )
    return Result(
        outputs={**made, "scores": _plain(scores), "endpoint": name},
        files=[context.work / made["vocabulary"]],
        summary=f"{scores['old']} on old test reviews, {scores['new']} on new ones.",
    )


def drift_inputs(context: Context) -> dict[str, Any]:
    """What the comparison of words depends on."""
    return data_inputs(context)


def drift(context: Context) -> Result:
    """Words of more and more new reviews against those of the training reviews; no verdict of a review is looked at."""
    found = read(context)
    before = list(found.sets["train"].texts)[:BASELINE]
    new, _ = newer(context, found, "test")
    word = str(context.value("word")).lower()
    rows: list[list[Any]] = []
    first = 0
    for window in WINDOWS:
        if window > len(new):
            break
        family = compare(before, list(new.texts)[:window], ALPHA)
        names = [one.name for one in family.changes]
        rank = names.index(word) + 1 if word in names else None
        drifted = [one.name for one in family.drifted]
        seen = next((one for one in family.changes if one.name == word), None)
        rows.append(
            [
                window,
                names[0] if names else "",
                ", ".join(drifted[:3]) or "none",
                rank,
                seen.adjusted if seen else None,
            ]
        )
        if not first and drifted and drifted[0] == word:
            first = window
    context.table(
        titled(context, "Words of new reviews against the training reviews'"),
        ["new reviews", "strongest change", "more than chance", f"rank of {word}", "adjusted p"],
        rows,
    )
    if first:
        said: gates.Verdict = "warn"
        reason = (
            f"{word!r} ranks first, and more than chance, within {first} new reviews: the world has changed."
        )
    elif any(row[2] != "none" for row in rows):
        said, reason = "warn", f"Words have changed: {rows[-1][2]}."
    else:
        said, reason = (
            "pass",
            f"No word is used differently in {rows[-1][0] if rows else 0} new reviews: no drift found, which is not no drift.",
        )
    context.send(gates.judgement(context.step, "drift", said, reason, float(first)))
    return Result(outputs={"first": first, "windows": rows}, summary=reason)


def damage_inputs(context: Context) -> dict[str, Any]:
    """What the estimate depends on."""
    return data_inputs(context) | {
        "scores": context.of("current")["scores"],
        "labels": context.value("labels"),
    }


def damage(context: Context) -> Result:
    """A bound without labels, and an estimate with a few, from the hosted model's live answers."""
    found = read(context)
    new, mask = newer(context, found, "test")
    few = min(int(context.value("labels")), len(new))
    vocabulary = bag.load(context.work / context.of("current")["vocabulary"])
    answers = []
    for number in range(few):
        context.check()
        body = bag.libsvm(vocabulary.count(new.texts[number])).encode()
        answers.append(float(context.interface.invoke(context.run.id, body, boosted.LIBSVM, "text/csv")))
        if (number + 1) % 50 == 0:
            context.progress(number + 1, few, "labelled reviews")
    live = boosted.score(KIND, new.labels[:few], answers)
    old = _score(context.of("current")["scores"]["old"])
    affected = float(mask[:few].mean())
    lost, error = old.value - live.value, (old.error**2 + live.error**2) ** 0.5
    context.table(
        titled(context, "The damage"),
        ["what", "accuracy", "±"],
        [
            ["old test reviews", round(old.value, 4), round(old.error, 4)],
            [
                "bound without labels: every review with the word is wrong",
                round(old.value * (1 - affected), 4),
                None,
            ],
            [f"{few} labelled new reviews, live", round(live.value, 4), round(live.error, 4)],
        ],
    )
    real = lost > 2 * error
    reason = f"{few} labels: {live} instead of {old.value:.4f}, {lost:.4f} ± {error:.4f} lost; the word is in {affected:.1%} of them."
    context.send(gates.judgement(context.step, "damage", "warn" if real else "pass", reason, lost, 2 * error))
    return Result(
        outputs={"lost": lost, "error": error, "affected": affected, "live": live.value, "real": real},
        summary=reason,
    )


def retrain_inputs(context: Context) -> dict[str, Any]:
    """What the new model depends on."""
    return current_inputs(context)


def retrain(context: Context) -> Result:
    """Trained on old and new reviews; scored with its own vocabulary and, to see what that does, with the old one."""
    found = read(context)
    rows = {}
    for part in ("train", "validation"):
        new, _ = newer(context, found, part)
        rows[part] = _together(found.sets[part], new)
    made = _train(context, "retrained", rows)
    scores = _scores(context, found, "retrained", made, made["vocabulary"])
    mixed = _scores(context, found, "mixed-up", made, context.of("current")["vocabulary"])
    _words(context, context.of("current")["vocabulary"], made["vocabulary"])
    return Result(
        outputs={**made, "scores": _plain(scores), "mixed_up": _plain(mixed)},
        files=[context.work / made["vocabulary"]],
        summary=f"{scores['old']} on old, {scores['new']} on new test reviews; with the wrong vocabulary {mixed['old'].value:.4f}.",
    )


def gate_inputs(context: Context) -> dict[str, Any]:
    """What the verdict depends on."""
    return {
        "old": context.of("current")["scores"],
        "new": context.of("retrain")["scores"],
        "least": context.value("least"),
    }


def gate(context: Context) -> Result:
    """Whether the new model is good enough for old reviews and better for new ones.

    Raises:
        Refused: It is not, and nobody overruled that.
    """
    before, after = context.of("current")["scores"], context.of("retrain")["scores"]
    mixed = context.of("retrain")["mixed_up"]
    _tell(
        context,
        "Accuracy on old and new test reviews",
        {
            "yesterday's model": {name: _score(before[name]) for name in SLICES},
            "new model": {name: _score(after[name]) for name in SLICES},
            "new model fed with the old vocabulary": {name: _score(mixed[name]) for name in SLICES},
        },
    )
    least, old = float(context.value("least")), _score(after["old"])
    short = least - old.value
    said: gates.Verdict = "pass" if short <= 0 else "warn" if short <= old.error else "fail"
    found = [
        gates.judgement(
            context.step, "old reviews", said,
            f"{old} on old reviews; {least:g} is required" + (" at least." if short <= 0 else f": {short:.4f} short."), old.value, least,
        )
    ]  # fmt: skip
    was, now = _score(before["new"]), _score(after["new"])
    gain, error = now.value - was.value, (now.error**2 + was.error**2) ** 0.5
    drifted = bool(context.of("damage")["real"])
    better: gates.Verdict = (
        "pass"
        if gain > 2 * error
        else "warn"
        if gain >= -error and not drifted
        else "fail"
        if gain < 0
        else "warn"
    )
    found.append(
        gates.judgement(
            context.step, "new reviews", better, f"{now} on new reviews, yesterday's model {was.value:.4f}: {gain:+.4f} ± {error:.4f}.", gain, 2 * error,
        )
    )  # fmt: skip
    same = context.of("retrain")["vocabulary_version"] == context.of("current")["vocabulary_version"]
    wrong = _score(mixed["old"])
    found.append(
        gates.judgement(
            context.step, "vocabulary", "pass",
            "Both models have the same vocabulary." if same else f"The new model goes out with its own vocabulary; with the old one it would be right on {wrong.value:.1%}.",
            wrong.value,
        )
    )  # fmt: skip
    overruled = gates.decide(context, found)
    return Result(
        outputs={"overruled": overruled, "gain": gain}, summary=f"{found[0].reason} {found[1].reason}"
    )


def _train(context: Context, name: str, rows: dict[str, Rows]) -> dict[str, Any]:
    """A model of reviews with a vocabulary of its own: job, artefact, model, vocabulary file and version."""
    vocabulary = bag.fit(rows["train"].texts, int(context.value("vocabulary")))
    file = f"vocabulary-{name}.json"
    vocabulary.save(context.work / file)
    context.artifact("vocabulary", file, str(context.work / file), sha256(context.work / file))
    paths = {}
    for part, one in rows.items():
        paths[part] = context.work / f"reviews-{name}-{part}.libsvm"
        subject.write_labelled(paths[part], one, boosted.encoded(vocabulary, one, True))
    inputs = upload(context, paths, boosted.LIBSVM, name)
    settings = boosted.hyperparameters(context, KIND)
    job = boosted.job(context, f"{context.run.id}-{name}", inputs, settings, KIND, name)
    ((state, _),) = training.train_all(context, [job], 1)
    context.artifact("model", "model.tar.gz", state.model_uri)
    model = f"{context.run.id}-{name}"
    words = context.interface.upload(context.work / file, f"{context.prefix}/{name}")
    batch.need_model(context, model, boosted.image(context), state.model_uri, serving.tags(vocabulary, words))
    return {
        "job": state.name,
        "model_uri": state.model_uri,
        "model": model,
        "vocabulary": file,
        "vocabulary_version": vocabulary.version,
        "billable_seconds": state.billable_seconds or state.train_seconds,
    }


def _scores(context: Context, found: Subject, name: str, made: dict[str, Any], file: str) -> dict[str, Score]:
    """Accuracy on old and new test reviews by batch transform, encoded with the vocabulary of ``file``."""
    vocabulary = bag.load(context.work / file)
    sets = {"old": found.sets["test"], "new": newer(context, found, "test")[0]}
    requests = {}
    for slice_, rows in sets.items():
        path = context.work / f"reviews-{name}-{slice_}.libsvm"
        path.write_text("\n".join(boosted.encoded(vocabulary, rows, False)) + "\n", encoding="utf-8")
        uri = context.interface.upload(path, f"{context.prefix}/reviews")
        requests[slice_] = TransformRequest(
            name=f"{context.run.id}-{name}-{slice_}",
            model=made["model"],
            input=uri,
            output=f"{context.prefix}/answers/{name}-{slice_}",
            content_type=boosted.LIBSVM,
            accept="text/csv",
            instance_type=str(context.value("instance-type")),
            tags=context.tags,
        )
    batch.transform_all(context, list(requests.values()), 2)
    found_scores = {}
    for slice_, request in requests.items():
        rows = sets[slice_]
        file_name = request.input.rpartition("/")[2]
        answers = boosted.parsed(batch.answers(context, request.output, file_name, len(rows)))
        found_scores[slice_] = boosted.score(KIND, rows.labels, answers)
    return found_scores


def _tell(context: Context, title: str, scores: dict[str, dict[str, Score]]) -> None:
    context.table(
        titled(context, title),
        ["model", "old reviews", "±", "new reviews", "± "],
        [
            [
                name,
                *(
                    value
                    for slice_ in SLICES
                    for value in (round(one[slice_].value, 4), round(one[slice_].error, 4))
                ),
            ]
            for name, one in scores.items()
        ],
    )


def _words(context: Context, before: str, after: str) -> None:
    """Which words come and go, and how many columns change their meaning."""
    old, new = (bag.load(context.work / file) for file in (before, after))
    gone, come = sorted(set(old.words) - set(new.words)), sorted(set(new.words) - set(old.words))
    moved = sum(1 for word in set(old.words) & set(new.words) if old.index[word] != new.index[word])
    context.note(
        "Two vocabularies",
        f"{len(gone)} words go and {len(come)} come, and {moved:,} of the {len(new):,} columns mean another word than before.",
        ("gone", "text", ", ".join(gone[:15]) or "none"),
        ("come", "text", ", ".join(come[:15]) or "none"),
        ("versions", "json", json.dumps({"old": old.version, "new": new.version}, indent=2)),
    )


def _together(one: Rows, other: Rows) -> Rows:
    import numpy as np

    return Rows(np.concatenate([one.labels, other.labels]), texts=(*one.texts, *other.texts))


def _plain(scores: dict[str, Score]) -> dict[str, dict[str, float]]:
    return {name: {"value": one.value, "error": one.error} for name, one in scores.items()}


def _score(found: dict[str, float]) -> Score:
    return Score(KIND, found["value"], found["error"])

"""Checks of a corpus before anything is trained: each is a verdict with its reason in a sentence."""

from __future__ import annotations

from algorithms.plagiarism import audit, features
from algorithms.plagiarism.corpus import Corpus
from workflows.events import Gate
from workflows.studies.gates import judgement
from workflows.studies.plagiarism.pinned import Pinned, misaligned


def encodings(step: str, corpus: Corpus) -> Gate:
    """Bytes that are no UTF-8 and were left out."""
    files = [document for document in corpus.documents if document.dropped]
    count = sum(document.dropped for document in files)
    if not count:
        return judgement(step, "encodings", "pass", "Every text is UTF-8.", 0)
    reason = (
        f"{count} bytes in {len(files)} of {len(corpus.documents)} files are no UTF-8 (mixed encodings) and were left out, "
        "as the notebook leaves them out."
    )
    return judgement(step, "encodings", "warn", reason, count)


def unlisted(step: str, corpus: Corpus, others: tuple[str, ...]) -> Gate:
    """Texts in the folder that ``file_information.csv`` does not name."""
    if not others:
        return judgement(
            step, "unlisted texts", "pass", "Every text of the folder is in file_information.csv.", 0
        )
    reason = (
        f"{len(others)} texts are not in file_information.csv and were left out: {', '.join(others[:3])}."
    )
    return judgement(step, "unlisted texts", "warn", reason, len(others))


def duplicates(step: str, pinned: Pinned) -> Gate:
    """Texts with the same words; across the split they make every score too good."""
    leaks = audit.leaks(pinned.corpus, pinned.train.files, pinned.test.files)
    if leaks:
        shown = ", ".join(f"{test} = {train}" for train, test in leaks[:3])
        reason = f"{len(leaks)} test answers have the words of a training answer: {shown}. Every score would be too good."
        return judgement(step, "duplicates", "fail", reason, len(leaks))
    inside = audit.duplicates(pinned.corpus)
    if inside:
        reason = f"{len(inside)} groups of texts have the same words, none of them across the split: {', '.join(inside[0])}."
        return judgement(step, "duplicates", "warn", reason, len(inside))
    return judgement(step, "duplicates", "pass", "No two texts have the same words.", 0)


def alignment(step: str, pinned: Pinned) -> Gate:
    """Whether each row of features is that of its own text (worked out again)."""
    wrong = misaligned(pinned)
    if wrong:
        reason = f"{len(wrong)} rows of features are not those of their texts (misaligned): {'; '.join(wrong[:3])}."
        return judgement(step, "alignment", "fail", reason, len(wrong))
    reason = f"All {len(pinned.features)} rows of features are those of their texts."
    return judgement(step, "alignment", "pass", reason, 0)


def sentinels(step: str, pinned: Pinned) -> Gate:
    """Whether the -1 of originals stays with the originals, out of training, testing and correlations."""
    wrong = audit.sentinels(pinned.features, pinned.corpus)
    if wrong:
        reason = f"{len(wrong)} rows have an original's -1 and are none, or lack it and are one (sentinel rows): {', '.join(wrong[:3])}."
        return judgement(step, "sentinel rows", "fail", reason, len(wrong))
    originals = len(pinned.corpus.originals)
    before, after = (
        float(features.correlations(pinned.features, sentinels=kept).loc["c_1", "c_5"])
        for kept in (True, False)
    )
    reason = (
        f"{originals} originals carry -1 and take part in nothing; with them c_1 and c_5 would correlate {before:.2f} instead of "
        f"{after:.2f}."
    )
    return judgement(step, "sentinel rows", "pass", reason, originals)


def labels(step: str, pinned: Pinned) -> Gate:
    """Whether any feature ranks copied answers apart from others (`workflows.data.audit.shuffled`)."""
    from workflows.data.audit import shuffled

    rows = (pinned.frame["Class"] >= 0).to_numpy()
    values = {str(name): pinned.features.loc[rows, name] for name in pinned.features.columns}
    found = shuffled(values, pinned.frame.loc[rows, "Class"].tolist())
    if found:
        return judgement(step, "labels", "fail", f"{found[0].text} {found[0].remedy}", len(found))
    reason = "Labels go with the texts: features rank copied answers apart from the others, which shuffled labels would not."
    return judgement(step, "labels", "pass", reason, 0)

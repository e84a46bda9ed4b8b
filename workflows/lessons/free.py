"""What a lesson's model must beat: answers that cost nothing, fitted on this machine in seconds."""

from __future__ import annotations

from typing import Any

from workflows.lessons.subject import Subject


def baselines(subject: Subject, sets: tuple[str, ...] = ("train", "validation")) -> dict[str, Any]:
    """Answers for the test rows by the baseline's name, best known last.

    Houses: the mean price; linear regression on standardised features. Reviews: the commoner verdict; logistic regression on
    counts of the `bag.SIZE` commonest words (C = 0.1 was best of 0.01 to 1 on validation reviews), and on TF-IDF of words. Fitted on the rows of ``sets``.
    """
    import numpy as np

    rows = [subject.sets[name] for name in sets]
    labels = np.concatenate([one.labels for one in rows])
    test = subject.sets["test"]
    if subject.name == "reviews":
        from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        from algorithms.reviews import bag
        from algorithms.reviews.words import review_to_words

        # Taken apart once: every vectorizer takes the words as they are.
        texts = [review_to_words(text) for one in rows for text in one.texts]
        asked = [review_to_words(text) for text in test.texts]
        common = float(labels.mean() >= 0.5)
        vectorizer = TfidfVectorizer(analyzer=list, min_df=2, sublinear_tf=True)
        model = LogisticRegression(C=10, max_iter=300).fit(vectorizer.fit_transform(texts), labels)
        counter = CountVectorizer(analyzer=list, max_features=bag.SIZE)
        counting = LogisticRegression(C=0.1, max_iter=300).fit(counter.fit_transform(texts), labels)
        return {
            "the commoner verdict": np.full(len(test), common),
            "logistic regression on word counts": counting.predict_proba(counter.transform(asked))[:, 1],
            "logistic regression on TF-IDF": model.predict_proba(vectorizer.transform(asked))[:, 1],
        }
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = np.concatenate([one.features for one in rows])
    line = make_pipeline(StandardScaler(), LinearRegression()).fit(features, labels)
    return {
        "the mean price": np.full(len(test), labels.mean()),
        "linear regression": line.predict(test.features),
    }

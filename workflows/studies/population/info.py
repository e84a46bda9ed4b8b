"""What the menu shows of the population study, and its parameters."""

from __future__ import annotations

from workflows.studies.catalog import StudyInfo
from workflows.studies.machines import HOSTING, TRAINING
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter
from workflows.studies.population import notebook

_DATA = (
    ("auto", "an import of your own, the real census, else the built-in sample"),
    ("synthetic", "the built-in sample, even where the real census is there"),
)
_SCALING = (
    ("minmax", "each column from 0 to 1, as in the lesson"),
    ("standard", "each column to mean 0 and standard deviation 1"),
)
_HOST = (
    ("kmeans", "K-Means alone; this machine projects, which is one matrix product"),
    ("both", "PCA and K-Means: two calls for a county, two endpoints to pay for"),
)
_INIT = (("random", "rows of the first batch"), ("kmeans++", "rows far from each other"))

POPULATION = StudyInfo(
    name="population",
    title="Population segmentation: PCA and K-Means",
    summary="Reduces 34 facts about each US county to the components that explain 80 % of their variance, finds out how many segments "
    "are there, names them by what is unusual in them, and tells which one a county belongs to, and why.",
    teaches=(
        "how many components a stated share of the variance needs, and what they are made of",
        "that an elbow in a picture decides nothing: distance, silhouette and stability of each k, beside what chance gives",
        "to project and score by batch transform, without an endpoint for rows that are all known",
        "why segments change their numbers from run to run, and how they keep them",
    ),
    minutes=(2, 40),
    parameters=(
        Parameter("data", "choice", "auto", "Where the census comes from.", choices=_DATA),
        Parameter("county", "text", "", 'Which county is looked up, such as "Los Angeles, California"; empty: the most populous one.'),
        Parameter("scaling", "choice", "minmax", "How columns are brought to one scale.", choices=_SCALING),
        Parameter("leave-out", "text", "", "Columns that are left out, with commas between them."),
        Parameter("num-components", "int", 0, "Components that PCA computes; 0: one fewer than there are columns.", 0, 1000),
        Parameter("goal", "float", 0.8, "Share of the variance that the components which are kept must explain.", 0.01, 1.0),
        Parameter("k", "int", 0, "Number of segments; 0: chosen by the curves.", 0, 100),
        Parameter("k-least", "int", 2, "Smallest number of segments that is tried.", 2, 100),
        Parameter("k-most", "int", 14, "Largest number of segments that is tried.", 2, 100),
        Parameter("starts", "int", 20, "Beginnings of scikit-learn's k-means for each k; the best one counts.", 1, 500),
        Parameter("bootstraps", "int", 25, "Draws that tell how stable the clusters of each k are.", 2, 500, unit="draws"),
        Parameter("nulls", "int", 5, "Data sets with shuffled columns that tell what chance gives.", 2, 100),
        Parameter("stability", "float", 0.75, "Jaccard index to which draws must find each segment again for a k to be stable.", 0.0, 1.0),
        Parameter("seed", "int", 0, "Seed of the curves and baselines; SageMaker's jobs begin at random.", 0, 2**31 - 1),
        Parameter("epochs", "int", 1, "K-Means' passes over the counties.", 1, 100),
        Parameter("init-method", "choice", "random", "Where K-Means begins.", choices=_INIT),
        Parameter("msd-limit", "float", 0.05, "K-Means may end up this share above the best of scikit-learn's starts.", 0.0, 10.0),
        Parameter("host", "choice", "kmeans", "What is hosted.", choices=_HOST),
        Parameter("instance-type", "choice", "ml.m5.large", "Machine for training and transform jobs.", choices=TRAINING),
        Parameter("hosting-instance-type", "choice", "ml.t2.medium", "Machine for each endpoint.", choices=HOSTING),
        Parameter("max-minutes", "int", 30, "Each training job is stopped after this time.", 1, 1440, unit="minutes"),
    ),
    steps=(
        ("prepare", "Read and scale the counties"),
        ("audit", "Audit the data"),
        ("baseline", "Free baselines and chance"),
        ("reduce", "Train PCA, project by transform"),
        ("choose", "Choose the number of segments"),
        ("train", "Train K-Means"),
        ("gate", "Gate: are they segments?"),
        ("evaluate", "Score, name and number them"),
        ("deploy", "Host the model"),
        ("predict", "Ask it, look a county up"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.studies.population.study",
    presets={
        "as-in-notebook": {
            "scaling": "minmax",
            "num-components": 33,
            "goal": 0.8,
            "k": 8,
            "epochs": 1,
            "init-method": "random",
            "host": "both",
        }
    },
    measures=(
        Measure(
            "explained_variance", "Variance explained", unit="share", notebook=notebook.EXPLAINED[notebook.COMPONENTS], sums_up=True
        ),
        Measure("k", "Segments", ""),
        Measure("weakest_segment", "Weakest segment found again"),
        Measure("silhouette", "Silhouette", baseline="chance_silhouette", sums_up=True),
        Measure(
            "stability", "Stability (adjusted Rand)", spread="stability_spread", spread_of="{} bootstrap draws", seeds="draws"
        ),
        Measure("msd", "Mean squared distance", "lower"),
        Measure("agreement_with_earlier", "Counties that kept their number", unit="share"),
    ),
)  # fmt: skip

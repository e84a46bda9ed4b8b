"""The data sets that the studies and the lessons use."""

from __future__ import annotations

from workflows.data.dataset import Column, Dataset, Origin, Part
from workflows.problem import Problem

_TOPHER = "https://s3.amazonaws.com/video.udacity-data.com/topher/2019"


def _shares(names: str, about: str) -> tuple[Column, ...]:
    return tuple(Column(name, "float", 0, 100, about=about) for name in names.split())


CENSUS = Dataset(
    name="census",
    title="US counties, American Community Survey 2015",
    about="34 facts about each of 3,220 counties: people, income, poverty, occupations, commuting, employment.",
    study="population",
    licence="US Census Bureau, public domain",
    origin=Origin(
        page="https://www.census.gov/programs-surveys/acs",
        url="https://aws-ml-blog-sagemaker-census-segmentation.s3.amazonaws.com/Census_Data_for_SageMaker.csv",
        size=613_237,
        md5="066d37f43f7762f1eb409b1660fe9763",
        manual=(
            "Get acs2015_county_data.csv from https://www.kaggle.com/datasets/muonneutrino/us-census-demographic-data "
            "(a Kaggle account is needed).",
        ),
    ),
    parts=(Part("table", ("acs2015_county_data.csv", "Census_Data_for_SageMaker.csv")),),
    columns=(
        Column("CensusId", "int", 1, 99_999, about="county code"),
        Column("State", "text"),
        Column("County", "text"),
        Column("TotalPop", "int", 0, 50_000_000),
        Column("Men", "int", 0, 50_000_000),
        Column("Women", "int", 0, 50_000_000),
        *_shares("Hispanic White Black Native Asian Pacific", "per cent of people"),
        Column("Citizen", "int", 0, 50_000_000),
        Column("Income", "float", 0, 1_000_000, missing=32, about="median household income, dollars"),
        Column("IncomeErr", "float", 0, 1_000_000, missing=32),
        Column("IncomePerCap", "float", 0, 1_000_000, missing=32, about="dollars"),
        Column("IncomePerCapErr", "float", 0, 1_000_000, missing=32),
        Column("Poverty", "float", 0, 100, missing=32, about="per cent of people"),
        Column("ChildPoverty", "float", 0, 100, missing=32, about="per cent of children"),
        *_shares("Professional Service Office Construction Production", "per cent of the employed"),
        *_shares("Drive Carpool Transit Walk OtherTransp WorkAtHome", "per cent of commuters"),
        Column("MeanCommute", "float", 0, 300, about="minutes"),
        Column("Employed", "int", 0, 50_000_000),
        *_shares("PrivateWork PublicWork SelfEmployed FamilyWork", "per cent of the employed"),
        Column("Unemployment", "float", 0, 100, about="per cent"),
    ),
    rows=3_220,
)

CREDITCARD = Dataset(
    name="creditcard",
    title="Credit card transactions of two days",
    about="284,807 transactions of European cards in September 2013, 492 of them frauds; 28 principal components, the time and the amount.",
    study="fraud",
    licence="Database Contents License (DbCL) 1.0; Worldline and the Machine Learning Group of ULB",
    origin=Origin(
        page="https://www.kaggle.com/datasets/mlg-ulb/creditcardfraud",
        url=f"{_TOPHER}/January/5c534768_creditcardfraud/creditcardfraud.zip",
        manual=(
            "Get creditcardfraud.zip from https://www.kaggle.com/datasets/mlg-ulb/creditcardfraud (a Kaggle account is needed).",
        ),
    ),
    parts=(
        Part(
            "table",
            ("creditcard.csv", "creditcard.csv.gz", "creditcard_sample.csv.gz"),
            samples=("creditcard_sample.csv.gz",),
        ),
    ),
    columns=(
        Column("Time", "float", 0, 172_800, about="seconds since the first transaction"),
        *(Column(f"V{number}", "float", -500, 500, about="principal component") for number in range(1, 29)),
        Column("Amount", "float", 0, 100_000, about="euros"),
        Column("Class", "category", choices=("0", "1"), about="1 is fraud"),
    ),
    rows=284_807,
    label="Class",
)

ENERGY = Dataset(
    name="energy",
    title="A household's electric power, 2006 to 2010",
    about="Sums of each of 1,442 days, 2006-12-16 to 2010-11-26, of what was measured every minute in a house near Paris; for the mean power in kW "
    "divide Global_active_power by 1,440.",
    study="forecasting",
    licence="CC BY 4.0; Hebrail and Berard, UCI Machine Learning Repository 235",
    origin=Origin(
        page="https://archive.ics.uci.edu/dataset/235/individual+household+electric+power+consumption",
        url=f"{_TOPHER}/March/5c88a3f1_household-electric-power-consumption/household-electric-power-consumption.zip",
        manual=(
            "Get the zip from https://archive.ics.uci.edu/dataset/235/individual+household+electric+power+consumption "
            "(no account), or from https://www.kaggle.com/datasets/uciml/electric-power-consumption-data-set (a Kaggle "
            "account is needed).",
        ),
    ),
    parts=(
        Part("daily", ("household_power_daily.csv",)),
        Part("train", ("train.json",), optional=True),
        Part("test", ("test.json",), optional=True),
    ),
    columns=(
        Column("datetime", "date", about="the day"),
        Column(
            "Global_active_power", "float", 0, 20_000, about="kilowatt, summed over the minutes of the day"
        ),
        Column("Global_reactive_power", "float", 0, 20_000, about="kilowatt, summed"),
        Column("Voltage", "float", 0, 500_000, about="volt, summed"),
        Column("Global_intensity", "float", 0, 100_000, about="ampere, summed"),
        Column("Sub_metering_1", "float", 0, 200_000, about="kitchen, watt-hours"),
        Column("Sub_metering_2", "float", 0, 200_000, about="laundry, watt-hours"),
        Column("Sub_metering_3", "float", 0, 200_000, about="water heater and air conditioning, watt-hours"),
        Column("sub_metering_4", "float", -1_000, 400_000, about="all the rest, watt-hours"),
    ),
    rows=1_442,
    label="Global_active_power",
)

PLAGIARISM = Dataset(
    name="plagiarism",
    title="Short answers with known plagiarism",
    about="95 answers to five questions: copied, lightly or heavily revised, or written without the source; and the five "
    "sources. Mixed encodings.",
    study="plagiarism",
    licence="Clough and Stevenson, A Corpus of Plagiarised Short Answers (University of Sheffield, 2009), for research",
    origin=Origin(
        page="https://ir.shef.ac.uk/cloughie/resources/plagiarism_corpus.html",
        url=f"{_TOPHER}/January/5c4147f9_data/data.zip",
        size=113_826,
        manual=("Get the corpus from https://ir.shef.ac.uk/cloughie/resources/plagiarism_corpus.html.",),
    ),
    parts=(Part("table", ("file_information.csv",)), Part("test_info", ("test_info.csv",), optional=True)),
    columns=(
        Column("File", "text", about="the text's file"),
        Column("Task", "category", choices=("a", "b", "c", "d", "e")),
        Column("Category", "category", choices=("non", "heavy", "light", "cut", "orig")),
    ),
    rows=100,
    label="Category",
)

MOONS = Dataset(
    name="moons",
    title="Two interleaved half circles",
    about="The 450 training points of the moons study, the label first.",
    study="moons",
    licence="none needed: it is generated (scikit-learn's make_moons)",
    origin=Origin(
        page="https://scikit-learn.org/stable/modules/generated/sklearn.datasets.make_moons.html",
        manual=("There is nothing to fetch: the data is generated in each run.",),
    ),
    parts=(Part("table", ("train.csv",)),),
    columns=(
        Column("label", "category", choices=("0", "1", "0.0", "1.0"), about="1 is the lower moon"),
        Column("x", "float", -10, 10),
        Column("y", "float", -10, 10),
    ),
    rows=450,
    label="label",
    header=False,
    stand_in="generated",
)

IMDB = Dataset(
    name="imdb",
    title="Film reviews of IMDB, positive and negative",
    about="50,000 reviews, half of them for training, half of each kind.",
    study="",
    licence="Maas et al. 2011, Large Movie Review Dataset, for research; the reviews belong to their authors",
    origin=Origin(
        page="https://ai.stanford.edu/~amaas/data/sentiment/",
        url="http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        size=84_125_825,
        manual=("Get aclImdb_v1.tar.gz from https://ai.stanford.edu/~amaas/data/sentiment/ (no account).",),
    ),
    parts=(Part("table", ("imdb.csv.gz", "imdb_6000.csv.gz"), samples=("imdb_6000.csv.gz",)),),
    columns=(
        Column("split", "category", choices=("train", "test")),
        Column("label", "category", choices=("pos", "neg")),
        Column("review", "text"),
    ),
    rows=50_000,
    label="label",
)

BOSTON = Dataset(
    name="boston",
    title="Housing values in suburbs of Boston",
    about="506 suburbs, as the first lessons use them.",
    study="",
    licence="Harrison and Rubinfeld 1978; distributed without a licence text",
    origin=Origin(
        page="https://lib.stat.cmu.edu/datasets/boston",
        manual=(
            "Get boston_house_prices.csv from a scikit-learn release before 1.2, or the table from "
            "https://lib.stat.cmu.edu/datasets/boston as CSV with a header.",
        ),
    ),
    parts=(Part("table", ("boston_house_prices.csv",)),),
    columns=(
        Column("CRIM", "float", 0, 100),
        Column("ZN", "float", 0, 100),
        Column("INDUS", "float", 0, 100),
        Column("CHAS", "int", 0, 1),
        Column("NOX", "float", 0, 1),
        Column("RM", "float", 1, 20),
        Column("AGE", "float", 0, 100),
        Column("DIS", "float", 0, 50),
        Column("RAD", "int", 1, 24),
        Column("TAX", "int", 1, 2_000),
        Column("PTRATIO", "float", 1, 50),
        Column("B", "float", 0, 400),
        Column("LSTAT", "float", 0, 100),
        Column("Price", "float", 0, 50, about="thousand dollars; 50 means 50 or more"),
    ),
    rows=506,
    label="Price",
    stand_in="none",
    why_none="scikit-learn withdrew it, because its column B was built to measure the effect of segregation. It is here "
    "only to reproduce the lessons, from your own copy.",
)

HOUSING = Dataset(
    name="housing",
    title="Housing values of California, census of 1990",
    about="20,640 block groups: incomes, ages and sizes of houses, where they are, and the median value.",
    study="",
    licence="Pace and Barry 1997, from the US census of 1990; public domain (StatLib)",
    origin=Origin(
        page="https://scikit-learn.org/stable/datasets/real_world.html#california-housing-dataset",
        url="https://ndownloader.figshare.com/files/5976036",
        sha256="aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681",
        manual=(
            "Get cal_housing.tgz from https://ndownloader.figshare.com/files/5976036, or the columns of "
            "sklearn.datasets.fetch_california_housing(as_frame=True) as CSV with the label named Price.",
        ),
    ),
    parts=(Part("table", ("housing.csv",)),),
    columns=(
        Column("MedInc", "float", 0, 100, about="median income, ten thousand dollars"),
        Column("HouseAge", "float", 0, 100, about="median age of the houses, years"),
        Column("AveRooms", "float", 0, 1_000, about="rooms a household"),
        Column("AveBedrms", "float", 0, 1_000, about="bedrooms a household"),
        Column("Population", "float", 0, 100_000, about="people"),
        Column("AveOccup", "float", 0, 10_000, about="people a household"),
        Column("Latitude", "float", 30, 45, about="degrees north"),
        Column("Longitude", "float", -130, -110, about="degrees east"),
        Column(
            "Price", "float", 0, 10, about="median value, hundred thousand dollars; 5.00001 means 5 or more"
        ),
    ),
    rows=20_640,
    label="Price",
)

DATASETS = (CENSUS, CREDITCARD, MOONS, ENERGY, PLAGIARISM, HOUSING, IMDB, BOSTON)


def find(name: str) -> Dataset:
    """The data set of a name.

    Raises:
        Problem: There is none; the text lists those there are.
    """
    for dataset in DATASETS:
        if dataset.name == name:
            return dataset
    raise Problem(
        f"There is no data set {name!r}.",
        f"Data sets: {', '.join(dataset.name for dataset in DATASETS)}.",
        "not-found",
    )

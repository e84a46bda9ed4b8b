"""What is asked before an A/B test is ended, promoted, fed or deleted, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from operator import methodcaller

from console.formatting import number
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ChoiceScreen, ConfirmScreen
from workflows.abtest.drafting import STOPS
from workflows.abtest.operations import After, Intake
from workflows.abtest.promotion import HOWS, How, Promotion
from workflows.abtest.report import ODDITIES, Report

WAYS: dict[str, How] = {
    "By weights": "weights",
    "Blue/green": "all-at-once",
    "Canary": "canary",
    "Linear": "linear",
}
ENDS: dict[str, After] = {"As before": "before", "All to control": "control", "Keep weights": "keep"}


def confirm_stop(screen: ConsoleScreen, report: Report) -> None:
    """Ask how a test is to end without a winner, and end it."""
    console, name = screen.console, report.name
    if report.state != "running":
        console.flash(f"{name} has ended: {report.state}.", "wait")
        return

    def chosen(choice: str | None) -> None:
        if choice in ENDS:
            after = ENDS[choice]
            console.flash(f"Ending {name} …", "wait")
            console.in_background(
                lambda: console.services.stop_experiment(name, after),
                lambda _: console.flash(f"✓ {name} is stopped; {STOPS[after]}."),
            )

    console.push_screen(
        ChoiceScreen(
            f"End A/B test {name} without a winner?",
            [
                "What it has counted stays. Its endpoint's weights then:",
                *(f"{word}: {STOPS[after]}." for word, after in ENDS.items()),
            ],
            ["Cancel", *ENDS],
            danger=True,
            typed=name if console.services.target == "aws" else "",
            needs_typing=list(ENDS),
            does={word: methodcaller("stop_experiment", name, after) for word, after in ENDS.items()},
        ),
        chosen,
    )


def confirm_weights(screen: ConsoleScreen, name: str, before: str, weights: Mapping[str, float]) -> None:
    """Ask whether a running test is to get these weights, and give them."""
    console = screen.console
    after = " ".join(f"{variant}={weight:g}" for variant, weight in weights.items())

    def chosen(choice: str | None) -> None:
        if choice == "Change":
            console.flash(f"Changing the weights of {name} …", "wait")
            console.in_background(
                lambda: console.services.weigh_experiment(name, weights),
                lambda _: console.flash("✓ The weights are changed; a new segment has begun."),
            )

    console.push_screen(
        ConfirmScreen(
            f"Change the weights of A/B test {name}?",
            [f"Now: {before}", f"Then: {after}", "Its endpoint sends its traffic so at once."],
            "Change",
            typed=name if console.services.target == "aws" else "",
            does=methodcaller("weigh_experiment", name, weights),
        ),
        chosen,
    )


def choose_promotion(screen: ConsoleScreen, report: Report, variant: str) -> None:
    """Ask how a variant is to get all the traffic, show what that does, and do it."""
    console, name = screen.console, report.name
    if report.state != "running":
        console.flash(f"{name} has ended: {report.state}.", "wait")
        return

    def way(choice: str | None) -> None:
        if choice in WAYS:
            how = WAYS[choice]
            console.in_background_to_open(
                lambda: console.services.plan_promotion(name, variant, how), planned
            )

    def planned(promotion: Promotion) -> None:
        def chosen(choice: str | None) -> None:
            if choice == "Promote":
                console.flash(f"Promoting {promotion.variant} …", "wait")
                console.in_background(lambda: console.services.promote(promotion), lambda _: done(promotion))

        doubts = [f"✗ {promotion.doubt}", ""] if promotion.doubt else []
        console.push_screen(
            ConfirmScreen(
                f"Promote {promotion.variant} on endpoint {promotion.endpoint}?",
                [*doubts, *promotion.sentences],
                "Promote",
                typed=promotion.endpoint if console.services.target == "aws" or promotion.doubt else "",
                does=methodcaller("promote", promotion),
            ),
            chosen,
        )

    def done(promotion: Promotion) -> None:
        words = "has all the traffic" if promotion.how == "weights" else "is on its way; 3 shows the endpoint"
        console.flash(f"✓ {promotion.variant} {words}.")
        console.services.refresh()

    console.push_screen(
        ChoiceScreen(
            f"Promote {variant or 'the winner'}: how?",
            [f"{word}: {HOWS[how]}." for word, how in WAYS.items()],
            ["Cancel", *WAYS],
            default="By weights",
        ),
        way,
    )


def confirm_removal(screen: ConsoleScreen, report: Report) -> None:
    """Ask whether a test that has ended is to be deleted, and delete it."""
    console, name = screen.console, report.name
    if report.state == "running":
        console.flash(f"{name} is running: {key('experiment.stop')} ends it first.", "wait")
        return

    def chosen(choice: str | None) -> None:
        if choice == "Delete":
            console.in_background(lambda: console.services.remove_experiment(name), removed)

    def removed(_: object) -> None:
        console.flash(f"✓ {name} is deleted.")
        console.services.refresh()
        if screen.is_current and len(console.screen_stack) > 1:
            console.pop_screen()

    console.push_screen(
        ConfirmScreen(
            f"Delete A/B test {name}?",
            ["Everything that it has counted is gone then. Its endpoint stays as it is."],
            "Delete",
            does=methodcaller("remove_experiment", name),
        ),
        chosen,
    )


def said(intake: Intake) -> str:
    """What came of a feed, in a line."""
    text = f"{number(intake.rows)} rows, {number(intake.counted)} rewards came to count"
    odd = [f"{number(times)} {ODDITIES[what]}" for what, times in intake.oddities.items()]
    return "; ".join([text, *odd])

"""Writes safety.md from the registry of actions, the command tree and `console.parity`: ``python docs/safety.py`` (``--check`` only tells whether it is current)."""

from __future__ import annotations

import sys
from pathlib import Path

from console import actions, parity
from console.keynames import key_name
from console.places import PLACES

PAGE = Path(__file__).with_name("safety.md")

HEAD = """# Safety

<!-- Written by docs/safety.py from the registry of actions, the command tree and console/parity.py; a test holds it current. -->

Nothing is changed by accident, nothing bills unannounced, and everything that was done can be read afterwards.

## Read-only

| | |
|---|---|
| `mlconsole --read-only` | the console and every command of this call only look |
| `read_only = "aws"` in the [configuration](configuration.md), or `MLCONSOLE_READ_ONLY=aws` | AWS is only looked at, the embedded SageMaker can be worked with |
| `read_only = "aws:production"` | so is everything under this AWS profile; several are separated by commas |
| `read_only = "all"` (or `true`) | everywhere |

It is enforced below every screen and command: a hook of the AWS session refuses each operation that is not known to look, before anything is
sent, through boto3 and through the SageMaker SDK alike (`workflows/safety/guard.py`); what changes files here (runs, replays, A/B tests,
data sets) asks the same permission. Processes that are started inherit it. The console hides the keys and says why. What only looks: Describe,
List, Get, Head, Search and the like; an operation that nobody has thought of counts as a change.

## Asking

Three levels: *none*; *yes or no*; on AWS *the name is typed*. The dialog names the resource and keeps to it, whatever happens in the list behind it;
what is marked first is to cancel. Several marked resources are listed, and `verb number` is typed (`stop 3`). Commands ask, too; `--yes` answers, and where nobody can be
asked (a pipe, cron) they refuse without it. AWS stands in the header in the warning colour with account and profile, EMBEDDED in green.

## Dry run

```console
$ mlconsole --dry-run jobs start kmeans -i train=rows.csv -s k=2
$ mlconsole --dry-run endpoints delete fraud --json
```

The calls that would change something are shown with all their parameters, and not sent; those that only look are made, so that plans rest on what is
there. The questions that would be asked, costs included, are shown first. Where the next step depends on an answer that nobody gave (waiting
for what was not created) the dry run ends and says so. In the console `F4` in a question shows the calls that it is about. What is a process of its own (a run, a replay) is shown as its start; a run's calls are in
`mlconsole runs code`. `rollout plan`, `sweep --plan` and `tuning start --dry-run` tell more about their subject.

## Costs first

Whatever bills tells an estimate before: the form of a study, of a lesson, of a tuning job, of a transform job, of a rollout; the question before an endpoint, a web app, a promotion, a replay on
AWS. Estimates are [dated list prices](costs.md) and say so.

## The audit log

`mlconsole audit` (`--since 7d`, `--about fraud`, `--failed`, `--follow`, `--json`) and `:audit` in the console tell every change that was asked for from here: when, who (the user, and behind sudo the
real one), by what (the command, the console's action, the run), where (target, account, region, profile), the operation, the resource, the parameters, the result and how
long it took. Refused ones are in it, too. It is a file of JSON lines, `audit.jsonl` in the state folder (`mlconsole where`), readable by its owner only; one entry is written before
the call and completed after it, so that a killed process leaves `unknown`, not nothing. Values of what is named like a secret are hidden. At 8 MB it is set aside as
`audit.1.jsonl`. Requests to models, metrics and log lines that are written are data and are not listed one by one, as in CloudTrail; the replay that sends them is. A full disk does not keep a
person from deleting what bills: the change is made, and its entry is missing.

"""


def page() -> str:
    """The whole page."""
    lines = ["## Changes in the console", "", "| action | asks | on AWS | estimate | what is asked for | command |", "|---|---|---|---|---|---|"]  # fmt: skip
    for action in actions.ACTIONS:
        if not action.changes:
            continue
        change = parity.CHANGES[action.id]
        key = " ".join(f"`{key_name(key)}`" for key in action.keys.split(",") if key)
        name = f"{PLACES[action.place]}: {key} {action.label.lower()}"
        asks, on_aws = parity.asks(action)
        what = f"opens {parity.place_of(change.opens)}" if change.opens else ", ".join(change.does)
        lines.append(
            f"| {name} | {asks} | {on_aws} | {'' if change.opens else change.cost} | {what} | `{parity.command_of(action)}` |"
        )
    lines += ["", "All of them are refused in read-only mode and are in the audit log.", ""]
    lines += ["## Changes by commands", "", "| command | estimate | what is asked for |", "|---|---|---|"]
    for name, change in parity.COMMAND_CHANGES.items():
        lines.append(
            f"| `mlconsole {name}` | {change.cost} | {', '.join(change.does) or 'a file of prices'} |"
        )
    lines += [
        "",
        "## The console and the command line",
        "",
        "What the console can do is a command with `--json`:",
        "",
        "| action | command |",
        "|---|---|",
    ]
    for action in actions.ACTIONS:
        if command := parity.command_of(action):
            lines.append(f"| {PLACES[action.place]}: {action.label} | `mlconsole {command}` |")
    reasons: dict[str, list[str]] = {}
    for action in actions.ACTIONS:
        if not parity.command_of(action):
            reasons.setdefault(parity.reason_of(action), []).append(action.id)
    lines += ["", "What has none:", ""]
    lines += [f"* {reason}: {len(names)} actions." for reason, names in reasons.items()]
    return HEAD + "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or compare it."""
    if "--check" in sys.argv:
        return 0 if PAGE.read_text(encoding="utf-8") == page() else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

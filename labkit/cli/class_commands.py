"""The commands for a class: preflight, status, reset and report over a roster, and a class to practise on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.terminal import STEP_NAMES, Json, Seed, Weather, can_ask, known_step, print_json, show, tell
from labkit.errors import LabError, UsageError

if TYPE_CHECKING:
    from labkit.fleet.fleet import Fleet

RosterFile = Annotated[Path, typer.Option("--roster", metavar="FILE", help="The class, a CSV or YAML file.")]
Protect = Annotated[list[str] | None, typer.Option(metavar="ID", help="An account that must not be reset. Repeatable.")]
Management = Annotated[
    list[str] | None, typer.Option(metavar="ID", help="A management account that you do mean. Repeatable.")
]

practice = typer.Typer(help="A class of fake accounts to practise on.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer, cloud: typer.Typer) -> None:
    """Add these commands to `labkit`, and those of the practice to `labkit cloud`."""
    for command in (preflight, reset, report):
        app.command()(command)
    cloud.add_typer(practice, name="class")


def open_class(roster: Path, protect: list[str] | None = None, management: list[str] | None = None) -> "Fleet":
    """The class of a roster, telling on standard error what a person should know.

    Raises:
        UsageError: the roster or an account id is wrong.
    """
    from labkit.fleet.roster import read_roster

    read_roster(roster)  # before AWS's SDK is loaded: what is wrong with a call is told at once
    from labkit.fleet.fleet import Fleet

    return Fleet.open(roster, protect=protect or (), management=management or (), tell=tell)


def preflight(roster: RosterFile, protect: Protect = None, management: Management = None, json: Json = False) -> None:
    """Check every account of a class, and what to do about what is wrong. Exit code 1 if anything is."""
    found = open_class(roster, protect, management).preflight()
    show(found, as_json=json)
    _exit_unless(found.passed)


def status(roster: Path, *, json: bool) -> None:
    """Show who of a class has built what, and who is stuck. Exit code 1 if somebody's lab could not be looked at."""
    found = open_class(roster).status()
    show(found, as_json=json)
    _exit_unless(found.passed)


def reset(
    roster: RosterFile,
    execute: Annotated[bool, typer.Option("--execute", help="Delete. Without it nothing is.")] = False,
    through: Annotated[str | None, typer.Option(help=f"Build again, to this step: {STEP_NAMES}.")] = None,
    protect: Protect = None,
    management: Management = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing. For AWS accounts, give --accounts, too.")] = False,
    accounts: Annotated[int | None, typer.Option(help="How many accounts the class has, to agree.")] = None,
    json: Json = False,
) -> None:
    """Show what would be removed of every lab of a class; with --execute, remove it and prove it.

    Exit code 1 if a lab is not clean. After Ctrl-C or a crash, the same command goes on.
    """
    if through is not None and not execute:
        raise UsageError("--through says what to build after a reset.", "Give --execute, too, or leave it out.")
    known_step(through)
    fleet = open_class(roster, protect, management)
    if not execute:
        plan = fleet.plan_reset()
        show(plan, as_json=json)
        _exit_unless(plan.passed)
        return
    report = fleet.reset(_agreed(fleet, accounts, yes=yes), through)
    _tell_path("The report of the class and of each account", fleet.report_files())
    show(report, as_json=json)
    _exit_unless(report.clean)


def _agreed(fleet: "Fleet", accounts: int | None, *, yes: bool) -> int | None:
    """The number of accounts that a person typed, or gave as an option. In a rehearsal `--yes` will do."""
    if accounts is None and yes and fleet.in_rehearsal:
        return len(fleet.roster.accounts)
    if accounts is None and not yes and can_ask():
        typer.echo(fleet.plan_reset().text(), err=True)
        accounts = int(typer.prompt("Type the number of accounts in the roster to go on", type=int, err=True))
    return accounts


def report(roster: RosterFile, json: Json = False) -> None:
    """Show the report of the last reset of a class. Exit code 1 if a lab was not clean."""
    fleet = open_class(roster)
    found = fleet.report()
    tell(f"{found.heading}.")
    _tell_path("Its files", fleet.report_files())
    show(found, as_json=json)
    _exit_unless(found.clean)


def _tell_path(what: str, path: Path) -> None:
    """Say where something is, in one line whatever the width of the terminal."""
    typer.echo(f"{what}: {path}", err=True)


def _exit_unless(good: bool) -> None:
    if not good:
        raise typer.Exit(1)


@practice.command("start")
def practice_start(
    size: Annotated[int, typer.Argument(help="How many accounts.")],
    weather: Weather = "calm",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Start a class of fake accounts and write its roster; or bring the one that runs to another size."""
    from labkit.fleet import rehearsal

    started = rehearsal.start(size, weather=weather, seed=seed)
    _tell_path("The roster", started.roster)
    show(started, as_json=json)


@practice.command("status")
def practice_status(json: Json = False) -> None:
    """Show the fake accounts."""
    from labkit.fleet import rehearsal

    found = rehearsal.status()
    if found.accounts:
        _tell_path("The roster", found.roster)
    show(found, as_json=json)


@practice.command("roster")
def practice_roster() -> None:
    """Print the path of the class's roster, for --roster "$(labkit cloud class roster)"."""
    from labkit.fleet import rehearsal

    found = rehearsal.status()
    if not found.accounts:
        raise LabError("No class is being rehearsed.", "Start one: labkit cloud class start N")
    typer.echo(found.roster)


@practice.command("stop")
def practice_stop(json: Json = False) -> None:
    """Stop every fake account and remove all that is in it."""
    from labkit.fleet import rehearsal
    from labkit.text.wording import counted

    stopped = rehearsal.stop()
    if json:
        print_json({"stopped": stopped})
    else:
        typer.echo(f"Stopped {counted(stopped, 'fake account')}." if stopped else "No class was being rehearsed.")

"""The learner's commands: their copy, their progress, a lab as a chapter begins with it, and a broken one."""

from typing import Annotated

import typer

from labkit.cli.agreement import agree, open_lab
from labkit.cli.terminal import AccountId, Json, Yes, print_json, show


def register(app: typer.Typer) -> None:
    """Add the commands to `labkit`."""
    app.command()(chapters)
    app.command()(progress)
    app.command()(goto)
    app.command("break")(break_it)
    app.command()(symptom)
    app.command()(cause)
    app.command()(mended)


def chapters(
    chapter: Annotated[
        str | None, typer.Argument(help="With --fresh: only this one (01, 02, ...), or lambdas.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Hand out anew; what you had stays beside it.")] = False,
    json: Json = False,
) -> None:
    """Make your copy of the chapters, or go on with it. Nothing that you changed is overwritten."""
    from labkit.learning.copy import make_copy
    from labkit.settings import Settings

    wanted = (chapter or "all") if fresh else None
    show(make_copy(Settings.from_environment().home, fresh=wanted), as_json=json)


def progress(
    erase: Annotated[bool, typer.Option("--erase", help="Forget what was predicted, tried and solved.")] = False,
    json: Json = False,
) -> None:
    """Show what you predicted, tried and solved, by chapter."""
    from labkit.learning.progress import Progress
    from labkit.settings import Settings

    kept = Progress(Settings.from_environment())
    if erase:
        kept.erase()
        print_json({"erased": True}) if json else typer.echo("Your progress is erased.")
    else:
        show(kept.report(), as_json=json)


def goto(
    where: Annotated[str, typer.Argument(help="The last step to stand, or a chapter that you want to begin.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted; change nothing.")] = False,
    yes: Yes = False,
    account: AccountId = None,
    json: Json = False,
) -> None:
    """Build up to a step or a chapter's beginning, and take away what comes after."""
    lab = open_lab()
    if dry_run:
        show(lab.plan_goto(where), as_json=json)
        return
    if lab.settings.place_kind == "aws":
        if not json:
            typer.echo(lab.plan_goto(where).text())
        agree(lab, account, yes=yes)
    show(lab.goto(where), as_json=json)


def break_it(
    seed: Annotated[int | None, typer.Option(help="Chooses the same fault every time.")] = None,
    yes: Yes = False,
    account: AccountId = None,
    json: Json = False,
) -> None:
    """Put one fault into the lab, unseen, and show what a user would report. Then: symptom, cause, mended."""
    lab = open_lab()
    agree(lab, account, yes=yes)
    show(lab.break_it(seed), as_json=json)


def symptom(
    hint: Annotated[bool, typer.Option("--hint", help="Show the next hint instead. It costs nothing.")] = False,
    json: Json = False,
) -> None:
    """Make the failing call of the broken lab once more."""
    lab = open_lab()
    show(lab.hint() if hint else lab.symptom(), as_json=json)


def cause(
    name: Annotated[str | None, typer.Argument(help="Its name; without one, what there is to name.")] = None,
    json: Json = False,
) -> None:
    """Name the cause of the symptom. Exit code 1 if it is another."""
    told = open_lab().name_cause(name)
    show(told, as_json=json)
    if not getattr(told, "right", True):
        raise typer.Exit(1)


def mended(json: Json = False) -> None:
    """Tell whether the broken lab is mended, and then the shortest way. Exit code 1 if it is not."""
    told = open_lab().mended()
    show(told, as_json=json)
    if not told.solved:
        raise typer.Exit(1)

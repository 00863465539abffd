"""The command line: `labkit`. Each command is a few lines over the lab that notebooks use."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import Abort, TyperException

from labkit.cli import class_commands, cloud_commands, learning_commands
from labkit.cli.agreement import agree, open_lab
from labkit.cli.ending import INTERRUPTED, fail, stopped
from labkit.cli.terminal import STEP_NAMES, AccountId, Json, Yes, known_step, print_json, show, tell, wrong_words
from labkit.cli.words import given_text, known_words, no_route, quoted_route
from labkit.errors import LabError, UsageError

if TYPE_CHECKING:
    from labkit.target.target import Place

app = typer.Typer(
    name="labkit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"labkit {version('jwt-authorizer-lab')}")
        raise typer.Exit


@app.callback()
def labkit(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Secure an HTTP API with JWTs, step by step, on your own machine or in an AWS account."""


@app.command()
def up(
    through: Annotated[str | None, typer.Option(help=f"The last step to build: {STEP_NAMES}.")] = None,
    reset_passwords: Annotated[
        bool, typer.Option("--reset-passwords", help="Set new ones; who signs in with the present ones no longer can.")
    ] = False,
    yes: Yes = False,
    account: AccountId = None,
    json: Json = False,
) -> None:
    """Build the lab: create what is missing, mend what drifted."""
    known_step(through)
    lab = open_lab()
    agree(lab, account, yes=yes)
    show(lab.up(through, reset_passwords=reset_passwords), as_json=json)


@app.command()
def status(
    roster: Annotated[Path | None, typer.Option(metavar="FILE", help="Of a class: a CSV or YAML file.")] = None,
    json: Json = False,
) -> None:
    """Show what of the lab exists; with --roster, who of a class has built what and who is stuck."""
    if roster is not None:
        class_commands.status(roster, json=json)
    else:
        show(open_lab().status(), as_json=json)


@app.command()
def check(
    named: Annotated[str | None, typer.Argument(metavar="STEP", help=f"Only one step: {STEP_NAMES}.")] = None,
    step: Annotated[str | None, typer.Option(help="The same, as an option.")] = None,
    json: Json = False,
) -> None:
    """Look at every setting and make the calls. Exit code 1 if anything is wrong."""
    if named and step:
        raise UsageError(f"Two steps are named, {named} and {step}.", "Name one step, or none for the whole lab.")
    step = named or step
    known_step(step)
    report = open_lab().check(step)
    show(report, as_json=json)
    if not report.passed:
        raise typer.Exit(1)


@app.command()
def down(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted; delete nothing.")] = False,
    yes: Yes = False,
    account: AccountId = None,
    json: Json = False,
) -> None:
    """Delete everything of this lab, and nothing else. Exit code 1 if something of it is left."""
    lab = open_lab()
    if dry_run:
        show(lab.plan_removal(), as_json=json)
        return
    plan = None
    if lab.settings.place_kind == "aws":  # the embedded cloud asks for nothing, and is not started for this
        plan = lab.plan_removal()
        if not json:
            typer.echo(plan.text())
        agree(lab, account, yes=yes)
    receipt = lab.down(plan)
    print_json(receipt.to_dict()) if json else typer.echo(receipt.full_text())
    if not receipt.clean:
        raise typer.Exit(1)


@app.command()
def token(
    user: str, kind: Annotated[str, typer.Option(help="id, access or refresh.")] = "id", json: Json = False
) -> None:
    """Sign a user in anew and print the raw token."""
    from labkit.questions.arguments import known_kind, known_user

    known_user(user)
    known_kind(kind)
    raw = open_lab().tokens(user)[kind]
    print_json({"user": user, "kind": kind, "token": raw}) if json else typer.echo(raw)


@app.command()
def password(user: str, json: Json = False) -> None:
    """Print the password of one of the lab's users."""
    from labkit.questions.arguments import known_user

    known_user(user)
    known = open_lab().password(user)
    print_json({"user": user, "password": known}) if json else typer.echo(known)


@app.command(context_settings={"allow_extra_args": True})  # a route without its quotes is two words
def call(
    context: typer.Context,
    route: Annotated[str, typer.Argument(help='A route key: "GET /AdminUser" or "GET /RegularUser".')],
    user: Annotated[str | None, typer.Option("--as", help="The user who signs in for it.")] = None,
    token: Annotated[str | None, typer.Option(help="A value of the Authorization header.")] = None,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Send no token.")] = False,
    stage: Annotated[str, typer.Option(help="$default or Test.")] = "$default",
    kind: Annotated[str, typer.Option(help="Which of the user's tokens: id, access or refresh.")] = "id",
    bearer: Annotated[bool, typer.Option("--bearer", help="Put Bearer before the user's token.")] = False,
    json: Json = False,
) -> None:
    """Send one request to the API. Exit code 0 whatever the HTTP status."""
    from labkit.questions.arguments import NO_TOKEN

    if sum([user is not None, token is not None, anonymous]) > 1:
        raise UsageError("--as, --token and --anonymous exclude each other.", "Give one of them, or none.")
    rest = next(iter(context.args), None)
    quoted_route(route, rest, "labkit call")
    if rest is not None:
        raise UsageError(f"{rest!r} stands after the route, where nothing belongs.", "Name a user with: --as USER")
    known_words(route, user, kind, stage)
    sent = NO_TOKEN if token is None else token
    show(open_lab().call(route, user, stage=stage, kind=kind, bearer=bearer, token=sent), as_json=json)


@app.command(context_settings={"allow_extra_args": True})
def explain(
    context: typer.Context,
    value: Annotated[
        str | None, typer.Argument(metavar="[-- TOKEN | -]", help="A value of the Authorization header; - reads it.")
    ] = None,
    route: Annotated[str, typer.Option(help='A route key: "GET /AdminUser" or "GET /RegularUser".')] = "GET /AdminUser",
    user: Annotated[str | None, typer.Option("--as", help="The user who signs in for it.")] = None,
    stage: Annotated[str, typer.Option(help="$default or Test.")] = "$default",
    kind: Annotated[str, typer.Option(help="Which of the user's tokens: id, access or refresh.")] = "id",
    bearer: Annotated[bool, typer.Option("--bearer", help="Put Bearer before the user's token.")] = False,
    json: Json = False,
) -> None:
    """Say rule by rule why a request is let in or refused. Exit code 1 if what was sent is no token."""
    from labkit.questions.arguments import NO_TOKEN
    from labkit.tokens.token import decode as decode_token

    quoted_route(route, value, "labkit explain --route")
    no_route(" ".join([value or "", *context.args]))
    for rest in context.args:
        raise UsageError(f"{rest!r} stands after the token, where nothing belongs.", "Name a user with: --as USER")
    known_words(route, user, kind, stage)
    token = NO_TOKEN if value is None else given_text(value, "labkit explain")
    lab = open_lab()
    show(lab.explain(route, user, token=token, kind=kind, bearer=bearer, stage=stage), as_json=json)
    if token is not NO_TOKEN and decode_token(token).problem:
        raise typer.Exit(1)


@app.command()
def decode(
    value: Annotated[str, typer.Argument(metavar="TOKEN|-", help="A token, after Bearer or not; - reads it.")],
    json: Json = False,
) -> None:
    """Explain every claim of a token, on this machine and without a lab. Exit code 1 if it is no token."""
    import time

    from labkit.questions.token_reading import read
    from labkit.tokens.token import decode as decode_token

    text = given_text(value, "labkit decode")
    reading = read(text, time.time(), place_at_hand() if decode_token(text).signed else None)
    show(reading, as_json=json)
    if reading.token.problem:
        raise typer.Exit(1)


def place_at_hand() -> "Place | None":
    """Where the keys of user pools are served, if that can be had without starting anything."""
    from labkit.settings import Settings
    from labkit.target.opening import open_target

    try:
        return open_target(Settings.from_environment(), start=False).place
    except LabError:
        return None


@app.command()
def env(json: Json = False) -> None:
    """Print shell lines that lead the AWS CLI and curl to this lab: eval "$(labkit env)"."""
    variables = open_lab().environment()
    if json:
        print_json(variables)
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def commands(
    through: Annotated[str | None, typer.Option(help=f"The last step to build: {STEP_NAMES}.")] = None,
    json: Json = False,
) -> None:
    """Print the AWS CLI lines that build this lab where nothing is, to be pasted after eval "$(labkit env)"."""
    known_step(through)
    show(open_lab().commands(through=through), as_json=json)


@app.command()
def source(
    function: str,
    runtime: Annotated[str | None, typer.Option(help="python3.13 or nodejs22.x; without it, the lab's own.")] = None,
    json: Json = False,
) -> None:
    """Print a function's source: yours, where you have a copy of the lab."""
    show(open_lab().source(function, runtime), as_json=json)


@app.command()
def package(function: str, json: Json = False) -> None:
    """Pack a function's source as Lambda takes it and print the zip file's path."""
    from labkit.machine.private_files import write_bytes
    from labkit.questions.arguments import known_function
    from labkit.settings import Settings
    from labkit.steps.function_code import package as pack

    settings = Settings.from_environment()
    name = function.removeprefix(f"{settings.name}-")
    known_function(name)
    path = settings.home / "packages" / f"{name}-{settings.runtime}.zip"
    write_bytes(path, pack(name, settings.runtime, settings.copy_home).content)
    print_json({"function": name, "path": str(path)}) if json else typer.echo(path)


@app.command()
def template(json: Json = False) -> None:
    """Print the lab as a CloudFormation template. When its stack is there, `labkit up` adds what it cannot say."""
    from labkit.settings import Settings
    from labkit.steps.template import as_yaml
    from labkit.steps.template import template as made

    document = made(Settings.from_environment())
    print_json(document) if json else typer.echo(as_yaml(document), nl=False)


@app.command()
def labs(json: Json = False) -> None:
    """List the labs that this machine has built and not taken away."""
    from labkit.settings import Settings
    from labkit.target.journal import remembered

    show(remembered(Settings.from_environment().home), as_json=json)


@app.command()
def doctor(json: Json = False) -> None:
    """Check that everything is here that the lab needs. Exit code 1 if not."""
    from labkit.settings import Settings
    from labkit.target.doctor import diagnose

    diagnosis = diagnose(Settings.from_environment())
    show(diagnosis, as_json=json)
    if not diagnosis.passed:
        raise typer.Exit(1)


@app.command()
def demo(yes: Yes = False, account: AccountId = None) -> None:
    """Play the whole lab in the terminal, beside your own: build, call, take away."""
    from labkit.cli import demo as demonstration
    from labkit.cloud import process
    from labkit.lab import Lab
    from labkit.settings import Settings

    settings = demonstration.own_settings(Settings.from_environment())
    running = process.find(settings.home)
    try:
        lab = Lab(settings, tell=tell)
        agree(lab, account, yes=yes)
        demonstration.run(lab, typer.echo)
    finally:
        if running is None:
            process.stop(settings.home)


cloud = cloud_commands.register(app)
class_commands.register(app, cloud)
learning_commands.register(app)


def main() -> None:
    """Run a command; every failure is a sentence with its remedy and an exit code that is not 0."""
    as_json = "--json" in sys.argv
    try:
        code = app(prog_name="labkit", standalone_mode=False) or 0
        if code == INTERRUPTED:  # what typer makes of Ctrl-C
            raise KeyboardInterrupt
        sys.exit(code)
    except LabError as error:
        sys.exit(fail(error, as_json=as_json))
    except TyperException as error:
        sys.exit(fail(wrong_words(error), as_json=as_json))
    except (KeyboardInterrupt, Abort):
        sys.exit(stopped())


if __name__ == "__main__":
    main()

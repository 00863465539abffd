"""The embedded cloud's commands: start, stop, status."""

from typing import Annotated

import typer

from labkit.cli.terminal import Json, Seed, Weather, print_json


def register(app: typer.Typer) -> typer.Typer:
    """Add the commands to `labkit`. Returns their group, which takes those of a class, too."""
    cloud = typer.Typer(help="The embedded cloud on this machine.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(cloud, name="cloud")
    for command in (start, stop, status):
        cloud.command()(command)
    return cloud


def start(
    port: Annotated[int | None, typer.Option(help="A free port is chosen by default.")] = None,
    weather: Weather = "calm",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Start the embedded cloud, unless it runs."""
    from labkit.cloud import process
    from labkit.settings import Settings

    process.start(Settings.from_environment().home, port=port, weather=weather, seed=seed)
    status(json)


def stop(json: Json = False) -> None:
    """Stop the embedded cloud with every lab in it, and the class that is rehearsed."""
    from labkit.cloud import process
    from labkit.fleet import rehearsal
    from labkit.settings import Settings
    from labkit.target.journal import forget_embedded

    home = Settings.from_environment().home
    stopped = process.stop(home)
    rehearsal.stop(home)
    forget_embedded(home)
    if json:
        print_json({"stopped": stopped})
    else:
        typer.echo("The embedded cloud has stopped." if stopped else "The embedded cloud was not running.")


def status(json: Json = False) -> None:
    """Tell whether the embedded cloud runs, and where."""
    from labkit.cloud import process
    from labkit.settings import Settings

    found = process.find(Settings.from_environment().home)
    if json:
        print_json(
            {
                "running": found is not None,
                "pid": found.pid if found else None,
                "port": found.port if found else None,
                "endpoint_url": found.endpoint_url if found else None,
            }
        )
    else:
        typer.echo(f"Running at {found.endpoint_url}, process {found.pid}." if found else "Not running.")

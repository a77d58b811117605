"""A click command with option groups, `--help-all` and options from a TOML file."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import click

from diswot.cli._config import Config, checked, read_config
from diswot.cli._declared import Grouped, options_declared_by
from diswot.cli._terminal import say
from diswot.errors import DiswotError
from diswot.options import DEFAULT_METHOD, DEFAULT_TASK, GROUPS
from diswot.runs.config import as_toml

_CONFIG, _PRINT, _ALL = "diswot.config", "diswot.print", "diswot.all"
"""Keys of `click.Context.meta` with the values of `--config`, `--print-config`, `--help-all`."""

_CLAUSE = re.compile(r"(?<!e\.g)[.;:](?: |$)")
"""Matches the end of the first clause of a help text."""


class Command(click.Command):
    """A command with `--help-all` and, if `takes_config`, `--config` and `--print-config`."""

    def __init__(self, *args: Any, takes_config: bool = False, **other: Any) -> None:
        super().__init__(*args, **other)
        self._takes_config = takes_config
        self._own: list[click.Parameter] = []
        self.params += _own_options(takes_config=takes_config)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return all options, including those of the chosen task and method only."""
        return [*self._own, *super().get_params(ctx)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line, whose options override those of a `--config` file."""
        # The options depend on --task and --method, so these two are looked up before click parses.
        try:
            self._own = [*self._options_of_task(args), *self._options_of_method(ctx, args)]
        except DiswotError:
            if not ctx.resilient_parsing:  # a shell completes the name
                raise
        try:
            rest = super().parse_args(ctx, args)
        except click.BadParameter as error:
            raise _located(error, ctx) from error
        if (config := ctx.meta.get(_CONFIG)) is not None:
            _name_overridden(settable(self.get_params(ctx)), ctx, config)
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, or print its options as TOML with `--print-config`."""
        if not ctx.meta.get(_PRINT):
            return super().invoke(ctx)
        names = [param.name or "" for param in settable(self.get_params(ctx))]
        say(as_toml({name: ctx.params[name] for name in names}))
        return None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the essential options, one line each, or with `--help-all` all in full."""
        everything = bool(ctx.meta.get(_ALL))
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if not isinstance(param, click.Option):
                continue  # the usage has the arguments, and the text says what they are
            record = param.get_help_record(ctx)
            if record is not None and (everything or getattr(param, "essential", True)):
                row = record if everything else (_flag(param), _brief(param))
                groups.setdefault(getattr(param, "group", "Run"), []).append(row)
        for group in sorted(groups, key=GROUPS.index):
            with formatter.section(group):
                formatter.write_dl(groups[group])

    def _options_of_task(self, args: Sequence[str]) -> list[click.Parameter]:
        """Return the options of the chosen task only; the task is found before parsing."""
        known = {param.name for param in self.params}
        name = self._named("task", args)
        if "task" not in known or name in (None, DEFAULT_TASK):
            return []
        from diswot.tasks import find_task

        return options_declared_by(find_task(str(name)).options, without=known)

    def _options_of_method(self, ctx: click.Context, args: Sequence[str]) -> list[click.Parameter]:
        """Return the options of the chosen method only, and apply the method's defaults."""
        known = {param.name for param in self.params}
        name = self._named("method", args)
        if "method" not in known or name in (None, DEFAULT_METHOD):
            return []
        from diswot.cli._declared import options_declared_by
        from diswot.methods import find_method

        method = find_method(str(name))
        ctx.default_map = {**(ctx.default_map or {}), **method.defaults}
        return options_declared_by(method.options, without=known)

    def _named(self, option: str, args: Sequence[str]) -> Any:
        """Return an option's value from the command line, else the file, else `None`."""
        name, path = _value(f"--{option}", args), _value("--config", args)
        if name is None and path is not None and self._takes_config:
            name = read_config(path, self.name or "").values.get(option)
        return name


def settable(params: Iterable[click.Parameter]) -> list[click.Option]:
    """Return the options that may be set in a TOML file."""
    return [
        param
        for param in params
        if isinstance(param, click.Option) and param.expose_value and param.name != "as_json"
    ]


def _flag(param: click.Option) -> str:
    """Return an option's flags with a placeholder for its value, such as `--seed INTEGER`."""
    flags = "/".join((*param.opts, *param.secondary_opts))
    if param.is_flag:
        return flags
    word = "NAME" if isinstance(param.type, click.Choice) else param.type.name.upper()
    return f"{flags} {word}"


def _brief(param: click.Option) -> str:
    """Return the first clause of an option's help text, and its default."""
    # --help is short: one clause per option; --help-all has the full texts.
    clause: str = _CLAUSE.split(param.help or "", maxsplit=1)[0]
    default = param.default if param.show_default else None
    if isinstance(default, bool) or not isinstance(default, str | int | float):
        return f"{clause}."
    return f"{clause}. [{default}]"


def _value(flag: str, args: Sequence[str]) -> str | None:
    """Return the value of an option in an unparsed command line, or `None`."""
    result = None
    for word, following in zip_longest(args, args[1:], fillvalue=""):
        if word == flag:
            result = following
        elif word.startswith(f"{flag}="):
            result = word.partition("=")[2]
    return result


def _name_overridden(params: Iterable[click.Option], ctx: click.Context, config: Config) -> None:
    """Print a note for each option whose value on the command line differs from the file's."""
    given = click.core.ParameterSource.COMMANDLINE
    for param in params:
        name = param.name or ""
        if name in config.values and ctx.get_parameter_source(name) is given:
            now, then = ctx.params[name], param.process_value(ctx, (ctx.default_map or {})[name])
            if now != then:
                say(
                    f"diswot: note: {param.opts[0]} is {now}, as on the command line, not {then} "
                    f"as in {config.path}",
                    err=True,
                )


def _located(error: click.BadParameter, ctx: click.Context) -> Exception:
    """Return the error with file and line if the invalid value is from a `--config` file."""
    config, name = ctx.meta.get(_CONFIG), (error.param.name if error.param else None) or ""
    if config is None or name not in config.values:
        return error
    if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
        return error
    located: Exception = config.error(name, error.format_message())
    return located


def _read(ctx: click.Context, _param: click.Parameter, path: str | None) -> None:
    if path is not None:
        config = read_config(path, ctx.command.name or "")
        said = checked(config, settable(ctx.command.get_params(ctx)))
        ctx.default_map = {**(ctx.default_map or {}), **said}
        ctx.meta[_CONFIG] = config


def _keep_print(ctx: click.Context, _param: click.Parameter, given: bool) -> None:
    ctx.meta[_PRINT] = given


def _show_all(ctx: click.Context, _param: click.Parameter, given: bool) -> None:
    if given and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help())
        ctx.exit()


def _own_options(*, takes_config: bool) -> Iterator[click.Option]:
    """Yield `--help-all` and, if `takes_config`, `--config` and `--print-config`."""
    yes: dict[str, Any] = {"is_flag": True, "expose_value": False}
    if takes_config:
        yield Grouped(
            ["--config"],
            is_eager=True,
            expose_value=False,
            callback=_read,
            metavar="FILE",
            help="Read options from a TOML file; the command line takes precedence.",
        )
        what = "Print all options as TOML and exit."
        yield Grouped(["--print-config"], callback=_keep_print, help=what, **yes)
    yield Grouped(
        ["--help-all"], is_eager=True, callback=_show_all, help="Show all options.", **yes
    )

"""Jinja2 as every page uses it: values are escaped, and a name that the template was not given is an error."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from opendpr.wording import counted


def template_environment(package: str) -> Environment:
    """The environment of the templates in a package's folder `templates`."""
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["counted"] = counted
    return environment

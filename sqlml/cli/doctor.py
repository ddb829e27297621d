"""The command `sqlml doctor`, which prints the findings of `sqlml.doctor`."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from sqlml.cli.home import DEFAULT_HOME, DEFAULT_MASTER, ConfOption, Home, HomeOption, MasterOption, parse_conf

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    home: HomeOption = DEFAULT_HOME,
    master: MasterOption = DEFAULT_MASTER,
    conf: ConfOption = None,
) -> None:
    """Check Java, Spark, packages, executors, model registry and ports, and suggest a remedy for each problem.

    The exit code is 1 if a check fails, and 0 if there are only warnings.
    """
    from rich.console import Console
    from rich.text import Text

    from sqlml.doctor import Setup, examine

    settings = {**Home(home).settings(master), **parse_conf(conf)}
    findings = []
    console = Console(highlight=False, soft_wrap=True)
    for check, finding in examine(Setup(home, settings, dict(os.environ))):
        findings.append({"check": check, "status": finding.status, "detail": finding.detail, "remedy": finding.remedy})
        if not as_json:
            mark, style = _MARKS[finding.status]
            console.print(Text(f"{mark} ", style=style) + Text(f"{check}: ", style="bold") + Text(finding.detail))
            if finding.remedy:
                console.print(Text(f"    → {finding.remedy}", style=style))
    failures = sum(finding["status"] == "failed" for finding in findings)
    if as_json:
        print(json.dumps({"ok": failures == 0, "findings": findings}, indent=2, ensure_ascii=False))
    elif failures:
        console.print(f"\n{failures} of {len(findings)} findings need something done.")
    if failures:
        raise typer.Exit(1)

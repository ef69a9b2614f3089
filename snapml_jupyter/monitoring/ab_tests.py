"""A/B tests: which of two live versions is better, on labels of requests that chance gave to one or the other."""

from __future__ import annotations

import math
from datetime import datetime

from ..domain.errors import ConflictError, InvalidInputError
from ..domain.guards import METRICS
from ..domain.traffic import ABTest
from ..operations import operation
from ..store import endpoints, events
from ..store.workspace import Workspace
from .outcomes import OutcomeReader, estimate
from .sequential import difference, share_evidence

#: Labelled rows of each version below which nothing is said.
MIN_LABELS = 100
ALPHA = 0.05


@operation(permission="endpoints:read")
def get_ab_test(workspace: Workspace, name: str, metric: str = "accuracy", min_labels: int = MIN_LABELS) -> ABTest:
    """How the challenger of an endpoint does against the champion, since their shares are as they are.

    `metric` is accuracy, auc (two classes), log_loss, mae or mse, over rows whose label came back. May be looked at as often as
    one likes. Raises NotFoundError, InvalidInputError for another metric, ConflictError without a challenger.
    """
    if metric not in METRICS:
        raise InvalidInputError(f"An A/B test can be about {', '.join(METRICS)}, not '{metric}'.")
    endpoint = endpoints.get_endpoint(workspace.database, name)
    champion, challenger = endpoint.live, endpoint.challenger
    if champion is None or challenger is None:
        raise ConflictError(f"Endpoint '{name}' has one live version. Deploy another: %snap_deploy MODEL --ab 50%.")
    changed_at = events.last_event_at(workspace.database, "endpoint.traffic_changed", name)
    started_at: datetime = max(at for at in (challenger.live_at, changed_at, challenger.created_at) if at is not None)
    reader = OutcomeReader(workspace, name, [champion.number, challenger.number], started_at)
    reader.refresh()
    outcomes = reader.outcomes()
    counts = [reader.n_requests(champion.number), reader.n_requests(challenger.number)]
    share = challenger.share_fraction
    right = share_evidence(counts, [1.0 - share, share]) < 1.0 / 0.01
    theirs = estimate(metric, outcomes[champion.number], champion.signature)
    mine = estimate(metric, outcomes[challenger.number], challenger.signature)
    found = difference(mine, theirs, ALPHA)
    better = None
    if min(mine.n_rows, theirs.n_rows) < min_labels:
        words = f"{mine.n_rows:,} and {theirs.n_rows:,} labelled rows so far, {min_labels} of each are needed"
    elif not right:
        words = (
            f"requests fell {counts[0]:,} to {counts[1]:,}, which a share of {share:.0%} does not explain: "
            "something other than chance decides who meets which version"
        )
    elif found.low > 0.0 or found.high < 0.0:
        is_more = found.low > 0.0
        better = challenger.model_ref if is_more == METRICS[metric] else champion.model_ref
        words = f"{better} is better"
    else:
        words = "no difference is certain yet"
    return ABTest(
        endpoint=name,
        metric=metric,
        champion_ref=champion.model_ref,
        challenger_ref=challenger.model_ref,
        started_at=started_at,
        share=share,
        n_champion=counts[0],
        n_challenger=counts[1],
        n_champion_labels=theirs.n_rows,
        n_challenger_labels=mine.n_rows,
        has_right_shares=right,
        champion=_finite(theirs.value),
        challenger=_finite(mine.value),
        difference=_finite(found.value),
        low=_finite(found.low),
        high=_finite(found.high),
        better=better,
        words=words,
    )


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None

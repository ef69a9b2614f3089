import React, { useMemo, useState } from 'react';
import type { Run, RunComparison } from '../api/types';
import { useOperation } from '../live/hooks';
import { RefLink } from '../parts/links';
import type { ITab } from '../parts/page';
import { Page } from '../parts/page';
import { ParallelCoordinates } from '../parts/parallel';
import { Swatch } from '../parts/series';
import { Answered } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { CommandIDs, refsOf } from '../tokens';
import { ComparedCode } from './comparison-code';
import { ComparedCurves } from './comparison-curves';
import { axesOf, labelsOf } from './comparison-figures';
import { ComparedTable } from './comparison-table';

/** Points of a curve; more than a chart has pixels for. */
const MAX_POINTS = 500;
/** From so many runs on, lines over axes tell more than columns. */
const MANY_RUNS = 5;

/** Runs side by side. */
export function ComparisonPage(props: { reference: string }): React.ReactElement {
  const refs = useMemo(() => refsOf(props.reference), [props.reference]);
  const [showsAll, setShowsAll] = useState(false);
  const [isGoingOn, setGoingOn] = useState(false);
  const answer = useOperation(
    'runs.compare_runs',
    { refs, max_points: MAX_POINTS, whole_environment: showsAll },
    // Runs that have ended do not change; others of the workspace are no reason to ask.
    { isLive: isGoingOn }
  );
  const goesOn = answer.data?.runs.some(run => run.status === 'running') ?? false;
  if (goesOn !== isGoingOn) {
    setGoingOn(goesOn);
  }
  return (
    <Answered answer={answer} skeletonRows={8}>
      {comparison => <Shown comparison={comparison} showsAll={showsAll} onShowAll={setShowsAll} />}
    </Answered>
  );
}

function Shown(props: {
  comparison: RunComparison;
  showsAll: boolean;
  onShowAll: (all: boolean) => void;
}): React.ReactElement {
  const { comparison, showsAll, onShowAll } = props;
  const { trans, commands } = useSurroundings();
  const { runs } = comparison;
  const ids = runs.map(run => run.run_id);
  const labels = useMemo(() => labelsOf(runs), [runs]);
  const nDiffs = comparison.code.filter(diff => diff.lines.length > 0).length;
  const tabs: ITab[] = [
    {
      id: 'table',
      label: trans.__('Values'),
      render: () => (
        <ComparedTable
          comparison={comparison}
          labels={labels}
          showsAll={showsAll}
          onShowAll={onShowAll}
        />
      )
    },
    {
      id: 'curves',
      label: trans.__('Curves'),
      render: () => <ComparedCurves comparison={comparison} labels={labels} />
    },
    {
      id: 'code',
      label: nDiffs > 0 ? trans.__('Code (%1 differ)', nDiffs) : trans.__('Code'),
      render: () => <ComparedCode runs={runs} labels={labels} />
    }
  ];
  if (runs.length >= MANY_RUNS) {
    tabs.splice(1, 0, {
      id: 'parallel',
      label: trans.__('Parallel coordinates'),
      render: () => <ParallelCoordinates axes={axesOf(comparison)} labels={labels} />
    });
  }
  return (
    <Page
      title={titleOf(runs, trans)}
      reference={`%snap_compare ${ids.join(' ')}`}
      facts={runs.map((run, place): [string, React.ReactNode] => [
        String(place + 1),
        <span key="run" className="jp-snapml-swatched">
          <Swatch place={place} />
          <RefLink kind="run" to={run.run_id}>
            {labels[place]}
          </RefLink>
        </span>
      ])}
      actions={
        <>
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() => void commands.execute(CommandIDs.compare, { refs: ids, ask: true })}
          >
            {trans.__('Change runs…')}
          </button>
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() =>
              void commands.execute(CommandIDs.insertCell, {
                code: `%snap_compare ${ids.join(' ')}`
              })
            }
          >
            {trans.__('Insert as cell')}
          </button>
        </>
      }
      tabs={tabs}
    />
  );
}

function titleOf(runs: readonly Run[], trans: ReturnType<typeof useSurroundings>['trans']): string {
  const names = [...new Set(runs.map(run => run.name))];
  return runs.length === 2 && names.length === 2
    ? trans.__('%1 and %2', ...names)
    : names.length === 1
      ? trans.__('%1 runs of %2', runs.length, names[0])
      : trans.__('%1 runs', runs.length);
}

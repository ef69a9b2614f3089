import React from 'react';
import type { ColumnDrift, MonitorWindow } from '../api/types';
import { metric, toNumber, utc } from '../format';
import { useSurroundings } from '../parts/surroundings';

/** Newest windows shown; older ones are in the list of windows. */
const SHOWN_WINDOWS = 60;

/** How far a column moved, in five steps; 3 and more are beyond the threshold. */
export function heatLevel(drift: ColumnDrift): number | null {
  const score = toNumber(drift.score);
  const threshold = toNumber(drift.threshold);
  if (score === null || Number.isNaN(score) || threshold === null) {
    return null;
  }
  if (drift.status !== 'stable' && drift.status !== 'drifted') {
    return null;
  }
  const ratio = threshold > 0 ? score / threshold : score > 0 ? Infinity : 0;
  if (drift.drifted) {
    return ratio < 2 ? 3 : ratio < 4 ? 4 : 5;
  }
  return ratio < 0.33 ? 0 : ratio < 0.67 ? 1 : 2;
}

/** Columns down, windows across; a cell tells how far the column was from the reference. */
export function HeatMap(props: {
  windows: readonly MonitorWindow[];
  picked: number;
  onPick: (window: number) => void;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const windows = props.windows.slice(-SHOWN_WINDOWS);
  const names = columnNames(windows);
  return (
    <div className="jp-snapml-heat-scroll" tabIndex={0} role="group" aria-label={trans.__('Drift')}>
      <table className="jp-snapml-heat">
        <thead>
          <tr>
            <th scope="col">{trans.__('Column')}</th>
            {windows.map(w => (
              <th key={w.number} scope="col" data-picked={w.number === props.picked || undefined}>
                <button
                  type="button"
                  title={`${utc(w.started_at)} – ${utc(w.ended_at)}`}
                  aria-label={trans.__('Show window %1', w.number)}
                  aria-pressed={w.number === props.picked}
                  onClick={() => props.onPick(w.number)}
                >
                  {w.number}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map(name => (
            <tr key={name} data-prediction={name === PREDICTION || undefined}>
              <th scope="row">{name === PREDICTION ? trans.__('prediction') : name}</th>
              {windows.map(w => (
                <Cell
                  key={w.number}
                  drift={driftOf(w, name)}
                  isPicked={w.number === props.picked}
                  onPick={() => props.onPick(w.number)}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// No column can be called so: names are never empty.
const PREDICTION = '';

/** The prediction first, then columns, those that drifted in most windows first. */
function columnNames(windows: readonly MonitorWindow[]): string[] {
  const drifted = new Map<string, number>();
  for (const { report } of windows) {
    for (const column of report.columns) {
      drifted.set(column.name, (drifted.get(column.name) ?? 0) + (column.drifted ? 1 : 0));
    }
  }
  const names = [...drifted].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return windows.some(w => w.report.prediction !== null) ? [PREDICTION, ...names] : names;
}

function driftOf(window: MonitorWindow, name: string): ColumnDrift | undefined {
  return name === PREDICTION
    ? (window.report.prediction ?? undefined)
    : window.report.columns.find(column => column.name === name);
}

function Cell(props: {
  drift: ColumnDrift | undefined;
  isPicked: boolean;
  onPick: () => void;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const { drift } = props;
  const level = drift === undefined ? null : heatLevel(drift);
  const said =
    drift === undefined
      ? trans.__('not judged')
      : level === null
        ? (drift.reason ?? trans.__('not judged'))
        : trans.__(
            '%1 %2, threshold %3: %4',
            drift.measure,
            metric(drift.score),
            metric(drift.threshold),
            drift.drifted ? trans.__('drifted') : trans.__('stable')
          );
  return (
    <td
      data-level={level ?? 'none'}
      data-picked={props.isPicked || undefined}
      title={said}
      onClick={props.onPick}
    >
      <span aria-hidden="true">{level === null ? '·' : level >= 3 ? '▲' : ''}</span>
      <span className="jp-snapml-spoken">{said}</span>
    </td>
  );
}

import React from 'react';
import type { ColumnDrift, MonitorWindow } from '../api/types';
import { count, metric, percent, toNumber } from '../format';
import { Part } from '../parts/page';
import type { IStatus } from '../parts/status';
import { Status } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import type { TranslationBundle } from '@jupyterlab/translation';

/** One window against the reference, the prediction first, then the columns that moved most. */
export function DriftTable(props: { window: MonitorWindow }): React.ReactElement {
  const { trans } = useSurroundings();
  const { report, number, n_rows: nRows } = props.window;
  const ratio = (column: ColumnDrift) =>
    (toNumber(column.score) ?? -1) / (toNumber(column.threshold) || 1);
  const columns = [...report.columns].sort((a, b) => ratio(b) - ratio(a));
  const rows = report.prediction === null ? columns : [report.prediction, ...columns];
  return (
    <Part
      title={trans.__('Window %1 against the reference', number)}
      note={trans.__(
        '%1 rows against %2 of %3',
        count(nRows),
        count(report.n_reference_rows),
        report.reference
      )}
    >
      <Table
        label={trans.__('Drift of window %1', number)}
        columns={[
          { label: trans.__('Column') },
          { label: trans.__('Verdict') },
          { label: trans.__('Score'), isNumber: true },
          { label: trans.__('Threshold'), isNumber: true },
          { label: trans.__('Measure') },
          { label: trans.__('Mean, reference'), isNumber: true },
          { label: trans.__('Mean, now'), isNumber: true },
          { label: trans.__('Missing, reference'), isNumber: true },
          { label: trans.__('Missing, now'), isNumber: true }
        ]}
        rows={rows.map(column => [
          column === report.prediction ? (
            <em key="name">{trans.__('prediction')}</em>
          ) : (
            <code key="name">{column.name}</code>
          ),
          <span key="verdict" title={column.reason ?? undefined}>
            <Status {...verdict(column, trans)} showWord />
          </span>,
          metric(column.score),
          metric(column.threshold),
          column.measure,
          metric(column.reference_mean),
          metric(column.current_mean),
          percent(column.reference_null_fraction),
          percent(column.current_null_fraction)
        ])}
      />
    </Part>
  );
}

function verdict(column: ColumnDrift, trans: TranslationBundle): IStatus {
  switch (column.status) {
    case 'drifted':
      return { condition: 'alert', word: trans.__('drifted') };
    case 'stable':
      return { condition: 'good', word: trans.__('stable') };
    case 'not_enough_data':
      return { condition: 'waiting', word: trans.__('not enough data') };
    default:
      return { condition: 'stopped', word: trans.__('not comparable') };
  }
}

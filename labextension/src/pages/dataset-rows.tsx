import React from 'react';
import type { DatasetVersion, TablePage } from '../api/types';
import { count, scalar } from '../format';
import { useOperation } from '../live/hooks';
import { Answered } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';

const SHOWN_ROWS = 200;

/** The first rows as they were kept. */
export function RowsTab(props: { version: DatasetVersion }): React.ReactElement {
  const { trans } = useSurroundings();
  const answer = useOperation('datasets.get_rows', { ref: props.version.ref, limit: SHOWN_ROWS });
  return (
    <Answered answer={answer} skeletonRows={12}>
      {page => (
        <>
          <p className="jp-snapml-quiet">
            {trans.__('The first %1 of %2 rows.', count(page.rows.length), count(page.n_rows))}
          </p>
          <Rows page={page} />
        </>
      )}
    </Answered>
  );
}

function Rows(props: { page: TablePage }): React.ReactElement {
  const { trans } = useSurroundings();
  const { page } = props;
  return (
    <Table
      label={trans.__('Rows of %1', page.dataset_ref)}
      columns={[
        { label: '', isNumber: true },
        ...page.columns.map((label, i) => ({
          label,
          isNumber: page.rows.some(row => typeof row[i] === 'number')
        }))
      ]}
      rows={page.rows.map((row, i) => [
        count(page.offset + i),
        ...row.map((value, c) => <CellValue key={c} value={value} />)
      ])}
    />
  );
}

/** One value of a table of data; numbers to 7 digits, all of them on hover. */
export function CellValue(props: { value: unknown }): React.ReactElement {
  const { value } = props;
  return (
    <span
      className={value === null ? 'jp-snapml-quiet' : undefined}
      title={typeof value === 'number' ? String(value) : undefined}
    >
      {typeof value === 'number' ? String(Number(value.toPrecision(7))) : scalar(value)}
    </span>
  );
}

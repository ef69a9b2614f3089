import React from 'react';
import type { Run } from '../api/types';
import { count, duration } from '../format';
import { useOperation } from '../live/hooks';
import { RefLink } from '../parts/links';
import { Part } from '../parts/page';
import { Answered } from '../parts/states';
import { NamedStatus } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { keyMetric } from '../sidebar/rows';

/** Children shown; the sidebar finds all of them. */
const SHOWN = 100;

/** Runs that were started inside of this one: trials of a study, folds, steps. */
export function RunsInside(props: { run: Run }): React.ReactElement {
  const { run } = props;
  const { trans } = useSurroundings();
  const answer = useOperation('runs.search_runs', {
    parent: run.run_id,
    columns: ['metrics.*'],
    limit: SHOWN
  });
  return (
    <Part title={trans.__('Runs inside')} note={count(run.n_children)}>
      <Answered answer={answer}>
        {page => (
          <>
            <Table
              label={trans.__('Runs inside')}
              columns={[
                { label: trans.__('Run') },
                { label: trans.__('Status') },
                { label: trans.__('Metric') },
                { label: '', isNumber: true },
                { label: trans.__('Took'), isNumber: true }
              ]}
              rowKeys={page.rows.map(row => row.run_id)}
              rows={page.rows.map(row => {
                const figure = keyMetric(row.metrics);
                return [
                  <RefLink key="run" kind="run" to={row.run_id}>
                    {row.name}
                  </RefLink>,
                  <NamedStatus key="status" name={row.status} showWord />,
                  figure?.name ?? '',
                  figure?.value ?? '',
                  duration(row.duration_seconds)
                ];
              })}
            />
            {page.n_total > page.rows.length && (
              <p className="jp-snapml-quiet">
                {trans.__(
                  'The newest %1. The filter of the sidebar finds all: %2',
                  page.rows.length,
                  `parent_run_id = '${run.run_id}'`
                )}
              </p>
            )}
          </>
        )}
      </Answered>
    </Part>
  );
}

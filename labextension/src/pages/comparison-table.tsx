import React from 'react';
import type { ComparedValue, RunComparison } from '../api/types';
import { bytes, count, duration, metric, NOTHING, scalar, toNumber } from '../format';
import { RefLink } from '../parts/links';
import { difference } from '../parts/metrics';
import { Swatch } from '../parts/series';
import { NamedStatus } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Age } from '../parts/times';

interface IGroup {
  title: string;
  rows: readonly IComparedRow[];
  /** Said where the group has no row to show. */
  none: string;
}

interface IComparedRow {
  name: string;
  cells: readonly React.ReactNode[];
  differs: boolean;
  isNumber?: boolean;
}

/** A column a run: what it was given, what came out, what it read and ran on. */
export function ComparedTable(props: {
  comparison: RunComparison;
  labels: readonly string[];
  showsAll: boolean;
  onShowAll: (all: boolean) => void;
}): React.ReactElement {
  const { comparison, labels, showsAll } = props;
  const { trans } = useSurroundings();
  const groups = useGroups(comparison);
  const label = trans.__('Runs side by side');
  return (
    <>
      <div className="jp-snapml-toolbar">
        <label className="jp-snapml-check">
          <input
            type="checkbox"
            role="switch"
            checked={showsAll}
            onChange={event => props.onShowAll(event.target.checked)}
          />
          {trans.__('Show rows that are the same, too')}
        </label>
      </div>
      <div className="jp-snapml-table-scroll" tabIndex={0} role="group" aria-label={label}>
        <table className="jp-snapml-table jp-snapml-compared" aria-label={label}>
          <thead>
            <tr>
              <td />
              {comparison.runs.map((run, place) => (
                <th key={run.run_id} scope="col">
                  <span className="jp-snapml-swatched">
                    <Swatch place={place} />
                    <RefLink kind="run" to={run.run_id}>
                      {labels[place]}
                    </RefLink>
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          {groups.map(group => (
            <Group key={group.title} group={group} showsAll={showsAll} n={comparison.runs.length} />
          ))}
        </table>
      </div>
    </>
  );
}

function Group(props: { group: IGroup; showsAll: boolean; n: number }): React.ReactElement {
  const { group, showsAll, n } = props;
  const { trans } = useSurroundings();
  const rows = group.rows.filter(row => showsAll || row.differs);
  return (
    <tbody>
      <tr className="jp-snapml-compared-group">
        <th scope="rowgroup" colSpan={n + 1}>
          {group.title}
        </th>
      </tr>
      {rows.length === 0 && (
        <tr>
          <td className="jp-snapml-quiet" colSpan={n + 1}>
            {group.rows.length === 0 ? group.none : trans.__('The same in all.')}
          </td>
        </tr>
      )}
      {rows.map(row => (
        <tr key={row.name} data-differs={row.differs || undefined}>
          <th scope="row">{row.name}</th>
          {row.cells.map((cell, i) => (
            <td key={i} data-number={row.isNumber || undefined}>
              {cell}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  );
}

function useGroups(comparison: RunComparison): IGroup[] {
  const { trans } = useSurroundings();
  const { runs } = comparison;
  const plain = (compared: ComparedValue): IComparedRow => ({
    name: compared.name,
    cells: compared.values.map(scalar),
    differs: compared.differs,
    isNumber: compared.values.every(value => value === null || typeof value === 'number')
  });
  /** Facts are told apart by what they are read from, not by how they are drawn. */
  const fact = (
    name: string,
    values: readonly unknown[],
    cells: readonly React.ReactNode[]
  ): IComparedRow => ({ name, cells, differs: new Set(values).size > 1 });
  return [
    {
      title: trans.__('Run'),
      none: '',
      rows: [
        fact(
          trans.__('Status'),
          runs.map(run => run.status),
          runs.map(run => <NamedStatus key="status" name={run.status} showWord />)
        ),
        fact(
          trans.__('Started'),
          runs.map(run => run.started_at),
          runs.map(run => <Age key="at" at={run.started_at} />)
        ),
        fact(
          trans.__('Took'),
          runs.map(run => run.duration_seconds),
          runs.map(run => duration(run.duration_seconds))
        ),
        ...(['experiment', 'actor', 'seed', 'note'] as const).map(name =>
          fact(
            {
              experiment: trans.__('Experiment'),
              actor: trans.__('By'),
              seed: trans.__('Seed'),
              note: trans.__('Note')
            }[name],
            runs.map(run => run[name]),
            runs.map(run => (run[name] === null ? NOTHING : String(run[name])))
          )
        )
      ]
    },
    {
      title: trans.__('Metrics'),
      none: trans.__('None of these runs has a metric.'),
      rows: comparison.metrics.map(compared => ({
        name: compared.name,
        cells: compared.values.map((value, i) => (
          <Measured key={i} value={value} first={i === 0 ? null : compared.values[0]} />
        )),
        differs: compared.differs,
        isNumber: true
      }))
    },
    {
      title: trans.__('Params'),
      none: trans.__('None of these runs has a param.'),
      rows: comparison.params.map(plain)
    },
    {
      title: trans.__('Data'),
      none: trans.__('None of these runs read recorded data.'),
      rows: comparison.inputs.map(input => ({
        name: input.variable,
        cells: input.dataset_refs.map((ref, i) =>
          ref === null ? NOTHING : <RefLink key={i} kind="dataset" to={ref} />
        ),
        differs: input.differs
      }))
    },
    {
      title: trans.__('Model and files'),
      none: '',
      rows: [
        fact(
          trans.__('Model'),
          runs.map(run => run.model_refs.join() || run.has_model),
          runs.map(run =>
            run.model_refs.length > 0 ? (
              <RefLink key="model" kind="model" to={run.model_refs[0]} />
            ) : run.has_model ? (
              trans.__('kept')
            ) : (
              NOTHING
            )
          )
        ),
        fact(
          trans.__('Files'),
          runs.map(run => run.artifacts.map(file => file.digest).join()),
          runs.map(run =>
            run.artifacts.length === 0
              ? NOTHING
              : trans.__(
                  '%1 (%2)',
                  count(run.artifacts.length),
                  bytes(run.artifacts.reduce((sum, file) => sum + file.size_bytes, 0))
                )
          )
        )
      ]
    },
    {
      title: trans.__('Environment'),
      none: trans.__('None of these runs recorded its environment.'),
      rows: comparison.environment.map(plain)
    }
  ];
}

/** A metric, and how far it is from that of the first run. */
function Measured(props: {
  value: ComparedValue['values'][number];
  first: ComparedValue['values'][number];
}): React.ReactElement {
  const { trans } = useSurroundings();
  const now = numberOf(props.value);
  const before = numberOf(props.first);
  const isComparable =
    now !== null && before !== null && Number.isFinite(now) && Number.isFinite(before);
  return (
    <>
      {metric(now)}
      {isComparable && (
        <small className="jp-snapml-delta" title={trans.__('Difference to the first run')}>
          {difference(now - before)}
        </small>
      )}
    </>
  );
}

function numberOf(value: ComparedValue['values'][number]): number | null {
  return typeof value === 'boolean' ? Number(value) : toNumber(value);
}

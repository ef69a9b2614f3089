import React, { useState } from 'react';
import type { Difference, ReplayReport, Run } from '../api/types';
import { count, duration, metric, NOTHING, scalar } from '../format';
import { useOperation } from '../live/hooks';
import { RefLink } from '../parts/links';
import { Answered, Empty } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { Pairs, Table } from '../parts/tables';
import { Age } from '../parts/times';
import { Verdict } from '../parts/verdict';
import { NotCaptured } from './run-code';

/** Differences shown before one asks for all. */
const SHOWN = 12;

/** Every replay of the run, newest first; of a replay, its own report too. */
export function Replays(props: { run: Run }): React.ReactElement {
  const { run } = props;
  const { trans } = useSurroundings();
  const answer = useOperation('runs.list_replays', { ref: run.run_id });
  return (
    <Answered answer={answer}>
      {reports =>
        reports.length === 0 ? (
          <Empty
            text={
              run.has_program
                ? trans.__(
                    'A replay runs the cell again in a clean process; its verdict appears here.'
                  )
                : trans.__(
                    'This run recorded nothing to run again; only cells that begin with %1 can be replayed.',
                    '%%snap_train'
                  )
            }
            code={run.has_program ? `%snap_replay ${run.run_id}` : undefined}
          />
        ) : (
          <>
            {reports.map(report => (
              <Report
                key={`${report.run_id} ${report.created_at}`}
                report={report}
                isItself={report.run_id === run.run_id}
              />
            ))}
          </>
        )
      }
    </Answered>
  );
}

function Report(props: { report: ReplayReport; isItself: boolean }): React.ReactElement {
  const { trans } = useSurroundings();
  const { report, isItself } = props;
  const compared = Object.entries(report.compared)
    .map(([kind, n]) => `${count(n)} ${kind}`)
    .join(', ');
  const given: [string, React.ReactNode][] = [
    ...Object.entries(report.data).map(([name, ref]): [string, React.ReactNode] => [
      trans.__('Data for %1', name),
      <RefLink key="ref" kind="dataset" to={ref} />
    ]),
    ...Object.entries(report.params).map(([name, value]): [string, React.ReactNode] => [
      trans.__('Param %1', name),
      scalar(value)
    ])
  ];
  if (compared) {
    given.push([trans.__('Compared'), compared]);
  }
  if (report.not_compared.length > 0) {
    given.push([trans.__('Not compared'), report.not_compared.join(', ')]);
  }
  return (
    <section className="jp-snapml-replay" aria-label={trans.__('Replay')}>
      <header>
        <Verdict name={report.verdict} showWord />
        <Age at={report.created_at} />
        <span>{duration(report.duration_seconds)}</span>
        {report.environment !== 'current' && (
          <span>{trans.__('in the %1 environment', report.environment)}</span>
        )}
        {isItself ? (
          <span>
            {trans.__('this run, a replay of')} <RefLink kind="run" to={report.original_run_id} />
          </span>
        ) : report.run_id === null ? (
          <span className="jp-snapml-quiet">{trans.__('made no run')}</span>
        ) : (
          <RefLink kind="run" to={report.run_id} />
        )}
      </header>
      {report.reason && <p>{report.reason}</p>}
      {report.causes.length > 0 && (
        <>
          <h3>{trans.__('Likely causes')}</h3>
          <ol>
            {report.causes.map(cause => (
              <li key={cause}>{cause}</li>
            ))}
          </ol>
        </>
      )}
      {report.differences.length > 0 && <Differences differences={report.differences} />}
      {report.missing.length > 0 && (
        <>
          <h3>{trans.__('Not captured')}</h3>
          <NotCaptured missing={report.missing} />
        </>
      )}
      {given.length > 0 && <Pairs label={trans.__('What it rests on')} pairs={given} />}
    </section>
  );
}

function Differences(props: { differences: readonly Difference[] }): React.ReactElement {
  const { trans } = useSurroundings();
  const [all, setAll] = useState(false);
  const shown = all ? props.differences : props.differences.slice(0, SHOWN);
  return (
    <>
      <h3>{trans.__('Differences')}</h3>
      <Table
        label={trans.__('Differences')}
        columns={[
          { label: trans.__('What') },
          { label: trans.__('Original') },
          { label: trans.__('Replay') },
          { label: trans.__('Relative'), isNumber: true },
          { label: trans.__('Within tolerance') }
        ]}
        rows={shown.map(difference => [
          <code key="what">{difference.what}</code>,
          <code key="original" className="jp-snapml-cut" title={difference.original}>
            {difference.original}
          </code>,
          <code key="replay" className="jp-snapml-cut" title={difference.replay}>
            {difference.replay}
          </code>,
          difference.relative === null ? NOTHING : metric(difference.relative),
          difference.within_tolerance ? trans.__('yes') : trans.__('no')
        ])}
      />
      {props.differences.length > shown.length && (
        <button type="button" className="jp-snapml-link" onClick={() => setAll(true)}>
          {trans.__('All %1 differences', count(props.differences.length))}
        </button>
      )}
    </>
  );
}

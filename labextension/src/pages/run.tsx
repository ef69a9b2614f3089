import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import React from 'react';
import { sentence } from '../api/errors';
import type { ReplayReport, Run, Verdict as VerdictName } from '../api/types';
import { bytes, count, duration, scalar } from '../format';
import { useOperation } from '../live/hooks';
import { LineageTab } from '../parts/lineage';
import { RefLink, RefLinks } from '../parts/links';
import { MetricNumbers } from '../parts/metrics';
import { Page, Part } from '../parts/page';
import { Answered } from '../parts/states';
import { statusOf } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Pairs, Table } from '../parts/tables';
import { Age, Elapsed } from '../parts/times';
import { Verdict } from '../parts/verdict';
import { CommandIDs } from '../tokens';
import { Artifacts } from './artifacts';
import { RunsInside } from './run-children';
import { CodeTab } from './run-code';
import { Curves } from './run-curves';
import { EnvironmentTab } from './run-environment';
import { Replays } from './run-replays';
import { SignatureTable } from './signature';

export function RunPage(props: { reference: string }): React.ReactElement {
  const answer = useOperation('runs.get_run', { ref: props.reference });
  return <Answered answer={answer}>{run => <Shown run={run} />}</Answered>;
}

function Shown(props: { run: Run }): React.ReactElement {
  const { run } = props;
  const { trans, commands } = useSurroundings();
  const replays = useOperation('runs.list_replays', { ref: run.run_id });
  const verdict = verdictOf(run.run_id, replays.data ?? []);
  const place = run.source.notebook_path
    ? run.source.execution_count !== null
      ? trans.__('%1, cell %2', run.source.notebook_path, run.source.execution_count)
      : run.source.notebook_path
    : run.source.kind;
  const facts: [string, React.ReactNode][] = [
    [trans.__('Started'), <Age key="at" at={run.started_at} />],
    run.status === 'running'
      ? [trans.__('Runs for'), <Elapsed key="elapsed" since={run.started_at} />]
      : [trans.__('Took'), duration(run.duration_seconds)],
    [trans.__('By'), run.actor],
    [trans.__('Experiment'), run.experiment],
    [trans.__('From'), place]
  ];
  if (run.seed !== null) {
    facts.push([trans.__('Seed'), String(run.seed)]);
  }
  if (run.inputs.length > 0) {
    facts.push([
      trans.__('Data'),
      <RefLinks key="data" kind="dataset" to={unique(run.inputs.map(i => i.dataset_ref))} />
    ]);
  }
  if (run.model_refs.length > 0) {
    facts.push([trans.__('Model'), <RefLinks key="model" kind="model" to={run.model_refs} />]);
  }
  if (run.parent_run_id !== null) {
    facts.push([trans.__('Inside of'), <RefLink key="parent" kind="run" to={run.parent_run_id} />]);
  }
  if (verdict !== undefined) {
    facts.push([trans.__('Replayed'), <Verdict key="verdict" name={verdict} showWord />]);
  }
  if (run.tags.replay_of) {
    facts.push([
      trans.__('Replay of'),
      <RefLink key="original" kind="run" to={run.tags.replay_of} />
    ]);
  }
  return (
    <Page
      title={run.name}
      reference={run.run_id}
      status={statusOf(run.status, trans)}
      facts={facts}
      actions={
        <>
          {run.has_model && run.model_refs.length === 0 && <RegisterButton run={run} />}
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() => void commands.execute(CommandIDs.compare, { refs: [run.run_id] })}
          >
            {trans.__('Compare…')}
          </button>
          {run.has_program && (
            <button
              type="button"
              className="jp-mod-styled"
              title={trans.__('Put the magic that replays this run into the notebook')}
              onClick={() =>
                void commands.execute(CommandIDs.insertCell, {
                  code: `%snap_replay ${run.run_id}`
                })
              }
            >
              {trans.__('Replay as cell')}
            </button>
          )}
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() =>
              void commands.execute(CommandIDs.insertCell, { kind: 'run', ref: run.run_id })
            }
          >
            {trans.__('Insert as cell')}
          </button>
        </>
      }
      tabs={[
        { id: 'overview', label: trans.__('Overview'), render: () => <Overview run={run} /> },
        { id: 'code', label: trans.__('Code'), render: () => <CodeTab run={run} /> },
        { id: 'data', label: trans.__('Data'), render: () => <DataTab run={run} /> },
        { id: 'model', label: trans.__('Model'), render: () => <ModelTab run={run} /> },
        {
          id: 'artifacts',
          label: trans.__('Artifacts (%1)', run.artifacts.length),
          render: () => <Artifacts artifacts={run.artifacts} />
        },
        {
          id: 'replays',
          label:
            replays.data && replays.data.length > 0
              ? trans.__('Replays (%1)', replays.data.length)
              : trans.__('Replays'),
          render: () => <Replays run={run} />
        },
        {
          id: 'lineage',
          label: trans.__('Lineage'),
          render: () => <LineageTab kind="run" reference={run.run_id} />
        },
        {
          id: 'environment',
          label: trans.__('Environment'),
          render: () => <EnvironmentTab run={run} />
        }
      ]}
    />
  );
}

/** The verdict of the newest replay that was given the same data and params; of a replay's own run, that of the replay. */
export function verdictOf(
  runId: string,
  newestFirst: readonly ReplayReport[]
): VerdictName | undefined {
  return newestFirst.find(
    report =>
      report.run_id === runId ||
      (Object.keys(report.data).length === 0 && Object.keys(report.params).length === 0)
  )?.verdict;
}

function RegisterButton(props: { run: Run }): React.ReactElement {
  const { snapml, trans, commands } = useSurroundings();
  const register = async () => {
    const { value } = await InputDialog.getText({
      title: trans.__('Register the model of run %1', props.run.name),
      label: trans.__('Name under which it gets its next version number:'),
      text: props.run.name,
      okLabel: trans.__('Register')
    });
    if (!value) {
      return;
    }
    try {
      const version = await snapml.client.call('registry.register', {
        run_ref: props.run.run_id,
        name: value
      });
      await commands.execute(CommandIDs.open, { kind: 'model', ref: version.ref });
    } catch (error) {
      void showErrorMessage(trans.__('Not registered'), sentence(error, trans));
    }
  };
  return (
    <button type="button" className="jp-mod-styled jp-mod-accept" onClick={() => void register()}>
      {trans.__('Register…')}
    </button>
  );
}

function Overview(props: { run: Run }): React.ReactElement {
  const { run } = props;
  const { trans } = useSurroundings();
  const params = Object.entries(run.params);
  const tags = Object.entries(run.tags);
  return (
    <>
      {run.error && (
        <Part title={trans.__('Error')}>
          <div className="jp-snapml-problem" role="alert">
            <span className="jp-snapml-status-shape" aria-hidden="true">
              ✕
            </span>
            <span>
              {run.error.type}: {run.error.message}
              {run.error.line !== null && ` (${trans.__('line %1 of the cell', run.error.line)})`}
            </span>
          </div>
          {run.error.traceback && (
            <details>
              <summary>{trans.__('Traceback')}</summary>
              <pre className="jp-snapml-traceback">{run.error.traceback}</pre>
            </details>
          )}
        </Part>
      )}
      {run.note && <p className="jp-snapml-note">{run.note}</p>}
      <Part title={trans.__('Metrics')}>
        <RunMetrics run={run} />
        <Curves run={run} />
      </Part>
      <Part title={trans.__('Params')}>
        {params.length > 0 ? (
          <Pairs
            label={trans.__('Params')}
            pairs={params.map(([name, value]) => [name, scalar(value)])}
          />
        ) : (
          <p className="jp-snapml-quiet">{trans.__('No params were recorded.')}</p>
        )}
      </Part>
      {run.n_children > 0 && <RunsInside run={run} />}
      {tags.length > 0 && (
        <Part title={trans.__('Tags')}>
          <Pairs label={trans.__('Tags')} pairs={tags} />
        </Part>
      )}
    </>
  );
}

function RunMetrics(props: { run: Run }): React.ReactElement {
  const { run } = props;
  const name = run.model_refs[0]?.split(':')[0];
  const models = useOperation('registry.list_models', {}, { enabled: name !== undefined });
  const champion = models.data?.find(model => model.name === name)?.champion;
  const isItself = champion?.run_id === run.run_id;
  return (
    <MetricNumbers
      metrics={run.metrics}
      champion={isItself ? undefined : (champion ?? undefined)}
    />
  );
}

function DataTab(props: { run: Run }): React.ReactElement {
  const { trans } = useSurroundings();
  const { inputs } = props.run;
  if (inputs.length === 0) {
    return <p className="jp-snapml-quiet">{trans.__('This run read no recorded data.')}</p>;
  }
  return (
    <Table
      label={trans.__('Data the run read')}
      columns={[
        { label: trans.__('Variable') },
        { label: trans.__('Dataset version') },
        { label: trans.__('Rows'), isNumber: true },
        { label: trans.__('Columns'), isNumber: true }
      ]}
      rows={inputs.map(input => [
        <code key="variable">{input.variable}</code>,
        <RefLink key="ref" kind="dataset" to={input.dataset_ref} />,
        count(input.n_rows),
        count(input.n_columns)
      ])}
    />
  );
}

function ModelTab(props: { run: Run }): React.ReactElement {
  const { trans } = useSurroundings();
  const answer = useOperation(
    'runs.get_run_model',
    { run_id: props.run.run_id },
    { enabled: props.run.has_model }
  );
  if (!props.run.has_model) {
    return <p className="jp-snapml-quiet">{trans.__('This run kept no model.')}</p>;
  }
  return (
    <Answered answer={answer}>
      {model =>
        model === null ? (
          <p className="jp-snapml-quiet">{trans.__('This run kept no model.')}</p>
        ) : (
          <>
            <Pairs
              label={trans.__('Model')}
              pairs={[
                [trans.__('Estimator'), <code key="estimator">{model.estimator}</code>],
                [trans.__('Variable'), <code key="variable">{model.variable}</code>],
                [trans.__('Kept as'), model.format],
                [trans.__('Size'), bytes(model.size_bytes)]
              ]}
            />
            <SignatureTable signature={model.signature} />
          </>
        )
      }
    </Answered>
  );
}

function unique(refs: readonly string[]): string[] {
  return [...new Set(refs)];
}

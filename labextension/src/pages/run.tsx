import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import React, { useMemo } from 'react';
import { sentence } from '../api/errors';
import type { MetricPoint, Run } from '../api/types';
import { bytes, count, duration, scalar, toNumber } from '../format';
import { useOperation } from '../live/hooks';
import { Chart } from '../parts/chart';
import { LineageTab } from '../parts/lineage';
import { RefLink, RefLinks } from '../parts/links';
import { MetricNumbers } from '../parts/metrics';
import { Page, Part } from '../parts/page';
import { Answered } from '../parts/states';
import { statusOf } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Pairs, Table } from '../parts/tables';
import { Age } from '../parts/times';
import { CommandIDs } from '../tokens';
import { Artifacts } from './artifacts';
import { CodeTab } from './run-code';
import { Replays } from './run-replays';
import { SignatureTable } from './signature';

export function RunPage(props: { reference: string }): React.ReactElement {
  const answer = useOperation('runs.get_run', { ref: props.reference });
  return <Answered answer={answer}>{run => <Shown run={run} />}</Answered>;
}

function Shown(props: { run: Run }): React.ReactElement {
  const { run } = props;
  const { trans, commands } = useSurroundings();
  const place = run.source.notebook_path
    ? run.source.execution_count !== null
      ? trans.__('%1, cell %2', run.source.notebook_path, run.source.execution_count)
      : run.source.notebook_path
    : run.source.kind;
  const facts: [string, React.ReactNode][] = [
    [trans.__('Started'), <Age key="at" at={run.started_at} />],
    [trans.__('Took'), duration(run.duration_seconds)],
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
          label: trans.__('Replays'),
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
          render: () => <EnvironmentTab digest={run.environment_digest} />
        }
      ]}
    />
  );
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

/** Metrics measured more than once, over their steps. */
function Curves(props: { run: Run }): React.ReactElement | null {
  const { run } = props;
  const { trans } = useSurroundings();
  const hasMetrics = Object.keys(run.metrics).length > 0;
  const points = useOperation(
    'runs.list_metric_points',
    { run_id: run.run_id },
    { enabled: hasMetrics }
  );
  const curves = useMemo(() => curvesOf(points.data ?? []), [points.data]);
  if (curves.length === 0) {
    return null;
  }
  return (
    <div className="jp-snapml-charts">
      {curves.map(curve => (
        <Chart
          key={curve.name}
          label={curve.name}
          xLabel={trans.__('step')}
          yLabel={curve.name}
          x={curve.x}
          series={curve.series}
        />
      ))}
    </div>
  );
}

function curvesOf(points: readonly MetricPoint[]) {
  const byName = new Map<string, MetricPoint[]>();
  for (const point of points) {
    byName.set(point.name, [...(byName.get(point.name) ?? []), point]);
  }
  return [...byName]
    .filter(([, measured]) => measured.length > 1)
    .map(([name, measured]) => ({
      name,
      x: measured.map(p => p.step),
      series: [{ label: name, values: measured.map(p => toNumber(p.value)) }]
    }));
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

function EnvironmentTab(props: { digest: string | null }): React.ReactElement {
  const { trans } = useSurroundings();
  const answer = useOperation(
    'runs.get_environment',
    { digest: props.digest ?? '' },
    { enabled: props.digest !== null }
  );
  if (props.digest === null) {
    return <p className="jp-snapml-quiet">{trans.__('This run recorded no environment.')}</p>;
  }
  return (
    <Answered answer={answer}>
      {environment => (
        <>
          <Pairs
            label={trans.__('Environment')}
            pairs={[
              [trans.__('Python'), environment.python_version],
              [trans.__('Platform'), environment.platform],
              [trans.__('Processor'), trans.__('%1 × %2', environment.n_cpus, environment.cpu)],
              [
                trans.__('Git'),
                environment.git_commit === null
                  ? trans.__('not in a repository')
                  : `${environment.git_commit.slice(0, 12)} ${environment.git_branch ?? ''}${
                      environment.git_dirty ? trans.__(' with changes not committed') : ''
                    }`
              ]
            ]}
          />
          <Part title={trans.__('Packages')} note={count(Object.keys(environment.packages).length)}>
            <Pairs label={trans.__('Packages')} pairs={Object.entries(environment.packages)} />
          </Part>
        </>
      )}
    </Answered>
  );
}

function unique(refs: readonly string[]): string[] {
  return [...new Set(refs)];
}

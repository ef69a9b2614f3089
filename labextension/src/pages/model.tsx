import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import React from 'react';
import { sentence } from '../api/errors';
import type { ModelVersion, Parity, Stage } from '../api/types';
import { bytes, count, metric, percent } from '../format';
import { useOperation } from '../live/hooks';
import { LineageTab } from '../parts/lineage';
import { RefLink, RefLinks } from '../parts/links';
import { MetricNumbers } from '../parts/metrics';
import { Page, Part } from '../parts/page';
import { Answered } from '../parts/states';
import { NamedStatus, Status } from '../parts/status';
import type { ISurroundings } from '../parts/surroundings';
import { useSurroundings } from '../parts/surroundings';
import { Pairs, Table } from '../parts/tables';
import { Age } from '../parts/times';
import { GatesPart, GateVerdict } from '../parts/gates';
import { keyMetric, standing } from '../sidebar/rows';
import { CommandIDs } from '../tokens';
import { SignatureTable } from './signature';

/** Where a version may go from each stage; the server has the last word. */
const MOVES: Record<Stage, readonly Stage[]> = {
  none: ['staging', 'production', 'archived'],
  staging: ['production', 'none', 'archived'],
  production: ['staging', 'archived'],
  archived: ['staging']
};

export function ModelPage(props: { reference: string }): React.ReactElement {
  const answer = useOperation('registry.get_model', { ref: props.reference });
  return <Answered answer={answer}>{version => <Shown version={version} />}</Answered>;
}

function Shown(props: { version: ModelVersion }): React.ReactElement {
  const { version } = props;
  const surroundings = useSurroundings();
  const { trans, commands } = surroundings;
  const facts: [string, React.ReactNode][] = [
    [trans.__('Registered'), <Age key="at" at={version.created_at} />],
    [trans.__('By'), version.created_by],
    [trans.__('Stage'), version.stage],
    [
      trans.__('Aliases'),
      version.aliases.length === 0
        ? trans.__('none')
        : version.aliases.map(alias => (
            <span key={alias} className="jp-snapml-chip">
              @{alias}
            </span>
          ))
    ],
    [trans.__('Run'), <RefLink key="run" kind="run" to={version.run_id} />]
  ];
  if (version.dataset_refs.length > 0) {
    facts.push([
      trans.__('Data'),
      <RefLinks key="data" kind="dataset" to={version.dataset_refs} />
    ]);
  }
  return (
    <Page
      title={trans.__('%1, version %2', version.name, version.number)}
      reference={version.ref}
      facts={facts}
      actions={
        <>
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() => void changeStage(version, surroundings)}
          >
            {trans.__('Stage…')}
          </button>
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() => void setAlias(version, surroundings)}
          >
            {trans.__('Alias…')}
          </button>
          <button
            type="button"
            className="jp-mod-styled jp-mod-accept"
            onClick={() => void commands.execute(CommandIDs.deploy, { ref: version.ref })}
          >
            {trans.__('Deploy…')}
          </button>
        </>
      }
      tabs={[
        {
          id: 'overview',
          label: trans.__('Overview'),
          render: () => <Overview version={version} />
        },
        {
          id: 'signature',
          label: trans.__('Signature'),
          render: () => <SignatureTable signature={version.signature} />
        },
        {
          id: 'versions',
          label: trans.__('Versions'),
          render: () => <Versions version={version} />
        },
        {
          id: 'lineage',
          label: trans.__('Lineage'),
          render: () => <LineageTab kind="model" reference={version.ref} />
        },
        {
          id: 'deployed',
          label: trans.__('Where deployed'),
          render: () => <Deployed version={version} />
        }
      ]}
    />
  );
}

async function changeStage(version: ModelVersion, surroundings: ISurroundings): Promise<void> {
  const { trans, snapml } = surroundings;
  const { value } = await InputDialog.getItem({
    title: trans.__('Move %1 to another stage', version.ref),
    label: trans.__('It is in stage "%1" now; it goes to:', version.stage),
    items: [...MOVES[version.stage]],
    okLabel: trans.__('Move')
  });
  if (value) {
    await tell(surroundings, trans.__('Not moved'), () =>
      snapml.client.call('registry.promote', { ref: version.ref, stage: value as Stage })
    );
  }
}

async function setAlias(version: ModelVersion, surroundings: ISurroundings): Promise<void> {
  const { trans, snapml } = surroundings;
  const { value } = await InputDialog.getText({
    title: trans.__('Point an alias at %1', version.ref),
    label: trans.__('The alias moves here from whichever version has it now:'),
    text: 'champion',
    okLabel: trans.__('Point')
  });
  if (value) {
    await tell(surroundings, trans.__('Alias not changed'), () =>
      snapml.client.call('registry.set_alias', { ref: version.ref, alias: value.replace(/^@/, '') })
    );
  }
}

async function tell(
  surroundings: ISurroundings,
  title: string,
  act: () => Promise<unknown>
): Promise<void> {
  try {
    await act();
  } catch (error) {
    void showErrorMessage(title, sentence(error, surroundings.trans));
  }
}

function Overview(props: { version: ModelVersion }): React.ReactElement {
  const { version } = props;
  const { trans } = useSurroundings();
  const models = useOperation('registry.list_models', {});
  const champion = models.data?.find(model => model.name === version.name)?.champion;
  const isChampion = champion?.ref === version.ref;
  return (
    <>
      <Part
        title={trans.__('Metrics')}
        note={
          isChampion
            ? trans.__('this is the champion')
            : champion && trans.__('against %1', champion.ref)
        }
      >
        <MetricNumbers
          metrics={version.metrics}
          champion={isChampion ? undefined : (champion ?? undefined)}
        />
      </Part>
      <Part title={trans.__('Parity')}>
        <ParityProof parity={version.parity} isExported={version.onnx_digest !== null} />
      </Part>
      <GatesPart reference={version.ref} />
      <Part title={trans.__('Model')}>
        <Pairs
          label={trans.__('Model')}
          pairs={[
            [trans.__('Estimator'), <code key="estimator">{version.estimator}</code>],
            [
              trans.__('Kept as'),
              version.format === 'pickle'
                ? trans.__('pickle: loading it runs code that %1 wrote', version.written_by)
                : version.format
            ],
            [trans.__('Size'), bytes(version.size_bytes)],
            [trans.__('Digest'), <code key="digest">{version.model_digest}</code>]
          ]}
        />
      </Part>
    </>
  );
}

/** The proof that the exported graph answers like the model, or that there is none yet. */
function ParityProof(props: { parity: Parity | null; isExported: boolean }): React.ReactElement {
  const { parity } = props;
  const { trans } = useSurroundings();
  if (parity === null) {
    return (
      <p className="jp-snapml-quiet">
        {props.isExported
          ? trans.__('Exported to ONNX without a proof.')
          : trans.__('Not exported yet. Deploying exports it to ONNX and proves it first.')}
      </p>
    );
  }
  const facts: [string, React.ReactNode][] = [
    [
      trans.__('Verdict'),
      <Status
        key="verdict"
        condition={parity.passed ? 'good' : 'bad'}
        word={
          parity.passed
            ? trans.__('the ONNX graph answers like the model')
            : trans.__('the ONNX graph answers differently')
        }
        showWord
      />
    ],
    [trans.__('Rows compared'), count(parity.n_rows)],
    [trans.__('Same label'), percent(parity.label_agreement)],
    [
      trans.__('Largest difference'),
      trans.__('%1 (allowed %2)', metric(parity.max_difference), metric(parity.tolerance))
    ]
  ];
  if (parity.worst_rows.length > 0) {
    facts.push([trans.__('Worst rows, from 0'), parity.worst_rows.join(', ')]);
  }
  if (parity.accepted_by !== null) {
    facts.push([trans.__('Accepted all the same by'), parity.accepted_by]);
  }
  if (parity.source_ref !== null) {
    facts.push([
      trans.__('Rows from'),
      <RefLink key="source" kind="dataset" to={parity.source_ref} />
    ]);
  }
  return <Pairs label={trans.__('Parity')} pairs={facts} />;
}

function Versions(props: { version: ModelVersion }): React.ReactElement {
  const { trans } = useSurroundings();
  const answer = useOperation('registry.list_model_versions', { name: props.version.name });
  return (
    <Answered answer={answer}>
      {versions => (
        <Table
          label={trans.__('Versions of %1', props.version.name)}
          columns={[
            { label: trans.__('Version') },
            { label: trans.__('Registered') },
            { label: trans.__('By') },
            { label: trans.__('Standing') },
            { label: trans.__('Metric'), isNumber: true },
            { label: trans.__('Gates') },
            { label: trans.__('Run') }
          ]}
          rowKeys={versions.map(version => version.ref)}
          rows={versions.map(version => [
            <RefLink key="ref" kind="model" to={version.ref} />,
            <Age key="at" at={version.created_at} />,
            version.created_by,
            standing(version),
            shortMetric(version),
            version.gate ? <GateVerdict key="gate" gate={version.gate} /> : '',
            <RefLink key="run" kind="run" to={version.run_id} />
          ])}
        />
      )}
    </Answered>
  );
}

function shortMetric(version: ModelVersion): string {
  const found = keyMetric(version.metrics);
  return found === undefined ? '' : `${found.name} ${found.value}`;
}

function Deployed(props: { version: ModelVersion }): React.ReactElement {
  const { trans } = useSurroundings();
  const { ref } = props.version;
  const answer = useOperation('serving.list_endpoints', {});
  return (
    <Answered answer={answer}>
      {endpoints => {
        const deployments = endpoints.flatMap(e => e.deployments.filter(d => d.model_ref === ref));
        return deployments.length === 0 ? (
          <p className="jp-snapml-quiet">{trans.__('%1 was never deployed.', ref)}</p>
        ) : (
          <Table
            label={trans.__('Deployments of %1', ref)}
            columns={[
              { label: trans.__('Endpoint') },
              { label: trans.__('Status') },
              { label: trans.__('Share of traffic'), isNumber: true },
              { label: trans.__('Deployed') },
              { label: trans.__('By') }
            ]}
            rows={deployments.map(deployment => [
              <RefLink key="endpoint" kind="endpoint" to={deployment.endpoint} />,
              <NamedStatus key="status" name={deployment.status} showWord />,
              percent(deployment.share_fraction),
              <Age key="at" at={deployment.created_at} />,
              deployment.created_by
            ])}
          />
        );
      }}
    </Answered>
  );
}

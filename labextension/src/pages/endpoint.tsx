import { Dialog, showDialog } from '@jupyterlab/apputils';
import React, { useCallback, useEffect, useRef, useState } from 'react';
import type { Deployment, EndpointInfo, EndpointMetrics } from '../api/types';
import { count, metric, percent, toNumber } from '../format';
import { useAction } from '../live/action';
import { useOperation } from '../live/hooks';
import { Sparkline } from '../parts/histogram';
import { LineageTab } from '../parts/lineage';
import { RefLink } from '../parts/links';
import { BigNumbers, Page, Part } from '../parts/page';
import { Answered, Problem } from '../parts/states';
import { NamedStatus } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { Age } from '../parts/times';
import { endpointStatus } from '../sidebar/rows';
import { CommandIDs } from '../tokens';
import { Clients } from './clients';
import { currentDeployment } from './deployments';
import { EndpointCharts } from './endpoint-charts';
import { EndpointLogs } from './endpoint-logs';
import { EndpointTraffic } from './endpoint-traffic';
import { TryIt } from './try-it';

/** How often live figures are asked for while they are in sight. */
const LIVE_MILLISECONDS = 2000;
/** Points of the traffic sparkline: two minutes. */
const LIVE_POINTS = 60;

export function EndpointPage(props: { reference: string }): React.ReactElement {
  const answer = useOperation('serving.get_endpoint', { name: props.reference });
  return <Answered answer={answer}>{endpoint => <Shown endpoint={endpoint} />}</Answered>;
}

function Shown(props: { endpoint: EndpointInfo }): React.ReactElement {
  const { endpoint } = props;
  const { trans } = useSurroundings();
  const current = currentDeployment(endpoint);
  const facts: [string, React.ReactNode][] = [
    [trans.__('Made'), <Age key="at" at={endpoint.created_at} />],
    [trans.__('By'), endpoint.created_by],
    [
      trans.__('Address'),
      endpoint.url === null ? (
        trans.__('none while the host is stopped')
      ) : (
        <code>{endpoint.url}</code>
      )
    ]
  ];
  if (current) {
    facts.push([trans.__('Model'), <RefLink key="model" kind="model" to={current.model_ref} />]);
  }
  facts.push([
    trans.__('Monitor'),
    <RefLink key="monitor" kind="monitor" to={endpoint.name}>
      {endpoint.name}
    </RefLink>
  ]);
  return (
    <Page
      title={endpoint.name}
      reference={endpoint.name}
      status={endpointStatus(endpoint, trans)}
      facts={facts}
      actions={<UndeployButton endpoint={endpoint} />}
      tabs={[
        {
          id: 'overview',
          label: trans.__('Overview'),
          render: () => <Overview endpoint={endpoint} />
        },
        {
          id: 'traffic',
          label: trans.__('Traffic'),
          render: () => <EndpointTraffic endpoint={endpoint} />
        },
        { id: 'try', label: trans.__('Try it'), render: () => <TryIt endpoint={endpoint} /> },
        {
          id: 'clients',
          label: trans.__('Clients and keys'),
          render: () => <Clients endpoint={endpoint} />
        },
        {
          id: 'logs',
          label: trans.__('Logs'),
          render: () => <EndpointLogs name={endpoint.name} />
        },
        {
          id: 'lineage',
          label: trans.__('Lineage'),
          render: () => <LineageTab kind="endpoint" reference={endpoint.name} />
        }
      ]}
    />
  );
}

function UndeployButton(props: { endpoint: EndpointInfo }): React.ReactElement {
  const { snapml, trans } = useSurroundings();
  const { name } = props.endpoint;
  const undeploy = useAction(
    useCallback(async () => {
      const { button } = await showDialog({
        title: trans.__('Take away the endpoint %1?', name),
        body: trans.__(
          'Clients get no answer from then on and its keys become invalid. Predictions, labels and the monitor are kept; the audit log records who did it.'
        ),
        buttons: [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.warnButton({ label: trans.__('Undeploy') })
        ]
      });
      if (button.accept) {
        await snapml.client.call('serving.undeploy', { name });
      }
    }, [snapml, trans, name])
  );
  return (
    <>
      {undeploy.error !== undefined && <Problem error={undeploy.error} />}
      <button
        type="button"
        className="jp-mod-styled"
        disabled={undeploy.isBusy}
        onClick={() => void undeploy.run()}
      >
        {trans.__('Undeploy…')}
      </button>
    </>
  );
}

function Overview(props: { endpoint: EndpointInfo }): React.ReactElement {
  const { endpoint } = props;
  const { trans } = useSurroundings();
  const routed = endpoint.deployments.filter(d => (toNumber(d.share_fraction) ?? 0) > 0);
  const live = routed.filter(d => d.status === 'live' || d.status === 'starting');
  return (
    <>
      <Host />
      <Part title={trans.__('Live figures')} note={trans.__('since the workers started')}>
        <Live name={endpoint.name} />
      </Part>
      <EndpointCharts name={endpoint.name} />
      <Part title={trans.__('Traffic')}>
        <TrafficBar deployments={live} />
      </Part>
      <Part title={trans.__('Deployments')}>
        <Table
          label={trans.__('Deployments of %1', endpoint.name)}
          columns={[
            { label: trans.__('Model version') },
            { label: trans.__('Status') },
            { label: trans.__('Share'), isNumber: true },
            { label: trans.__('Deployed') },
            { label: trans.__('By') },
            { label: trans.__('Why it failed'), isText: true }
          ]}
          rowKeys={endpoint.deployments.map(d => String(d.number))}
          rows={[...endpoint.deployments]
            .reverse()
            .map(deployment => [
              <RefLink key="model" kind="model" to={deployment.model_ref} />,
              <NamedStatus key="status" name={deployment.status} showWord />,
              percent(deployment.share_fraction),
              <Age key="at" at={deployment.created_at} />,
              deployment.created_by,
              deployment.failure ?? ''
            ])}
        />
      </Part>
    </>
  );
}

/** Says so when nothing can answer, with the way out. */
function Host(): React.ReactElement | null {
  const { trans, commands } = useSurroundings();
  const { data } = useOperation('serving.get_host_status', {});
  if (data === undefined || data.running) {
    return null;
  }
  return (
    <div className="jp-snapml-problem" role="status">
      <span className="jp-snapml-status-shape" aria-hidden="true">
        ■
      </span>
      <span>
        {trans.__('The host is stopped, so no endpoint of this workspace answers.')} {data.problem}
      </span>
      <button
        type="button"
        className="jp-snapml-link"
        onClick={() => void commands.execute(CommandIDs.startHost)}
      >
        {trans.__('Start host')}
      </button>
    </div>
  );
}

function Live(props: { name: string }): React.ReactElement {
  const { trans } = useSurroundings();
  const answer = useOperation(
    'serving.get_endpoint_metrics',
    { name: props.name },
    { everyMilliseconds: LIVE_MILLISECONDS }
  );
  const rates = useRates(answer.data);
  const milliseconds = (value: EndpointMetrics['p50_ms']) =>
    value === null ? '–' : `${metric(value)} ms`;
  return (
    <Answered answer={answer}>
      {figures => (
        <BigNumbers
          label={trans.__('Live figures')}
          numbers={[
            {
              name: trans.__('Requests a second'),
              value: metric(figures.requests_per_second),
              beside: rates.length > 1 && (
                <Sparkline values={rates} label={trans.__('Requests a second, newest right')} />
              )
            },
            { name: trans.__('Requests'), value: count(figures.n_requests) },
            { name: trans.__('Rows'), value: count(figures.n_rows) },
            {
              name: trans.__('Errors'),
              value: count(figures.n_errors),
              beside:
                figures.n_requests > 0 ? percent(figures.n_errors / figures.n_requests) : undefined
            },
            { name: 'p50', value: milliseconds(figures.p50_ms) },
            { name: 'p95', value: milliseconds(figures.p95_ms) },
            { name: 'p99', value: milliseconds(figures.p99_ms) },
            {
              name: trans.__('Workers'),
              value: count(figures.n_workers),
              beside: trans.__('busy %1', percent(figures.busy_fraction))
            },
            ...(figures.n_predictions_dropped > 0
              ? [
                  {
                    name: trans.__('Not logged'),
                    value: count(figures.n_predictions_dropped),
                    beside: trans.__('predictions the log had no room for')
                  }
                ]
              : [])
          ]}
        />
      )}
    </Answered>
  );
}

/** The last request rates seen while the page was open. */
function useRates(figures: EndpointMetrics | undefined): readonly number[] {
  const [rates, setRates] = useState<readonly number[]>([]);
  const seen = useRef<EndpointMetrics | undefined>(undefined);
  useEffect(() => {
    if (figures !== undefined && figures !== seen.current) {
      seen.current = figures;
      const rate = toNumber(figures.requests_per_second) ?? 0;
      setRates(old => [...old, rate].slice(-LIVE_POINTS));
    }
  }, [figures]);
  return rates;
}

/** How requests are split. One deployment has all of them. */
function TrafficBar(props: { deployments: readonly Deployment[] }): React.ReactElement {
  const { trans } = useSurroundings();
  if (props.deployments.length === 0) {
    return <p className="jp-snapml-quiet">{trans.__('No deployment takes requests.')}</p>;
  }
  return (
    <div className="jp-snapml-traffic">
      {props.deployments.map(deployment => (
        <div
          key={deployment.number}
          style={{ flexGrow: toNumber(deployment.share_fraction) ?? 0 }}
          data-status={deployment.status}
        >
          {deployment.model_ref} {percent(deployment.share_fraction)}
        </div>
      ))}
    </div>
  );
}

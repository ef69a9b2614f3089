import React, { useCallback, useMemo, useState } from 'react';
import type { Alert, MonitorInfo, MonitorWindow } from '../api/types';
import { count, percent, toNumber } from '../format';
import { useAction } from '../live/action';
import { useOperation } from '../live/hooks';
import { Chart } from '../parts/chart';
import { RefLink } from '../parts/links';
import { BigNumbers, Page, Part } from '../parts/page';
import { Answered, Empty, Problem } from '../parts/states';
import { NamedStatus } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { Age } from '../parts/times';
import { monitorRow } from '../sidebar/rows';
import { DriftTable } from './drift-table';
import { HeatMap } from './heat-map';

export function MonitorPage(props: { reference: string }): React.ReactElement {
  const answer = useOperation('monitoring.get_monitor', { endpoint: props.reference });
  return <Answered answer={answer}>{monitor => <Shown monitor={monitor} />}</Answered>;
}

function Shown(props: { monitor: MonitorInfo }): React.ReactElement {
  const { monitor } = props;
  const { trans } = useSurroundings();
  const nOpen = monitor.alerts.filter(alert => alert.state === 'open').length;
  return (
    <Page
      title={trans.__('Monitor of %1', monitor.endpoint)}
      reference={monitor.endpoint}
      status={monitorRow(monitor, trans).status}
      facts={[
        [trans.__('Endpoint'), <RefLink key="endpoint" kind="endpoint" to={monitor.endpoint} />],
        [trans.__('Model'), <RefLink key="model" kind="model" to={monitor.model_ref} />],
        [
          trans.__('Reference'),
          <RefLink key="reference" kind="dataset" to={monitor.reference_ref} />
        ],
        [trans.__('Window'), trans.__('%1 rows', count(monitor.window_rows))]
      ]}
      actions={<CloseWindowButton monitor={monitor} />}
      tabs={[
        { id: 'drift', label: trans.__('Drift'), render: () => <DriftTab monitor={monitor} /> },
        {
          id: 'accuracy',
          label: trans.__('Accuracy'),
          render: () => <AccuracyTab monitor={monitor} />
        },
        {
          id: 'alerts',
          label: nOpen > 0 ? trans.__('Alerts (%1 open)', nOpen) : trans.__('Alerts'),
          render: () => <AlertsTab alerts={monitor.alerts} />
        },
        {
          id: 'windows',
          label: trans.__('Windows'),
          render: () => <WindowsTab windows={monitor.windows} />
        }
      ]}
    />
  );
}

/** Judges the rows that wait for a full window now. */
function CloseWindowButton(props: { monitor: MonitorInfo }): React.ReactElement | null {
  const { snapml, trans } = useSurroundings();
  const { endpoint, pending_rows: nPending } = props.monitor;
  const close = useAction(
    useCallback(
      () => snapml.client.call('monitoring.close_window', { endpoint }),
      [snapml, endpoint]
    )
  );
  if (nPending === 0) {
    return null;
  }
  return (
    <>
      {close.error !== undefined && <Problem error={close.error} />}
      <button
        type="button"
        className="jp-mod-styled"
        disabled={close.isBusy}
        title={trans.__('Close the window now instead of waiting until it is full')}
        onClick={() => void close.run()}
      >
        {trans.__('Judge the %1 waiting rows', count(nPending))}
      </button>
    </>
  );
}

function DriftTab(props: { monitor: MonitorInfo }): React.ReactElement {
  const { monitor } = props;
  const { trans } = useSurroundings();
  const { windows } = monitor;
  // The newest window, and the newest one again when it changes, until one is picked.
  const [picked, setPicked] = useState<number | null>(null);
  const shown = windows.find(w => w.number === picked) ?? windows[windows.length - 1];
  return (
    <>
      {monitor.error !== null && <Problem error={new Error(monitor.error)} />}
      <Figures monitor={monitor} />
      {shown === undefined ? (
        <Empty
          text={trans.__(
            'No window is full yet: %1 of %2 rows. Each full window is compared with the reference.',
            count(monitor.pending_rows),
            count(monitor.window_rows)
          )}
        />
      ) : (
        <>
          <Part
            title={trans.__('Columns over windows')}
            note={trans.__('the fuller the colour, the further from the reference')}
          >
            <HeatMap windows={windows} picked={shown.number} onPick={setPicked} />
          </Part>
          <DriftTable window={shown} />
        </>
      )}
    </>
  );
}

function Figures(props: { monitor: MonitorInfo }): React.ReactElement {
  const { monitor } = props;
  const { trans } = useSurroundings();
  const last = monitor.windows[monitor.windows.length - 1];
  const labelled = [...monitor.windows].reverse().find(w => w.accuracy !== null);
  const drifted = last?.report.columns.filter(column => column.drifted).length;
  return (
    <BigNumbers
      label={trans.__('In short')}
      numbers={[
        { name: trans.__('Predictions'), value: count(monitor.n_predictions) },
        { name: trans.__('Labels'), value: count(monitor.n_labels) },
        { name: trans.__('Windows'), value: count(monitor.windows.length) },
        ...(last
          ? [
              {
                name: trans.__('Drifted columns'),
                value: `${drifted}`,
                beside: trans.__('of %1 in window %2', last.report.columns.length, last.number)
              },
              {
                name: trans.__('Accuracy'),
                value: percent(labelled?.accuracy),
                beside:
                  labelled === undefined
                    ? trans.__('no labels yet')
                    : trans.__(
                        'in window %1, on %2 labels',
                        labelled.number,
                        count(labelled.n_labels)
                      )
              }
            ]
          : [])
      ]}
    />
  );
}

function AccuracyTab(props: { monitor: MonitorInfo }): React.ReactElement {
  const { trans } = useSurroundings();
  const { windows } = props.monitor;
  const judged = useMemo(() => windows.filter(w => w.accuracy !== null), [windows]);
  const x = useMemo(() => judged.map(w => w.number), [judged]);
  const series = useMemo(
    () => [{ label: trans.__('accuracy'), values: judged.map(w => toNumber(w.accuracy)) }],
    [judged, trans]
  );
  if (judged.length === 0) {
    return (
      <Empty
        text={trans.__(
          'Accuracy needs the true labels: send them to the endpoint when they are known.'
        )}
        code={`%snap_feedback ${props.monitor.endpoint} df --on label`}
      />
    );
  }
  return (
    <Chart
      label={trans.__('Share of predicted labels that came true, by window')}
      xLabel={trans.__('window')}
      yLabel={trans.__('accuracy')}
      x={x}
      series={series}
    />
  );
}

function AlertsTab(props: { alerts: readonly Alert[] }): React.ReactElement {
  const { snapml, trans } = useSurroundings();
  const acknowledge = useAction(
    useCallback(
      (alert: Alert) =>
        snapml.client.call('monitoring.acknowledge_alert', { alert_id: alert.alert_id }),
      [snapml]
    )
  );
  if (props.alerts.length === 0) {
    return <p className="jp-snapml-quiet">{trans.__('No alert so far.')}</p>;
  }
  return (
    <>
      {acknowledge.error !== undefined && <Problem error={acknowledge.error} />}
      <Table
        label={trans.__('Alerts')}
        columns={[
          { label: trans.__('State') },
          { label: trans.__('Message'), isText: true },
          { label: trans.__('Rule') },
          { label: trans.__('Raised') },
          { label: trans.__('Action') }
        ]}
        rowKeys={props.alerts.map(alert => alert.alert_id)}
        rows={props.alerts.map(alert => [
          <NamedStatus key="state" name={alert.state} showWord />,
          alert.message,
          alert.rule,
          <Age key="at" at={alert.raised_at} />,
          alert.state === 'open' && (
            <button
              key="acknowledge"
              type="button"
              className="jp-snapml-link"
              disabled={acknowledge.isBusy}
              onClick={() => void acknowledge.run(alert)}
            >
              {trans.__('Acknowledge')}
            </button>
          )
        ])}
      />
    </>
  );
}

function WindowsTab(props: { windows: readonly MonitorWindow[] }): React.ReactElement {
  const { trans } = useSurroundings();
  return (
    <Table
      label={trans.__('Windows')}
      columns={[
        { label: trans.__('Window'), isNumber: true },
        { label: trans.__('From') },
        { label: trans.__('To') },
        { label: trans.__('Model') },
        { label: trans.__('Rows'), isNumber: true },
        { label: trans.__('Drifted'), isNumber: true },
        { label: trans.__('Labels'), isNumber: true },
        { label: trans.__('Accuracy'), isNumber: true }
      ]}
      rowKeys={props.windows.map(w => String(w.number))}
      rows={[...props.windows]
        .reverse()
        .map(w => [
          String(w.number),
          <Age key="from" at={w.started_at} />,
          <Age key="to" at={w.ended_at} />,
          <RefLink key="model" kind="model" to={w.model_ref} />,
          count(w.n_rows),
          String(w.report.columns.filter(column => column.drifted).length),
          count(w.n_labels),
          percent(w.accuracy)
        ])}
    />
  );
}

import { Dialog, showDialog } from '@jupyterlab/apputils';
import React, { useCallback, useEffect, useState } from 'react';
import type { Agreement, ArmTraffic, EndpointInfo, Rollout, Traffic } from '../api/types';
import { count, metric, percent, toNumber } from '../format';
import { useAction } from '../live/action';
import { useOperation } from '../live/hooks';
import { RefLink } from '../parts/links';
import { Part } from '../parts/page';
import { Answered, Problem } from '../parts/states';
import { NamedStatus } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { Age } from '../parts/times';
import { CommandIDs } from '../tokens';
import { rollBackOf } from './deployments';
import { decisionWords, evidenceWords, figureWords, testWords } from './judgements';

const LIVE_MILLISECONDS = 2000;

/** Who answers how much, how the versions compare, and where a rollout stands. */
export function EndpointTraffic(props: { endpoint: EndpointInfo }): React.ReactElement {
  const { endpoint } = props;
  const answer = useOperation(
    'serving.get_traffic',
    { name: endpoint.name },
    { everyMilliseconds: LIVE_MILLISECONDS }
  );
  return (
    <Answered answer={answer}>
      {traffic => <Shown traffic={traffic} canRollBack={rollBackOf(endpoint) !== undefined} />}
    </Answered>
  );
}

function Shown(props: { traffic: Traffic; canRollBack: boolean }): React.ReactElement {
  const { traffic } = props;
  const { trans } = useSurroundings();
  return (
    <>
      <Part title={trans.__('Versions')} note={trans.__('since the workers started')}>
        <Arms traffic={traffic} />
        <Actions traffic={traffic} canRollBack={props.canRollBack} />
      </Part>
      {compared(traffic).length > 0 && (
        <Part title={trans.__('Agreement with the champion')}>
          <Agreements traffic={traffic} />
        </Part>
      )}
      {traffic.rollout !== null && (
        <Part title={trans.__('Rollout')}>
          <RolloutProgress rollout={traffic.rollout} />
        </Part>
      )}
    </>
  );
}

function Arms(props: { traffic: Traffic }): React.ReactElement {
  const { trans } = useSurroundings();
  const milliseconds = (value: ArmTraffic['p50_ms']) => (value === null ? '–' : metric(value));
  if (props.traffic.arms.length === 0) {
    return <p className="jp-snapml-quiet">{trans.__('No version is live.')}</p>;
  }
  return (
    <Table
      label={trans.__('Live versions of %1', props.traffic.endpoint)}
      columns={[
        { label: trans.__('Model version') },
        { label: trans.__('Part') },
        { label: trans.__('Share'), isNumber: true },
        { label: trans.__('Requests'), isNumber: true },
        { label: trans.__('Errors'), isNumber: true },
        { label: trans.__('p50 ms'), isNumber: true },
        { label: trans.__('p95 ms'), isNumber: true },
        { label: trans.__('p99 ms'), isNumber: true }
      ]}
      rowKeys={props.traffic.arms.map(arm => String(arm.deployment))}
      rows={props.traffic.arms.map(arm => [
        <RefLink key="model" kind="model" to={arm.model_ref} />,
        arm.arm,
        percent(arm.share_fraction),
        count(arm.n_requests),
        count(arm.n_errors),
        milliseconds(arm.p50_ms),
        milliseconds(arm.p95_ms),
        milliseconds(arm.p99_ms)
      ])}
    />
  );
}

/** Change the shares, promote, roll back; each says first what will happen. */
function Actions(props: { traffic: Traffic; canRollBack: boolean }): React.ReactElement | null {
  const { traffic } = props;
  const { snapml, trans, commands } = useSurroundings();
  const name = traffic.endpoint;
  const champion = traffic.arms.find(arm => arm.arm === 'champion');
  const challenger = traffic.arms.find(arm => arm.arm === 'challenger');
  const other = challenger ?? traffic.arms.find(arm => arm.arm === 'shadow');
  const ask = useAction(
    useCallback(
      async (title: string, body: string, label: string, act: () => Promise<unknown>) => {
        const { button } = await showDialog({
          title,
          body,
          buttons: [
            Dialog.cancelButton({ label: trans.__('Cancel') }),
            Dialog.warnButton({ label })
          ]
        });
        if (button.accept) {
          await act();
        }
      },
      [trans]
    )
  );
  if (champion === undefined) {
    return null;
  }
  return (
    <>
      {ask.error !== undefined && <Problem error={ask.error} />}
      {challenger !== undefined && (
        <Share
          challenger={challenger}
          isBusy={ask.isBusy}
          save={share =>
            void ask.run(
              trans.__('Change the traffic of %1?', name),
              trans.__(
                '%1 will answer %2 of the requests, %3 the rest. A running rollout ends. The audit log records who did it.',
                challenger.model_ref,
                percent(share),
                champion.model_ref
              ),
              trans.__('Change'),
              () =>
                snapml.client.call('serving.set_traffic', {
                  name,
                  shares: { [version(challenger.model_ref)]: share }
                })
            )
          }
        />
      )}
      <div className="jp-snapml-actions">
        {other !== undefined && (
          <button
            type="button"
            className="jp-mod-styled"
            disabled={ask.isBusy}
            onClick={() =>
              void ask.run(
                trans.__('Promote %1?', other.model_ref),
                trans.__(
                  '%1 will answer all requests of %2, and %3 is retired. The audit log records who did it.',
                  other.model_ref,
                  name,
                  champion.model_ref
                ),
                trans.__('Promote'),
                () => snapml.client.call('serving.promote', { name })
              )
            }
          >
            {trans.__('Promote…')}
          </button>
        )}
        {props.canRollBack && (
          <button
            type="button"
            className="jp-mod-styled"
            disabled={ask.isBusy}
            onClick={() =>
              void commands.execute(CommandIDs.rollBack, { kind: 'endpoint', ref: name })
            }
          >
            {trans.__('Roll back…')}
          </button>
        )}
      </div>
    </>
  );
}

/** A slider for the challenger's share; nothing changes until it is saved. */
function Share(props: {
  challenger: ArmTraffic;
  isBusy: boolean;
  save: (share: number) => void;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const current = toNumber(props.challenger.share_fraction) ?? 0;
  const [share, setShare] = useState(current);
  useEffect(() => setShare(current), [current]);
  return (
    <label className="jp-snapml-share">
      {trans.__('Share of %1', props.challenger.model_ref)}
      <input
        type="range"
        min={0}
        max={100}
        value={Math.round(100 * share)}
        aria-valuetext={percent(share)}
        onChange={event => setShare(Number(event.target.value) / 100)}
      />
      <span className="jp-snapml-figure">{percent(share)}</span>
      <button
        type="button"
        className="jp-mod-styled"
        disabled={props.isBusy || Math.abs(share - current) < 0.001}
        onClick={() => props.save(share)}
      >
        {trans.__('Save…')}
      </button>
    </label>
  );
}

function Agreements(props: { traffic: Traffic }): React.ReactElement {
  const { trans } = useSurroundings();
  return (
    <>
      {compared(props.traffic).map(each => (
        <React.Fragment key={each.model_ref}>
          <p>{agreementWords(each, trans)}</p>
          {each.worst.length > 0 && (
            <Table
              label={trans.__('Rows that %1 answers most differently', each.model_ref)}
              columns={[
                { label: trans.__('Request') },
                { label: trans.__('Row'), isNumber: true },
                { label: trans.__('Champion') },
                { label: each.model_ref },
                { label: trans.__('Difference'), isNumber: true }
              ]}
              rows={each.worst.map(row => [
                <code key="id">{row.request_id}</code>,
                row.row,
                row.champion,
                row.other,
                metric(row.difference)
              ])}
            />
          )}
        </React.Fragment>
      ))}
    </>
  );
}

/** Versions that have answered rows beside the champion. */
function compared(traffic: Traffic): readonly Agreement[] {
  return traffic.agreements.filter(each => each.n_rows > 0);
}

function agreementWords(
  each: Agreement,
  trans: ReturnType<typeof useSurroundings>['trans']
): string {
  const share = each.n_rows > 0 ? percent(each.n_equal / each.n_rows) : '–';
  return trans.__(
    '%1 answers %2 of %3 rows as the champion does; the largest difference is %4.',
    each.model_ref,
    share,
    count(each.n_rows),
    metric(each.largest_difference)
  );
}

function RolloutProgress(props: { rollout: Rollout }): React.ReactElement {
  const { rollout } = props;
  const { trans } = useSurroundings();
  return (
    <>
      <p>
        <NamedStatus name={rollout.state} showWord />{' '}
        {trans.__(
          '%1 beside %2: step %3 of %4 (%5)',
          rollout.model_ref,
          rollout.champion_ref,
          rollout.step + 1,
          rollout.plan.steps.length,
          percent(rollout.plan.steps[rollout.step])
        )}
        , <Age at={rollout.ended_at ?? rollout.step_started_at} />
      </p>
      <ol className="jp-snapml-steps" aria-label={trans.__('Steps of the rollout')}>
        {rollout.plan.steps.map((step, place) => (
          <li
            key={place}
            aria-current={place === rollout.step ? 'step' : undefined}
            data-done={place < rollout.step || rollout.state === 'promoted' || undefined}
          >
            {percent(step)}
          </li>
        ))}
      </ol>
      <p>{decisionWords(rollout, trans)}</p>
      {rollout.judgements.length > 0 && (
        <div className="jp-snapml-judge">
          <Table
            label={trans.__('What the judge says of each guard')}
            columns={[
              { label: trans.__('Guard') },
              { label: trans.__('Decision'), isText: true },
              { label: trans.__('Challenger'), isNumber: true },
              { label: trans.__('Champion'), isNumber: true },
              { label: trans.__('What it rests on'), isText: true }
            ]}
            rowKeys={rollout.judgements.map(each => each.guard)}
            rows={rollout.judgements.map(each => [
              <code key="guard">{each.guard}</code>,
              <React.Fragment key="state">
                <NamedStatus name={each.state} showWord />
                <div className="jp-snapml-quiet">{each.words}</div>
              </React.Fragment>,
              figureWords(each, 'challenger', trans),
              figureWords(each, 'champion', trans),
              <React.Fragment key="test">
                {testWords(each, trans)}
                <div className="jp-snapml-quiet">{evidenceWords(each, trans)}</div>
              </React.Fragment>
            ])}
          />
        </div>
      )}
    </>
  );
}

function version(modelRef: string): string {
  return modelRef.slice(modelRef.lastIndexOf(':') + 1);
}

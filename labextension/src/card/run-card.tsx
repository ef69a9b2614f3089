import type { Kernel } from '@jupyterlab/services';
import React, { useCallback, useState } from 'react';
import { sentence } from '../api/errors';
import type { CardMetric, RunCard } from '../api/types';
import { count, duration, metric, toNumber } from '../format';
import { useAction } from '../live/action';
import { useOperation } from '../live/hooks';
import { Sparkline } from '../parts/histogram';
import { RefLink } from '../parts/links';
import { NamedStatus } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Verdict } from '../parts/verdict';
import { CommandIDs } from '../tokens';
import { COMPARE, compareWithTheOneBefore, deployFrom } from './actions';
import { useCurrentCard } from './current';
import type { IReplayed } from './replaying';
import { ReplayError, replayIn } from './replaying';

/** Metrics with a curve of their own; further ones have their number. */
const CURVES = 4;
const INPUTS = 6;

/** Finds the kernel of the notebook that holds the card. */
export type KernelOf = () => Kernel.IKernelConnection | null;

/** The card below a recorded cell: live while it runs, then its result, with what can be done about it. */
export function RunCardView(props: { card: RunCard; kernelOf: KernelOf }): React.ReactElement {
  const { trans } = useSurroundings();
  const card = useCurrentCard(props.card);
  const replaying = useReplay(card, props.kernelOf);
  const isRunning = card.status === 'running';
  return (
    <div
      className="jp-snapml-card"
      role="group"
      aria-label={trans.__('Run %1', card.name)}
      data-status={card.status}
      // Keys pressed on a button here are for the button, not commands of the notebook.
      data-lm-suppress-shortcuts
    >
      <div className="jp-snapml-card-head">
        <span className="jp-snapml-card-name">{card.name}</span>
        <NamedStatus name={card.status} showWord />
        <RefLink kind="run" to={card.run_id} />
        <span className="jp-snapml-quiet jp-snapml-card-time">
          {isRunning ? ticking(card) : duration(card.seconds)}
        </span>
        <Buttons card={card} kernelOf={props.kernelOf} replaying={replaying} />
      </div>
      <Metrics metrics={card.metrics} />
      {card.error && <Fact name={trans.__('error')}>{card.error}</Fact>}
      {card.inputs.length > 0 && (
        <Fact name={trans.__('data')}>
          <Inputs card={card} />
        </Fact>
      )}
      {card.model && (
        <Fact name={trans.__('model')}>
          <Model card={card} />
        </Fact>
      )}
      {card.not_captured && <Fact name={trans.__('not captured')}>{card.not_captured}</Fact>}
      <ReplayLine replaying={replaying} />
      {card.warnings.map(warning => (
        <div key={warning} className="jp-snapml-card-warning" role="note">
          <span className="jp-snapml-status-shape" aria-hidden="true">
            ▲
          </span>
          {warning}
        </div>
      ))}
    </div>
  );
}

function Fact(props: { name: string; children: React.ReactNode }): React.ReactElement {
  return (
    <div className="jp-snapml-card-fact">
      <span className="jp-snapml-quiet">{props.name}</span>
      <span>{props.children}</span>
    </div>
  );
}

/** Whole seconds, so that the figure does not flicker. */
function ticking(card: RunCard): string {
  return duration(Math.max(1, Math.floor(toNumber(card.seconds) ?? 0))).replace('.0', '');
}

function Metrics(props: { metrics: readonly CardMetric[] }): React.ReactElement | null {
  const { trans } = useSurroundings();
  if (props.metrics.length === 0) {
    return null;
  }
  let drawn = 0;
  return (
    <div className="jp-snapml-card-metrics">
      {props.metrics.map(({ name, value, curve }) => {
        const points = curve.map(each => toNumber(each) ?? NaN);
        const isDrawn = points.filter(Number.isFinite).length > 1 && drawn < CURVES;
        drawn += isDrawn ? 1 : 0;
        return (
          <span key={name} className="jp-snapml-card-metric">
            <span className="jp-snapml-quiet">{name}</span> <b>{metric(value)}</b>
            {isDrawn && <Sparkline values={points} label={trans.__('%1 so far', name)} />}
          </span>
        );
      })}
    </div>
  );
}

function Inputs(props: { card: RunCard }): React.ReactElement {
  const { trans } = useSurroundings();
  const { inputs } = props.card;
  return (
    <>
      {inputs.slice(0, INPUTS).map(input => (
        <span key={input.dataset_ref} className="jp-snapml-card-input">
          <RefLink kind="dataset" to={input.dataset_ref} />{' '}
          <span className="jp-snapml-quiet">
            {count(input.n_rows)} × {count(input.n_columns)}
          </span>
        </span>
      ))}
      {inputs.length > INPUTS && trans.__('and %1 more', inputs.length - INPUTS)}
    </>
  );
}

function Model(props: { card: RunCard }): React.ReactElement {
  const { model, model_ref: ref } = props.card;
  if (ref === null || !model?.startsWith(ref)) {
    return <>{model}</>;
  }
  return (
    <>
      <RefLink kind="model" to={ref} />
      {model.slice(ref.length)}
    </>
  );
}

interface IReplaying {
  start: () => Promise<void>;
  isBusy: boolean;
  error: unknown;
  verdict: IReplayed | undefined;
}

function useReplay(card: RunCard, kernelOf: KernelOf): IReplaying {
  const { trans } = useSurroundings();
  const [mine, setMine] = useState<IReplayed>();
  const { run_id: runId } = card;
  const act = useCallback(async () => {
    setMine(await replayIn(kernelOf(), runId, trans));
  }, [kernelOf, runId, trans]);
  const { run, isBusy, error } = useAction(act);
  // Replays that were made elsewhere, or before the page was loaded. Newest first.
  const kept = useOperation(
    'runs.list_replays',
    { ref: runId },
    { enabled: card.can_be_replayed && card.status !== 'running' }
  );
  const newest = kept.data?.find(report => report.original_run_id === runId);
  const verdict =
    mine ??
    (newest && {
      verdict: newest.verdict,
      because: newest.causes[0] ?? (newest.reason || null)
    });
  return { start: run, isBusy, error, verdict };
}

function ReplayLine(props: { replaying: IReplaying }): React.ReactElement | null {
  const { trans } = useSurroundings();
  const { isBusy, error, verdict } = props.replaying;
  let said: React.ReactNode;
  if (isBusy) {
    said = trans.__('running in a clean process…');
  } else if (error !== undefined) {
    said = error instanceof ReplayError ? error.message : sentence(error, trans);
  } else if (verdict !== undefined) {
    said = (
      <>
        <Verdict name={verdict.verdict} showWord />{' '}
        {verdict.because && <span className="jp-snapml-quiet">{verdict.because}</span>}
      </>
    );
  } else {
    return null;
  }
  return (
    <Fact name={trans.__('replay')}>
      <span aria-live="polite">{said}</span>
    </Fact>
  );
}

function Buttons(props: {
  card: RunCard;
  kernelOf: KernelOf;
  replaying: IReplaying;
}): React.ReactElement {
  const { card, replaying } = props;
  const { trans, commands, snapml } = useSurroundings();
  const surroundings = { trans, commands, client: snapml.client };
  const isRunning = card.status === 'running';
  const kernel = isRunning ? props.kernelOf() : null;
  return (
    <span className="jp-snapml-card-buttons">
      {isRunning && kernel !== null && (
        <Action
          label={trans.__('Stop')}
          title={trans.__('Interrupt the cell; the run is kept as cancelled')}
          act={() => kernel.interrupt()}
        />
      )}
      <Action
        label={trans.__('Open')}
        title={trans.__("Open the run's page")}
        act={() => commands.execute(CommandIDs.open, { kind: 'run', ref: card.run_id })}
      />
      {!isRunning && commands.hasCommand(COMPARE) && (
        <Action
          label={trans.__('Compare')}
          title={trans.__('Compare with the run of this name before it')}
          act={() => compareWithTheOneBefore(card, surroundings)}
        />
      )}
      {!isRunning && card.can_be_replayed && (
        <Action
          label={trans.__('Replay')}
          title={trans.__('Run the cell again in a clean process and compare')}
          isDisabled={replaying.isBusy}
          act={replaying.start}
        />
      )}
      {!isRunning && card.has_model && (
        <Action
          label={trans.__('Deploy')}
          title={trans.__('Put the model behind an endpoint; says first what will happen')}
          act={() => deployFrom(card, surroundings)}
        />
      )}
    </span>
  );
}

function Action(props: {
  label: string;
  title: string;
  act: () => Promise<unknown>;
  isDisabled?: boolean;
}): React.ReactElement {
  return (
    <button
      type="button"
      className="jp-snapml-card-button"
      title={props.title}
      disabled={props.isDisabled}
      onClick={() => void props.act()}
    >
      {props.label}
    </button>
  );
}

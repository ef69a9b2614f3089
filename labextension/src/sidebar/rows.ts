import type { TranslationBundle } from '@jupyterlab/translation';
import type {
  Alert,
  DatasetSummary,
  Deployment,
  EndpointInfo,
  Float,
  ModelVersion,
  MonitorInfo,
  RegisteredModel,
  RunRow,
  Verdict
} from '../api/types';
import { bytes, count, duration, metric, percent, scalar, toNumber } from '../format';
import { rollBackOf } from '../pages/deployments';
import type { IStatus } from '../parts/status';
import { statusOf } from '../parts/status';
import type { Kind } from '../tokens';
import { CommandIDs } from '../tokens';
import type { IRunLook } from './run-order';
import { partsOf } from './run-order';

/** One row of the sidebar: two lines at most. */
export interface IRow {
  kind: Kind;
  /** What opening, copying and inserting act on. */
  ref: string;
  title: string;
  status?: IStatus;
  /** Beside the title, in secondary colour. */
  note?: string;
  /** The one number that matters, and what it is; the name gives way first when there is little room. */
  figure?: { name?: string; value: string };
  /** When; shown as an age. */
  at?: string;
  /** The second line. */
  detail: string;
  /** How far something has come, of how many steps; before the second line. */
  progress?: { done: number; of: number };
  /** What can be done to it at once, at the end of the row; the command gets its kind and reference. */
  action?: { label: string; command: string };
  /** Of the newest replay; at the end of the second line. */
  verdict?: Verdict;
  /** Only its place is known yet. */
  isWaiting?: boolean;
}

const SEPARATOR = ' · ';
const join = (parts: (string | null | undefined | false)[]) =>
  parts.filter(Boolean).join(SEPARATOR);

/** Names of metrics, best known first; of others the first one logged is shown. */
const KNOWN_METRICS = ['auc', 'roc_auc', 'accuracy', 'f1', 'r2', 'rmse', 'mae', 'loss'];

/** The metric a row has room for. */
export function keyMetric(
  metrics: Record<string, Float>
): { name: string; value: string } | undefined {
  const names = Object.keys(metrics);
  const rank = (name: string) => {
    const plain = name.toLowerCase().replace(/_score$/, '');
    const known = KNOWN_METRICS.findIndex(m => plain === m || plain.endsWith(`_${m}`));
    return known < 0 ? KNOWN_METRICS.length : known;
  };
  const best = names.reduce<string | undefined>(
    (found, name) => (found === undefined || rank(name) < rank(found) ? name : found),
    undefined
  );
  return best === undefined ? undefined : { name: best, value: metric(metrics[best]) };
}

/** What a run has under a column's key; undefined where it has none. */
function valueOf(run: RunRow, key: string): { name: string; value: string } | undefined {
  const [group, name] = partsOf(key);
  if (name === undefined || (group !== 'metrics' && group !== 'params')) {
    return undefined;
  }
  if (!(name in run[group])) {
    return undefined;
  }
  const value = group === 'metrics' ? metric(run.metrics[name]) : scalar(run.params[name]);
  return { name, value };
}

/** A run with the values that the look asks for; the figure is what the list is sorted by, else the first of them. */
export function runRow(run: RunRow, look: IRunLook, trans: TranslationBundle): IRow {
  const status = statusOf(run.status, trans);
  const keys = [...new Set([look.order.key, ...look.columns])];
  const values = keys.map(key => valueOf(run, key)).filter(value => value !== undefined);
  const [figure, ...others] = values.length > 0 ? values : [keyMetric(run.metrics)];
  const told =
    run.error ??
    join([
      run.status !== 'finished' && status.word,
      run.dataset_refs.join(SEPARATOR),
      run.duration_seconds !== null && duration(run.duration_seconds),
      run.execution_count !== null && trans.__('cell %1', run.execution_count),
      run.n_children > 0 && trans._n('%1 run inside', '%1 runs inside', run.n_children),
      run.dataset_refs.length === 0 && run.experiment !== 'default' && run.experiment
    ]);
  return {
    kind: 'run',
    ref: run.run_id,
    title: run.name,
    status,
    figure,
    at: run.started_at,
    detail:
      join([...others.map(value => value && `${value.name} ${value.value}`), told]) || status.word,
    verdict: run.verdict ?? undefined
  };
}

const waiting: IRow[] = [];

/** The row of a run that was not fetched yet, by its place in the list. */
export function waitingRow(place: number): IRow {
  for (let i = waiting.length; i <= place; i++) {
    waiting.push({ kind: 'run', ref: `#${i}`, title: '', detail: '', isWaiting: true });
  }
  return waiting[place];
}

export function datasetRow(dataset: DatasetSummary, trans: TranslationBundle): IRow {
  const latest = dataset.latest;
  return {
    kind: 'dataset',
    ref: latest.ref,
    title: dataset.name,
    status:
      latest.validity === 'failed'
        ? { condition: 'alert', word: trans.__('fails its expectations') }
        : undefined,
    note: [`v${latest.number}`, ...latest.aliases].join(SEPARATOR),
    figure: { name: trans._n('row', 'rows', latest.n_rows), value: count(latest.n_rows) },
    at: latest.created_at,
    detail: join([
      trans._n('%1 column', '%1 columns', latest.n_columns),
      bytes(latest.size_bytes),
      trans._n('%1 version', '%1 versions', dataset.n_versions),
      latest.message
    ])
  };
}

/** Where a version stands: `champion · production`. */
export function standing(version: ModelVersion): string {
  return join([...version.aliases, version.stage !== 'none' && version.stage]);
}

export function modelRow(model: RegisteredModel, trans: TranslationBundle): IRow {
  const shown = model.champion ?? model.latest;
  const newer =
    model.latest.ref !== shown.ref &&
    trans.__('newest v%1 %2', model.latest.number, standing(model.latest));
  return {
    kind: 'model',
    ref: shown.ref,
    title: model.name,
    note: `v${shown.number}`,
    figure: keyMetric(shown.metrics),
    at: shown.created_at,
    detail: join([
      standing(shown) || trans.__('no stage'),
      newer,
      shown.estimator,
      trans._n('%1 version', '%1 versions', model.n_versions)
    ])
  };
}

/** `v4` where the model is called like its endpoint, or beside another version of it; else the whole reference. */
function versionOf(
  deployment: Deployment,
  endpoint: EndpointInfo,
  beside: readonly Deployment[] = []
): string {
  const [model, number] = deployment.model_ref.split(':');
  const isClear =
    model === endpoint.name ||
    (beside.length > 1 && beside.every(other => other.model_ref.startsWith(`${model}:`)));
  return isClear ? `v${number}` : deployment.model_ref;
}

/** An endpoint: how it is, who answers how much, how far a canary is or why it was rolled back. */
export function endpointRow(
  endpoint: EndpointInfo,
  trans: TranslationBundle,
  now: number = Date.now()
): IRow {
  const routed = endpoint.deployments.filter(d => d.status === 'live' || d.status === 'starting');
  const newest = endpoint.deployments[endpoint.deployments.length - 1];
  const shown = routed[routed.length - 1] ?? newest;
  const failed = newest?.status === 'failed' ? newest : undefined;
  const rollout = rolloutWords(endpoint, trans, now);
  const keys = endpoint.keys.filter(key => key.revoked_at === null).length;
  return {
    kind: 'endpoint',
    ref: endpoint.name,
    title: endpoint.name,
    status: endpointStatus(endpoint, trans),
    note: routed.length === 1 ? versionOf(routed[0], endpoint) : undefined,
    figure:
      routed.length > 1
        ? {
            value: routed
              .map(d =>
                d.arm === 'shadow'
                  ? trans.__('%1 shadow', versionOf(d, endpoint, routed))
                  : `${versionOf(d, endpoint, routed)} ${percent(d.share_fraction)}`
              )
              .join(' ')
          }
        : undefined,
    at: shown?.created_at ?? endpoint.created_at,
    detail: failed
      ? trans.__('%1 failed: %2', failed.model_ref, failed.failure ?? '')
      : (rollout?.words ??
        join([
          shown && statusOf(shown.status, trans).word,
          endpoint.url && new URL(endpoint.url).host,
          trans._n('%1 key', '%1 keys', keys)
        ])),
    progress: rollout?.progress,
    action:
      rollBackOf(endpoint) !== undefined
        ? { label: trans.__('Roll back'), command: CommandIDs.rollBack }
        : undefined
  };
}

/** Whether it answers; what is worst is said. */
export function endpointStatus(endpoint: EndpointInfo, trans: TranslationBundle): IStatus {
  const routed = endpoint.deployments.filter(d => d.status === 'live' || d.status === 'starting');
  const newest = endpoint.deployments[endpoint.deployments.length - 1];
  if (newest === undefined) {
    return { condition: 'stopped', word: trans.__('nothing deployed') };
  }
  if (endpoint.url === null && routed.length > 0) {
    return { condition: 'stopped', word: trans.__('host stopped') };
  }
  if (newest.status === 'failed') {
    return statusOf('failed', trans);
  }
  if (isRolledBack(endpoint)) {
    return statusOf('rolled_back', trans);
  }
  if (endpoint.rollout?.state === 'running') {
    return { condition: 'busy', word: trans.__('live, canary') };
  }
  return statusOf((routed[routed.length - 1] ?? newest).status, trans);
}

/** Whether the newest version was taken away by its rollout, and nothing was deployed since. */
function isRolledBack(endpoint: EndpointInfo): boolean {
  const newest = endpoint.deployments[endpoint.deployments.length - 1];
  return (
    endpoint.rollout?.state === 'rolled_back' && endpoint.rollout.deployment === newest?.number
  );
}

function rolloutWords(
  endpoint: EndpointInfo,
  trans: TranslationBundle,
  now: number
): { words: string; progress?: IRow['progress'] } | undefined {
  const { rollout } = endpoint;
  if (rollout === null) {
    return undefined;
  }
  if (isRolledBack(endpoint)) {
    return { words: trans.__('rolled back: %1', rollout.reason ?? rollout.model_ref) };
  }
  if (rollout.state !== 'running') {
    return undefined;
  }
  const { steps, every_seconds } = rollout.plan;
  const due = Date.parse(rollout.step_started_at) + 1000 * (toNumber(every_seconds) ?? 0);
  const next =
    due > now
      ? trans.__('next at %1 UTC', new Date(due).toISOString().slice(11, 16))
      : (rollout.reason ?? trans.__('next when the guards hold'));
  return {
    words: join([trans.__('canary step %1 of %2', rollout.step + 1, steps.length), next]),
    progress: { done: rollout.step + 1, of: steps.length }
  };
}

export function monitorRow(monitor: MonitorInfo, trans: TranslationBundle): IRow {
  const last = monitor.windows[monitor.windows.length - 1];
  const judged = last?.report.columns.filter(c => c.status === 'stable' || c.status === 'drifted');
  const moved = judged?.filter(c => c.drifted).length ?? 0;
  const isOpen = monitor.alerts.some(alert => alert.state === 'open');
  return {
    kind: 'monitor',
    ref: monitor.endpoint,
    title: monitor.endpoint,
    status:
      isOpen || moved > 0
        ? { condition: 'alert', word: isOpen ? trans.__('open alert') : trans.__('drift') }
        : last
          ? { condition: 'good', word: trans.__('no drift') }
          : { condition: 'waiting', word: trans.__('no window yet') },
    figure: judged && { value: trans.__('%1 drifted', moved) },
    at: last?.ended_at,
    detail: join([
      judged && trans.__('%1 of %2 columns', moved, judged.length),
      trans._n('%1 window', '%1 windows', monitor.windows.length),
      trans.__('%1 predictions', count(monitor.n_predictions)),
      last?.accuracy !== null &&
        last !== undefined &&
        trans.__('accuracy %1', metric(last.accuracy)),
      monitor.error
    ])
  };
}

export function alertRow(alert: Alert, trans: TranslationBundle): IRow {
  return {
    kind: 'alert',
    ref: alert.endpoint,
    title: alert.endpoint,
    note: alert.rule,
    status: statusOf(alert.state, trans),
    at: alert.raised_at,
    detail: alert.message.replace(`${alert.endpoint}, `, '')
  };
}

/** The rows that contain every word of the filter. */
export function filterRows(rows: readonly IRow[], filter: string): readonly IRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    return rows;
  }
  return rows.filter(row => {
    const text = [
      row.title,
      row.ref,
      row.note,
      row.figure?.name,
      row.figure?.value,
      row.status?.word,
      row.detail
    ]
      .join(' ')
      .toLowerCase();
    return words.every(word => text.includes(word));
  });
}

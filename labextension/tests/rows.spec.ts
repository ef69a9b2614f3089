import { nullTranslator } from '@jupyterlab/translation';
import type { IRow } from '../src/sidebar/rows';
import { PLAIN_LOOK } from '../src/sidebar/run-order';
import * as rows from '../src/sidebar/rows';
import { CommandIDs } from '../src/tokens';
import {
  makeAlert,
  makeDataset,
  makeDeployment,
  makeEndpoint,
  makeModel,
  makeMonitor,
  makeRollout,
  makeRunRow
} from './records';

const trans = nullTranslator.load('snapml_jupyter');
const THIN = '\u202f';

test('a run says its key metric, what it read, how long it took and where', () => {
  expect(rows.runRow(makeRunRow(), PLAIN_LOOK, trans)).toMatchObject({
    title: 'late-flights',
    status: { condition: 'good', word: 'finished' },
    figure: { name: 'auc', value: '0.7823' },
    detail: `flights@v3 · 14${THIN}s · cell 7`
  });
});

test('a failed run says why', () => {
  const error = "ValueError: 'dest' is not in index";
  const row = rows.runRow(makeRunRow({ status: 'failed', error, metrics: {} }), PLAIN_LOOK, trans);
  expect(row.status?.condition).toBe('bad');
  expect(row.detail).toBe("ValueError: 'dest' is not in index");
  expect(row.figure).toBeUndefined();
});

test('chosen values stand in the row, the one it is sorted by first', () => {
  const run = makeRunRow({ params: { depth: 6 }, metrics: { auc: 0.782349, loss: 0.5 } });
  const columns = ['metrics.auc', 'params.depth', 'params.rate'];
  const row = rows.runRow(run, { ...PLAIN_LOOK, columns }, trans);
  expect(row.figure).toEqual({ name: 'auc', value: '0.7823' });
  expect(row.detail).toBe(`depth 6 · flights@v3 · 14${THIN}s · cell 7`);
  const order = { key: 'metrics.loss', isDescending: false };
  const sorted = rows.runRow(run, { order, columns }, trans);
  expect(sorted.figure).toEqual({ name: 'loss', value: '0.5' });
  expect(sorted.detail).toMatch(/^auc 0.7823 · depth 6 · /);
});

test('a run that goes on says so, and one with replays has their verdict', () => {
  const going = makeRunRow({ status: 'running', duration_seconds: null, n_children: 2 });
  expect(rows.runRow(going, PLAIN_LOOK, trans).detail).toBe(
    'running · flights@v3 · cell 7 · 2 runs inside'
  );
  const replayed = makeRunRow({ verdict: 'identical' });
  expect(rows.runRow(replayed, PLAIN_LOOK, trans).verdict).toBe('identical');
});

test('the best known metric is the key one, else the first', () => {
  expect(rows.keyMetric({ n_rows: 5, roc_auc_score: 0.8, loss: 1 })?.name).toBe('roc_auc_score');
  expect(rows.keyMetric({ bleu: 1, chrf: 2 })?.name).toBe('bleu');
  expect(rows.keyMetric({})).toBeUndefined();
});

test('a dataset shows its rows with thin spaces and its size', () => {
  const summary = { name: 'flights', n_versions: 3, latest: makeDataset() };
  expect(rows.datasetRow(summary, trans)).toMatchObject({
    note: 'v3',
    figure: { name: 'rows', value: `336${THIN}776` },
    detail: `19 columns · 356${THIN}KB · 3 versions`
  });
});

test('a model shows its champion and tells of a newer version', () => {
  const newest = makeModel({ ref: 'flights:5', number: 5, aliases: ['challenger'], stage: 'none' });
  const model = { name: 'flights', n_versions: 5, latest: newest, champion: makeModel() };
  const row = rows.modelRow(model, trans);
  expect(row.ref).toBe('flights:4');
  expect(row.detail).toBe('champion · production · newest v5 challenger · Pipeline · 5 versions');
});

test('an endpoint shows what answers, and why the newest deployment does not', () => {
  expect(rows.endpointRow(makeEndpoint(), trans)).toMatchObject({
    status: { condition: 'good', word: 'live' },
    note: 'v4',
    detail: 'live · 127.0.0.1:8917 · 1 key'
  });
  const failed = makeDeployment({ number: 2, status: 'failed', failure: 'no memory' });
  const row = rows.endpointRow(makeEndpoint({ deployments: [makeDeployment(), failed] }), trans);
  expect(row.status?.word).toBe('failed');
  expect(row.detail).toBe('flights:4 failed: no memory');
  expect(rows.endpointRow(makeEndpoint({ deployments: [] }), trans).status?.condition).toBe(
    'stopped'
  );
});

test('a canary shows its shares, its step and when the next one is', () => {
  const canary = makeDeployment({
    number: 2,
    model_ref: 'flights:5',
    arm: 'challenger',
    share_fraction: 0.25
  });
  const champion = makeDeployment({ share_fraction: 0.75 });
  const rollout = makeRollout();
  const endpoint = makeEndpoint({ deployments: [champion, canary], rollout });
  const began = Date.parse(rollout.step_started_at);
  expect(rows.endpointRow(endpoint, trans, began + 1000)).toMatchObject({
    status: { condition: 'busy', word: 'live, canary' },
    figure: { value: `v4 75${THIN}% v5 25${THIN}%` },
    detail: 'canary step 2 of 3 · next at 12:10 UTC',
    progress: { done: 2, of: 3 },
    action: { label: 'Roll back', command: CommandIDs.rollBack }
  });
  const waiting = { ...rollout, reason: '40 requests at this step so far, 100 are needed' };
  expect(rows.endpointRow({ ...endpoint, rollout: waiting }, trans, began + 700_000).detail).toBe(
    'canary step 2 of 3 · 40 requests at this step so far, 100 are needed'
  );
});

test('a canary that was taken away says why until something else is deployed', () => {
  const taken = makeDeployment({
    number: 2,
    model_ref: 'flights:5',
    arm: 'challenger',
    status: 'retired',
    share_fraction: 0
  });
  const rollout = makeRollout({
    state: 'rolled_back',
    reason: 'flights:5 broke the guard p99<5ms.'
  });
  const endpoint = makeEndpoint({ deployments: [makeDeployment(), taken], rollout });
  const row = rows.endpointRow(endpoint, trans);
  expect(row.status).toEqual({ condition: 'alert', word: 'rolled back' });
  expect(row.detail).toBe('rolled back: flights:5 broke the guard p99<5ms.');
  expect(row.action).toBeUndefined();
  const later = makeDeployment({ number: 3, model_ref: 'flights:6' });
  const retired = makeDeployment({ status: 'retired' });
  const next = rows.endpointRow({ ...endpoint, deployments: [retired, taken, later] }, trans);
  expect(next.status?.word).toBe('live');
  expect(next.action).toBeDefined();
});

test('without its host an endpoint answers nobody', () => {
  const { status } = rows.endpointRow(makeEndpoint({ url: null }), trans);
  expect(status).toEqual({ condition: 'stopped', word: 'host stopped' });
});

test('a monitor with drift or an open alert is marked', () => {
  expect(rows.monitorRow(makeMonitor(), trans)).toMatchObject({
    status: { condition: 'alert', word: 'drift' },
    figure: { value: '1 drifted' },
    detail: `1 of 2 columns · 1 window · 5${THIN}000 predictions`
  });
  const waiting = rows.monitorRow(makeMonitor({ windows: [] }), trans);
  expect(waiting.status?.condition).toBe('waiting');
  const alerted = rows.monitorRow(makeMonitor({ alerts: [makeAlert()], windows: [] }), trans);
  expect(alerted.status?.word).toBe('open alert');
});

test('the filter wants every word, in any part of the row', () => {
  const all: IRow[] = [
    rows.runRow(makeRunRow(), PLAIN_LOOK, trans),
    rows.runRow(makeRunRow({ run_id: 'r-2', name: 'churn', status: 'failed' }), PLAIN_LOOK, trans)
  ];
  const names = (filter: string) => rows.filterRows(all, filter).map(row => row.title);
  expect(names('')).toEqual(['late-flights', 'churn']);
  expect(names('FLIGHTS@v3 late')).toEqual(['late-flights']);
  expect(names('failed')).toEqual(['churn']);
  expect(names('nothing like it')).toEqual([]);
});

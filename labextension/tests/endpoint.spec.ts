import { nullTranslator } from '@jupyterlab/translation';
import { SnapMLError } from '../src/api/errors';
import type { TrafficHistory, VersionHistory } from '../src/api/types';
import { until } from '../src/format';
import { rollBackOf } from '../src/pages/deployments';
import { hasRequests, linesOf } from '../src/pages/endpoint-lines';
import { decisionWords, evidenceWords, figureWords, testWords } from '../src/pages/judgements';
import {
  KEEP,
  keyStatus,
  limitTextsOf,
  limitWords,
  NEW_KEY,
  readKey,
  readLimits,
  textsOf,
  usageWords,
  wrongOf
} from '../src/pages/key-fields';
import { makeDeployment, makeEndpoint, makeJudgement, makeRollout } from './records';

const trans = nullTranslator.load('snapml_jupyter');
const THIN = '\u202f';
const NOW = Date.parse('2026-11-22T12:00:00Z');

const version = (fields: Partial<VersionHistory>): VersionHistory => ({
  version: '4',
  model_ref: 'flights:4',
  arm: 'champion',
  n_requests: 10,
  requests_per_second: [1, null, 1],
  errors_per_second: [0, null, 0],
  p50_ms: [2, null, null],
  p95_ms: [3, null, null],
  p99_ms: [4, null, null],
  ...fields
});

const history = (versions: VersionHistory[]): TrafficHistory => ({
  endpoint: 'flights',
  step_seconds: 5,
  times_ms: [0, 5000, 10_000],
  versions,
  is_host_running: true
});

test('charts have a line for each version, gaps stay gaps, and colours go with the version', () => {
  const charts = linesOf(
    history([
      version({}),
      version({ model_ref: 'flights:5', arm: 'challenger', n_requests: 0 }),
      version({ model_ref: 'flights:2', arm: null, n_requests: 0 }),
      version({ model_ref: 'flights:3', arm: null })
    ]),
    trans
  );
  expect(charts.map(chart => chart.id)).toEqual([
    'requests_per_second',
    'errors_per_second',
    'p50_ms',
    'p95_ms',
    'p99_ms'
  ]);
  for (const chart of charts) {
    expect(chart.series.map(line => [line.label, line.place])).toEqual([
      ['flights:4 champion', 0],
      ['flights:5 challenger', 1],
      ['flights:3 before', 2]
    ]);
  }
  expect(charts[0].series[0].values).toEqual([1, null, 1]);
  expect(hasRequests(history([version({ n_requests: 0 })]))).toBe(false);
});

test('what is typed about a key becomes arguments, and what is wrong has its place', () => {
  const typed = { ...NEW_KEY, client: 'web', expiry: '86400', rate_per_second: '2.5' };
  expect(readKey({ ...typed, quota_per_day: '1 000' }, null, NOW, trans)).toEqual({
    limits: { expires_in_seconds: 86_400, rate_per_second: 2.5, quota_per_day: 1000 },
    wrong: {}
  });
  const { wrong } = readKey(
    { client: ' ', scopes: [], expiry: '', rate_per_second: '0', quota_per_day: '1.5' },
    null,
    NOW,
    trans
  );
  expect(Object.keys(wrong).sort()).toEqual([
    'client',
    'quota_per_day',
    'rate_per_second',
    'scopes'
  ]);
});

test('a key that is changed keeps its expiry unless another one is chosen', () => {
  const key = { ...makeEndpoint().keys[0], expires_at: '2026-11-22T13:00:00Z', quota_per_day: 50 };
  const texts = textsOf(key);
  expect(texts).toMatchObject({ expiry: KEEP, quota_per_day: '50', rate_per_second: '' });
  expect(readKey(texts, key.expires_at, NOW, trans).limits.expires_in_seconds).toBe(3600);
  expect(readKey(texts, '2026-11-22T11:00:00Z', NOW, trans).wrong.expires_in_seconds).toMatch(
    /has expired/
  );
  expect(keyStatus(key, NOW, trans).word).toBe('valid');
  expect(keyStatus(key, NOW + 3_600_000, trans).word).toBe('expired');
  expect(limitWords({ ...key, rate_per_second: 20 }, trans)).toBe('20/s · 50 a day');
  expect([usageWords(7, 50, trans), usageWords(null, null, trans)]).toEqual(['7 of 50', '–']);
  expect(until(key.expires_at, NOW, trans)).toBe(`in 60${THIN}min`);
});

test('an endpoint keeps exactly what was not touched', () => {
  const settings = { ...makeEndpoint().settings, max_body_bytes: 1_000_000, sticky: 'key' };
  const texts = limitTextsOf(settings);
  expect(texts.max_body_bytes).toBe('0.953674');
  const read = readLimits(
    settings,
    { ...texts, timeout_seconds: '2', cors_origins: 'https://a.example, https://b.example' },
    trans
  );
  expect(read).toEqual({
    settings: {
      ...settings,
      timeout_seconds: 2,
      cors_origins: ['https://a.example', 'https://b.example']
    },
    wrong: {}
  });
  expect(readLimits(settings, { ...texts, max_body_bytes: '2' }, trans).settings).toMatchObject({
    max_body_bytes: 2 ** 21
  });
  const wrong = readLimits(
    settings,
    { ...texts, cors_origins: 'a.example', max_rows: '-1' },
    trans
  );
  expect(Object.keys(wrong.wrong).sort()).toEqual(['cors_origins', 'max_rows']);
});

test("the server's sentence stands at the field that it names", () => {
  const refused = new SnapMLError('failed', 'max_rows must be above 0; it is -1.', 'invalid_input');
  expect(wrongOf(refused, ['quota_per_day', 'max_rows'])).toEqual({
    max_rows: 'Must be above 0; it is -1.'
  });
  expect(wrongOf(new SnapMLError('unreachable'), ['max_rows'])).toEqual({});
});

test('the judge tells both figures, what is tested within which bounds, and the evidence', () => {
  const guard = makeJudgement();
  expect(figureWords(guard, 'challenger', trans)).toBe(`0.20${THIN}% (n 500)`);
  expect(figureWords(guard, 'champion', trans)).toBe(`0.10${THIN}% (n 4${THIN}500)`);
  expect(testWords(guard, trans)).toBe(
    `errors 0.20${THIN}% (at all times between 0.01${THIN}% and 2${THIN}%), allowed 1${THIN}%`
  );
  expect(evidenceWords(guard, trans)).toMatch(/: 0.3 of the 20 /);
  expect(evidenceWords({ ...guard, evidence: 1e300 }, trans)).toMatch(/: over 10.000 of the 20 /);
  const slow = makeJudgement({ guard: 'p99<50ms', challenger: 61.3, tested: 0.02 });
  expect(figureWords(slow, 'challenger', trans)).toBe('61.3 ms (n 500)');
  expect(testWords(slow, trans)).toMatch(/^slower 2/);
  const auc = makeJudgement({
    guard: 'metrics.auc>=champion-0.01',
    tested: 0.004,
    low: -0.02,
    high: 0.028,
    allowed: -0.01,
    evidence: null,
    evidence_needed: null
  });
  expect(testWords(auc, trans)).toBe(
    'difference +0.004 (at all times between −0.02 and +0.028), allowed −0.01'
  );
  expect(evidenceWords(auc, trans)).toBe('');
  expect(testWords({ ...guard, tested: null }, trans)).toBe(`nothing yet, allowed 1${THIN}%`);
});

test('the decision is one sentence, and a person who rolled back is no judge', () => {
  expect(decisionWords(makeRollout({ reason: '25% for 9 more seconds' }), trans)).toBe(
    'The judge keeps going and waits: 25% for 9 more seconds.'
  );
  const back = makeRollout({ state: 'rolled_back', reason: 'Rolled back by ada.' });
  expect(decisionWords(back, trans)).toBe('Rolled back by ada.');
  const judged = {
    ...back,
    reason: 'It broke p99<5ms.',
    judgements: [makeJudgement({ state: 'broken' })]
  };
  expect(decisionWords(judged, trans)).toBe('The judge took it away: It broke p99<5ms.');
});

test('rolling back takes the newcomer away, else brings the last champion back', () => {
  const champion = makeDeployment({ number: 3, model_ref: 'flights:5' });
  const before = makeDeployment({ status: 'retired' });
  const canary = makeDeployment({ number: 4, model_ref: 'flights:6', arm: 'challenger' });
  const plan = (...deployments: ReturnType<typeof makeDeployment>[]) =>
    rollBackOf(makeEndpoint({ deployments }));
  expect(plan(before, champion, canary)).toEqual({ taken: 'flights:6', stays: 'flights:5' });
  expect(plan(before, champion)).toEqual({ from: 'flights:5', to: 'flights:4' });
  expect(plan(champion)).toBeUndefined();
});

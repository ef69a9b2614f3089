import type { TranslationBundle } from '@jupyterlab/translation';
import type { GuardJudgement, Rollout } from '../api/types';
import { count, metric, NOTHING, percent, toNumber } from '../format';

/** Evidence beyond this says nothing more. */
const OVERWHELMING = 10_000;

/** What a guard is about: `error_rate`, `p99`, `agreement`, `metrics.auc`, `drift`. */
function subjectOf(judgement: GuardJudgement): string {
  return /^[a-z_0-9.]+/.exec(judgement.guard)?.[0] ?? '';
}

const isShare = (subject: string) => ['error_rate', 'agreement', 'drift'].includes(subject);
const isLatency = (subject: string) => /^p\d+$/.test(subject);

/** A version's figure in the unit of its guard, with how many requests or rows it comes from. */
export function figureWords(
  judgement: GuardJudgement,
  arm: 'challenger' | 'champion',
  trans: TranslationBundle
): string {
  const value = toNumber(judgement[arm]);
  const n = arm === 'challenger' ? judgement.n_challenger : judgement.n_champion;
  if (value === null) {
    return NOTHING;
  }
  const subject = subjectOf(judgement);
  const figure = isLatency(subject)
    ? trans.__('%1 ms', metric(value))
    : isShare(subject)
      ? percent(value)
      : metric(value);
  return n > 0 ? trans.__('%1 (n %2)', figure, count(n)) : figure;
}

/** What is compared with what is allowed, within which bounds. */
export function testWords(judgement: GuardJudgement, trans: TranslationBundle): string {
  const { tested, low, high, allowed } = judgement;
  if (allowed === null) {
    return NOTHING;
  }
  const subject = subjectOf(judgement);
  const isRelative = judgement.guard.includes('champion');
  const isRate = judgement.evidence_needed !== null || subject === 'drift';
  const figure = (value: typeof tested) =>
    isRate ? percent(value) : isRelative ? signed(value) : metric(value);
  if (tested === null) {
    return trans.__('nothing yet, allowed %1', figure(allowed));
  }
  const what = isLatency(subject)
    ? trans.__('slower')
    : subject === 'agreement'
      ? trans.__('different')
      : subject === 'error_rate' && isRate
        ? trans.__('errors')
        : isRelative
          ? trans.__('difference')
          : subject;
  return low === null || high === null
    ? trans.__('%1 %2, allowed %3', what, figure(tested), figure(allowed))
    : trans.__(
        '%1 %2 (at all times between %3 and %4), allowed %5',
        what,
        figure(tested),
        figure(low),
        figure(high),
        figure(allowed)
      );
}

/** How far the evidence against a version has come: it is taken away at the second number. */
export function evidenceWords(judgement: GuardJudgement, trans: TranslationBundle): string {
  const evidence = toNumber(judgement.evidence);
  const needed = toNumber(judgement.evidence_needed);
  if (evidence === null || needed === null) {
    return '';
  }
  const said =
    evidence > OVERWHELMING
      ? trans.__('over %1', count(OVERWHELMING))
      : evidence < 0.01
        ? trans.__('below %1', metric(0.01))
        : metric(Number(evidence.toPrecision(2)));
  return trans.__('evidence against it: %1 of the %2 that break it', said, metric(needed));
}

/** What the judge decided, in one sentence. */
export function decisionWords(rollout: Rollout, trans: TranslationBundle): string {
  switch (rollout.state) {
    case 'running':
      return rollout.reason === null
        ? trans.__('The judge has not looked yet.')
        : trans.__('The judge keeps going and waits: %1.', rollout.reason.replace(/\.$/, ''));
    case 'rolled_back':
      return rollout.judgements.some(each => each.state === 'broken')
        ? trans.__('The judge took it away: %1', rollout.reason ?? '')
        : (rollout.reason ?? '');
    default:
      return rollout.reason ?? '';
  }
}

function signed(value: GuardJudgement['tested']): string {
  const number = toNumber(value);
  return number !== null && number > 0 ? `+${metric(number)}` : metric(number);
}

import type { TranslationBundle } from '@jupyterlab/translation';
import { SnapMLError } from '../api/errors';
import type { ApiKey, EndpointSettings, Float, Scope } from '../api/types';
import { count, metric, NOTHING, toNumber } from '../format';
import type { IStatus } from '../parts/status';

const DAY = 86_400;

/** Wrong fields, each with its sentence. */
export type Wrong = Record<string, string>;

/** What is typed about a key. `expiry` is seconds, empty for never, or KEEP. */
export interface IKeyTexts {
  client: string;
  scopes: readonly Scope[];
  expiry: string;
  rate_per_second: string;
  quota_per_day: string;
}

/** As expiry: it stays as it is. */
export const KEEP = 'keep';
export const NEW_KEY: IKeyTexts = {
  client: '',
  scopes: ['predict', 'feedback'],
  expiry: '',
  rate_per_second: '',
  quota_per_day: ''
};

/** A key's limits as they are typed. */
export function textsOf(key: ApiKey): IKeyTexts {
  return {
    client: key.client,
    scopes: key.scopes,
    expiry: key.expires_at === null ? '' : KEEP,
    rate_per_second: plain(key.rate_per_second),
    quota_per_day: plain(key.quota_per_day)
  };
}

/** Limits as operations take them. */
export interface IKeyLimits {
  expires_in_seconds: number | null;
  rate_per_second: number | null;
  quota_per_day: number | null;
}

/** What was typed, as arguments, or what is wrong with it. `expiresAt` is what KEEP keeps. */
export function readKey(
  texts: IKeyTexts,
  expiresAt: string | null,
  now: number,
  trans: TranslationBundle
): { limits: IKeyLimits; wrong: Wrong } {
  const wrong: Wrong = {};
  if (texts.client.trim() === '') {
    wrong.client = trans.__('Name who will use the key.');
  }
  if (texts.scopes.length === 0) {
    wrong.scopes = trans.__('Choose at least one.');
  }
  const limits: IKeyLimits = {
    expires_in_seconds:
      texts.expiry === KEEP && expiresAt !== null
        ? (Date.parse(expiresAt) - now) / 1000
        : texts.expiry === ''
          ? null
          : Number(texts.expiry),
    rate_per_second: limitOf('rate_per_second', texts.rate_per_second, false, wrong, trans),
    quota_per_day: limitOf('quota_per_day', texts.quota_per_day, true, wrong, trans)
  };
  if (
    texts.expiry === KEEP &&
    limits.expires_in_seconds !== null &&
    limits.expires_in_seconds <= 0
  ) {
    wrong.expires_in_seconds = trans.__('It has expired; choose how long it is valid from now on.');
  }
  return { limits, wrong };
}

/** What is typed about the endpoint as a whole; nothing is no limit. */
export interface ILimitTexts {
  rate_per_second: string;
  quota_per_day: string;
  max_rows: string;
  max_body_bytes: string;
  timeout_seconds: string;
  cors_origins: string;
}

/** An endpoint's limits as they are typed: the body's size in MiB, origins with spaces between them. */
export function limitTextsOf(settings: EndpointSettings): ILimitTexts {
  const { max_body_bytes } = settings;
  return {
    rate_per_second: plain(settings.rate_per_second),
    quota_per_day: plain(settings.quota_per_day),
    max_rows: plain(settings.max_rows),
    max_body_bytes: max_body_bytes === null ? '' : plain(round(max_body_bytes / 2 ** 20)),
    timeout_seconds: plain(settings.timeout_seconds),
    cors_origins: settings.cors_origins.join(' ')
  };
}

/** The settings with what was typed, or what is wrong with it. What is typed as before stays exactly as it is. */
export function readLimits(
  settings: EndpointSettings,
  texts: ILimitTexts,
  trans: TranslationBundle
): { settings: EndpointSettings; wrong: Wrong } {
  const wrong: Wrong = {};
  const before = limitTextsOf(settings);
  const read = { ...settings };
  if (texts.rate_per_second !== before.rate_per_second) {
    read.rate_per_second = limitOf('rate_per_second', texts.rate_per_second, false, wrong, trans);
  }
  if (texts.quota_per_day !== before.quota_per_day) {
    read.quota_per_day = limitOf('quota_per_day', texts.quota_per_day, true, wrong, trans);
  }
  if (texts.max_rows !== before.max_rows) {
    read.max_rows = limitOf('max_rows', texts.max_rows, true, wrong, trans);
  }
  if (texts.max_body_bytes !== before.max_body_bytes) {
    const size = limitOf('max_body_bytes', texts.max_body_bytes, false, wrong, trans);
    read.max_body_bytes = size === null ? null : Math.max(1, Math.round(size * 2 ** 20));
  }
  if (texts.timeout_seconds !== before.timeout_seconds) {
    read.timeout_seconds = limitOf('timeout_seconds', texts.timeout_seconds, false, wrong, trans);
  }
  const origins = texts.cors_origins.split(/[\s,]+/).filter(Boolean);
  const odd = origins.find(origin => origin !== '*' && !/^https?:\/\/[^/]+$/.test(origin));
  if (odd !== undefined) {
    wrong.cors_origins = trans.__('%1 is no origin; write https://example.org, or * for all.', odd);
  }
  read.cors_origins = origins;
  return { settings: read, wrong };
}

/** The sentence of the server at the field that it names first, if it names one. */
export function wrongOf(error: unknown, fields: readonly string[]): Wrong {
  if (!(error instanceof SnapMLError) || error.code !== 'invalid_input') {
    return {};
  }
  const named = fields.find(field => error.message.startsWith(field));
  return named === undefined
    ? {}
    : {
        [named]: error.message
          .slice(named.length)
          .replace(/^ (.)/, (_, c: string) => c.toUpperCase())
      };
}

/** Whether a key opens anything now. */
export function keyStatus(key: ApiKey, now: number, trans: TranslationBundle): IStatus {
  if (key.revoked_at !== null) {
    return { condition: 'stopped', word: trans.__('revoked') };
  }
  return key.expires_at !== null && Date.parse(key.expires_at) <= now
    ? { condition: 'stopped', word: trans.__('expired') }
    : { condition: 'good', word: trans.__('valid') };
}

/** `20/s · 1 000 a day`. */
export function limitWords(key: ApiKey, trans: TranslationBundle): string {
  const said = [
    key.rate_per_second !== null && trans.__('%1/s', metric(key.rate_per_second)),
    key.quota_per_day !== null && trans.__('%1 a day', count(key.quota_per_day))
  ].filter(Boolean);
  return said.join(' · ') || trans.__('none');
}

/** `12 of 1 000`; only keys with limits are counted. */
export function usageWords(
  nToday: number | null | undefined,
  quota: number | null,
  trans: TranslationBundle
): string {
  if (nToday === null || nToday === undefined) {
    return NOTHING;
  }
  return quota === null ? count(nToday) : trans.__('%1 of %2', count(nToday), count(quota));
}

/** How long a key may be valid, as choices. */
export function expiries(trans: TranslationBundle): [string, string][] {
  return [
    ['', trans.__('never')],
    [String(DAY), trans.__('in a day')],
    [String(7 * DAY), trans.__('in a week')],
    [String(30 * DAY), trans.__('in 30 days')],
    [String(90 * DAY), trans.__('in 90 days')],
    [String(365 * DAY), trans.__('in a year')]
  ];
}

/** How long an old key goes on working beside its successor. */
export function overlaps(trans: TranslationBundle): [string, string][] {
  return [
    [String(3600), trans.__('another hour')],
    [String(DAY), trans.__('another day')],
    [String(7 * DAY), trans.__('another week')],
    ['0', trans.__('not at all')]
  ];
}

function limitOf(
  field: string,
  text: string,
  isWhole: boolean,
  wrong: Wrong,
  trans: TranslationBundle
): number | null {
  const plainText = text.replace(/[\s\u202f]/g, '');
  if (plainText === '') {
    return null;
  }
  const number = Number(plainText);
  if (!Number.isFinite(number) || number <= 0) {
    wrong[field] = trans.__('A number above 0, or nothing for no limit.');
    return null;
  }
  if (isWhole && !Number.isInteger(number)) {
    wrong[field] = trans.__('A whole number, or nothing for no limit.');
    return null;
  }
  return number;
}

function plain(value: Float | null): string {
  const number = toNumber(value);
  return number === null ? '' : String(number);
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

import type { TranslationBundle } from '@jupyterlab/translation';
import type { Float } from './api/types';

/** Between groups of three digits; narrow, and never broken over lines. */
export const THIN_SPACE = '\u202f';
/** For what is not there. */
export const NOTHING = '–';

/** A float from the wire as a number; NaN stays NaN, null and absent become null. */
export function toNumber(value: Float | string | null | undefined): number | null {
  if (value === null || value === undefined) {
    return null;
  }
  if (typeof value === 'number') {
    return value;
  }
  return value === 'inf' ? Infinity : value === '-inf' ? -Infinity : NaN;
}

/** A whole number with grouped thousands: `336 776`. */
export function count(value: number): string {
  return group(Math.round(value).toString());
}

/** A measured number to 4 significant digits, the integer part always whole: `0.7823`, `12 346`, `1.234e-7`. */
export function metric(value: Float | string | null | undefined): string {
  const number = toNumber(value);
  if (number === null) {
    return NOTHING;
  }
  if (!Number.isFinite(number)) {
    return Number.isNaN(number) ? 'NaN' : number > 0 ? '∞' : '−∞';
  }
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) {
    return trimZeros(number.toExponential(3)).replace('-', number < 0 ? '−' : '-');
  }
  if (size >= 1e4) {
    return count(number);
  }
  return group(trimZeros(number.toPrecision(4)));
}

/** A share between 0 and 1: `99.99 %`. */
export function percent(value: Float | string | null | undefined): string {
  const number = toNumber(value);
  if (number === null || !Number.isFinite(number)) {
    return NOTHING;
  }
  const points = 100 * number;
  const digits = Number.isInteger(points)
    ? 0
    : Math.abs(points) > 99 || Math.abs(points) < 1
      ? 2
      : 1;
  return `${minus(points.toFixed(digits))}${THIN_SPACE}%`;
}

/** A size with a unit of 1000: `16 KB`. */
export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && size < 10 ? 1 : 0;
  return `${size.toFixed(digits)}${THIN_SPACE}${units[unit]}`;
}

/** A length of time: `350 ms`, `14 s`, `2 min 3 s`, `1 h 20 min`. */
export function duration(seconds: Float | null | undefined): string {
  const number = toNumber(seconds);
  if (number === null || !Number.isFinite(number)) {
    return NOTHING;
  }
  const unit = (n: number, name: string) => `${n}${THIN_SPACE}${name}`;
  if (number < 0.9995) {
    return unit(Math.round(number * 1000), 'ms');
  }
  if (number < 9.95) {
    return `${number.toFixed(1)}${THIN_SPACE}s`;
  }
  const whole = Math.round(number);
  if (whole < 60) {
    return unit(whole, 's');
  }
  const [large, small, names] =
    whole < 3600
      ? [Math.floor(whole / 60), whole % 60, ['min', 's']]
      : [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), ['h', 'min']];
  return small ? `${unit(large, names[0])} ${unit(small, names[1])}` : unit(large, names[0]);
}

/** Time since then, in one unit: `now`, `40 s`, `12 min`, `3 h`, `5 d`, then the date. */
export function age(at: string, now: number, trans: TranslationBundle): string {
  const seconds = (now - Date.parse(at)) / 1000;
  if (!Number.isFinite(seconds)) {
    return NOTHING;
  }
  const unit = (n: number, name: string) => `${Math.floor(n)}${THIN_SPACE}${name}`;
  if (seconds < 10) {
    return trans.__('now');
  }
  if (seconds < 60) {
    return unit(seconds, 's');
  }
  if (seconds < 3600) {
    return unit(seconds / 60, 'min');
  }
  if (seconds < 86_400) {
    return unit(seconds / 3600, 'h');
  }
  if (seconds < 30 * 86_400) {
    return unit(seconds / 86_400, 'd');
  }
  return new Date(at).toISOString().slice(0, 10);
}

/** Time until then: `in 3 h`, `in 12 d`; what is over as an age. */
export function until(at: string, now: number, trans: TranslationBundle): string {
  const seconds = (Date.parse(at) - now) / 1000;
  if (!(seconds > 0)) {
    return age(at, now, trans);
  }
  const [n, name] =
    seconds < 90
      ? [seconds, 's']
      : seconds < 90 * 60
        ? [seconds / 60, 'min']
        : seconds < 36 * 3600
          ? [seconds / 3600, 'h']
          : [seconds / 86_400, 'd'];
  return trans.__('in %1', `${Math.round(n)}${THIN_SPACE}${name}`);
}

/** The exact moment: `2026-11-22 22:24:51 UTC`. */
export function utc(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime())
    ? at
    : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A value as a person would write it: a param, a label, a cell of a table. */
export function scalar(value: unknown): string {
  if (value === null || value === undefined) {
    return NOTHING;
  }
  if (typeof value === 'number') {
    return Number.isInteger(value) ? minus(String(value)) : metric(value);
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function group(digits: string): string {
  const [whole, fraction] = digits.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  return minus(fraction === undefined ? grouped : `${grouped}.${fraction}`);
}

function minus(text: string): string {
  return text.replace(/^-/, '−');
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+(e|$)/, '$1') : text;
}

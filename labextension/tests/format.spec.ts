import { nullTranslator } from '@jupyterlab/translation';
import { age, bytes, count, duration, metric, percent, scalar, utc } from '../src/format';

const trans = nullTranslator.load('snapml_jupyter');
const THIN = '\u202f';

test('metrics have 4 significant digits, the integer part whole', () => {
  expect(metric(0.782349)).toBe('0.7823');
  expect(metric(0.71)).toBe('0.71');
  expect(metric(1)).toBe('1');
  expect(metric(12345.678)).toBe(`12${THIN}346`);
  expect(metric(1234.5)).toBe(`1${THIN}235`);
  expect(metric(-0.5)).toBe('−0.5');
  expect(metric(0)).toBe('0');
  expect(metric(0.00001234)).toBe('1.234e-5');
  expect(metric(-0.00001234)).toBe('−1.234e-5');
});

test('what JSON cannot say is still said', () => {
  expect(metric('nan')).toBe('NaN');
  expect(metric('inf')).toBe('∞');
  expect(metric('-inf')).toBe('−∞');
  expect(metric(null)).toBe('–');
});

test('whole numbers are grouped by thin spaces', () => {
  expect(count(336776)).toBe(`336${THIN}776`);
  expect(count(999)).toBe('999');
  expect(count(1000000)).toBe(`1${THIN}000${THIN}000`);
});

test('shares keep the digits that matter near the ends', () => {
  expect(percent(1)).toBe(`100${THIN}%`);
  expect(percent(0.9999)).toBe(`99.99${THIN}%`);
  expect(percent(0.123)).toBe(`12.3${THIN}%`);
  expect(percent(0.0012)).toBe(`0.12${THIN}%`);
  expect(percent(null)).toBe('–');
});

test('sizes are in units of 1000', () => {
  expect(bytes(0)).toBe(`0${THIN}B`);
  expect(bytes(1500)).toBe(`1.5${THIN}KB`);
  expect(bytes(999_900)).toBe(`1.0${THIN}MB`);
  expect(bytes(356_000)).toBe(`356${THIN}KB`);
});

test('durations have two units at most', () => {
  expect(duration(0.009)).toBe(`9${THIN}ms`);
  expect(duration(3.14)).toBe(`3.1${THIN}s`);
  expect(duration(14.2)).toBe(`14${THIN}s`);
  expect(duration(123)).toBe(`2${THIN}min 3${THIN}s`);
  expect(duration(3600)).toBe(`1${THIN}h`);
  expect(duration(59.9)).toBe(`1${THIN}min`);
});

test('an age is in one unit, and a date when it is long ago', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  const at = (seconds: number) => new Date(now - 1000 * seconds).toISOString();
  expect(age(at(3), now, trans)).toBe('now');
  expect(age(at(40), now, trans)).toBe(`40${THIN}s`);
  expect(age(at(125), now, trans)).toBe(`2${THIN}min`);
  expect(age(at(7200), now, trans)).toBe(`2${THIN}h`);
  expect(age(at(200_000), now, trans)).toBe(`2${THIN}d`);
  expect(age(at(4_000_000), now, trans)).toBe('2026-10-07');
  expect(age('not a time', now, trans)).toBe('–');
});

test('the exact time is in UTC whatever offset it came with', () => {
  expect(utc('2026-11-22T13:00:05+01:00')).toBe('2026-11-22 12:00:05 UTC');
});

test('values are shown as a person would write them', () => {
  expect(scalar(null)).toBe('–');
  expect(scalar(-3)).toBe('−3');
  expect(scalar(0.123456)).toBe('0.1235');
  expect(scalar(true)).toBe('true');
  expect(scalar([1, 2])).toBe('[1,2]');
});

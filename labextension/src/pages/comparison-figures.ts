import type { ComparedValue, MetricCurve, Run, RunComparison } from '../api/types';
import { toNumber } from '../format';
import type { ISeries } from '../parts/chart';
import type { IAxis } from '../parts/parallel';

/** More axes than these cannot be told apart in a page's width. */
const MAX_AXES = 12;

/** What to call the runs: by their names, and where several have one name, with so much of the id as tells them apart. */
export function labelsOf(runs: readonly Run[]): string[] {
  return runs.map(run => {
    const alike = runs.filter(other => other.name === run.name);
    if (alike.length === 1) {
      return run.name;
    }
    let length = 6;
    const isClear = () =>
      new Set(alike.map(other => other.run_id.slice(0, length))).size === alike.length;
    while (!isClear() && length < run.run_id.length) {
      length += 1;
    }
    return `${run.name} ${run.run_id.slice(0, length)}`;
  });
}

/** What curves are drawn over. */
export type Over = 'steps' | 'seconds';

export interface IOverlay {
  name: string;
  x: number[];
  series: ISeries[];
}

/** The curves of each metric over one axis, those of a run always at the run's place in the order of colours. */
export function overlays(
  curves: readonly MetricCurve[],
  runs: readonly Run[],
  labels: readonly string[],
  over: Over
): IOverlay[] {
  const names = [...new Set(curves.map(curve => curve.name))].sort();
  return names.map(name => {
    const drawn = runs.flatMap((run, place) => {
      const curve = curves.find(each => each.run_id === run.run_id && each.name === name);
      return curve === undefined ? [] : [{ curve, place }];
    });
    const at = (curve: MetricCurve) => curve[over].map(value => toNumber(value) ?? 0);
    const x = [...new Set(drawn.flatMap(({ curve }) => at(curve)))].sort((a, b) => a - b);
    const places = new Map(x.map((value, i) => [value, i]));
    return {
      name,
      x,
      series: drawn.map(({ curve, place }) => {
        const values: (number | null)[] = new Array(x.length).fill(null);
        at(curve).forEach((value, i) => {
          values[places.get(value)!] = toNumber(curve.values[i]);
        });
        return { label: labels[place], values, place };
      })
    };
  });
}

/** Params and metrics that differ, as axes: numbers along a scale, others one above the other. Metrics come last. */
export function axesOf(comparison: RunComparison): IAxis[] {
  const params = comparison.params.filter(value => value.differs).map(axisOf);
  const metrics = comparison.metrics.filter(value => value.differs).map(axisOf);
  // Of a sweep the outcome matters most: params give way first.
  const nMetrics = Math.min(metrics.length, Math.max(MAX_AXES - params.length, MAX_AXES / 2));
  return [...params.slice(0, MAX_AXES - nMetrics), ...metrics.slice(0, nMetrics)];
}

function axisOf(compared: ComparedValue): IAxis {
  const { name } = compared;
  const given = compared.values.filter(value => value !== null);
  const isNumeric = given.every(value => typeof value === 'number' || isSpecial(value));
  if (isNumeric) {
    const values = compared.values.map(value => {
      const number = typeof value === 'number' ? value : null;
      return number !== null && Number.isFinite(number) ? number : null;
    });
    const known = values.filter(value => value !== null);
    return { name, values, low: Math.min(...known), high: Math.max(...known) };
  }
  const words = [...new Set(given.map(String))].sort();
  return {
    name,
    values: compared.values.map(value => (value === null ? null : words.indexOf(String(value)))),
    low: 0,
    high: Math.max(1, words.length - 1),
    words
  };
}

/** NaN and infinities are texts on the wire. */
function isSpecial(value: unknown): boolean {
  return value === 'nan' || value === 'inf' || value === '-inf';
}

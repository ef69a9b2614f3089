import type { RunColumns } from '../api/types';

/** A list's order: a field of runs, or `metrics.NAME` or `params.NAME`, and which end comes first. */
export interface IRunOrder {
  key: string;
  isDescending: boolean;
}

/** What a list of runs looks like: its order, and the values that rows show. */
export interface IRunLook {
  order: IRunOrder;
  /** `metrics.NAME` and `params.NAME`. */
  columns: readonly string[];
}

export const NEWEST: IRunOrder = { key: 'started_at', isDescending: true };
export const PLAIN_LOOK: IRunLook = { order: NEWEST, columns: [] };

/** Metrics of which less is better, by their names. */
const LOWER_IS_BETTER = /loss|error|(^|_)(rmse|mse|mae|mape|perplexity|wer|cer|brier)(_|$)/i;

/** The end of this order that people want to see first. */
export function startsDescending(key: string): boolean {
  const [group, name] = partsOf(key);
  return key !== 'name' && !(group === 'metrics' && LOWER_IS_BETTER.test(name ?? ''));
}

/** The order as the server reads it; names that are no plain words stand in backquotes. */
export function sortText(order: IRunOrder): string {
  const [group, name] = partsOf(order.key);
  const key =
    name === undefined ? group : `${group}.${/^[\w/-]+$/.test(name) ? name : `\`${name}\``}`;
  return `${key} ${order.isDescending ? 'desc' : 'asc'}`;
}

/** `metrics.auc` as `['metrics', 'auc']`; a field as itself. */
export function partsOf(key: string): [string, string | undefined] {
  const dot = key.indexOf('.');
  return dot < 0 ? [key, undefined] : [key.slice(0, dot), key.slice(dot + 1)];
}

/** What rows can show and be sorted by: metrics first. A backquote in a name cannot be asked for. */
export function choices(columns: RunColumns | undefined): { metrics: string[]; params: string[] } {
  const usable = (names: readonly string[] = []) => names.filter(name => !name.includes('`'));
  return { metrics: usable(columns?.metrics), params: usable(columns?.params) };
}

/** A look that was stored, as far as it can still be read. */
export function readLook(stored: unknown): IRunLook {
  const found = stored as Partial<IRunLook> | undefined;
  const order = found?.order as Partial<IRunOrder> | undefined;
  const isOrder = typeof order?.key === 'string' && typeof order.isDescending === 'boolean';
  return {
    order: isOrder ? (order as IRunOrder) : NEWEST,
    columns: Array.isArray(found?.columns)
      ? found.columns.filter((column): column is string => typeof column === 'string')
      : []
  };
}

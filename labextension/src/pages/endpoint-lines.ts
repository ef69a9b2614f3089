import type { TranslationBundle } from '@jupyterlab/translation';
import type { TrafficHistory, VersionHistory } from '../api/types';
import { toNumber } from '../format';
import type { ISeries } from '../parts/chart';

/** One chart over time, a line for each version. */
export interface ILines {
  id: string;
  label: string;
  unit: string;
  series: ISeries[];
}

/** What of a version's history goes up and down. */
type Measure = 'requests_per_second' | 'errors_per_second' | 'p50_ms' | 'p95_ms' | 'p99_ms';

/** Whether anybody asked anything in that time. */
export function hasRequests(history: TrafficHistory): boolean {
  return history.versions.some(version => version.n_requests > 0);
}

/** The charts of an endpoint. A version keeps its colour over all of them; one that answered nothing has no line. */
export function linesOf(history: TrafficHistory, trans: TranslationBundle): ILines[] {
  const shown = history.versions.filter(version => version.n_requests > 0 || version.arm !== null);
  const lines = (id: Measure, label: string, unit: string): ILines => ({
    id,
    label,
    unit,
    series: shown.map((version, place) => ({
      label: nameOf(version, trans),
      values: version[id].map(toNumber),
      place
    }))
  });
  return [
    lines('requests_per_second', trans.__('Requests a second'), trans.__('requests/s')),
    lines('errors_per_second', trans.__('Errors a second (5xx and 422)'), trans.__('errors/s')),
    lines('p50_ms', trans.__('Half of the answers within (p50)'), 'ms'),
    lines('p95_ms', trans.__('95 of 100 within (p95)'), 'ms'),
    lines('p99_ms', trans.__('99 of 100 within (p99)'), 'ms')
  ];
}

function nameOf(version: VersionHistory, trans: TranslationBundle): string {
  switch (version.arm) {
    case 'champion':
      return trans.__('%1 champion', version.model_ref);
    case 'challenger':
      return trans.__('%1 challenger', version.model_ref);
    case 'shadow':
      return trans.__('%1 shadow', version.model_ref);
    default:
      return trans.__('%1 before', version.model_ref);
  }
}

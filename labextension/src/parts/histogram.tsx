import React from 'react';
import type { ColumnProfile } from '../api/types';
import { count, metric, percent, toNumber } from '../format';
import { useSurroundings } from './surroundings';

const WIDTH = 96;
const HEIGHT = 22;

/** The distribution of a column, small: bars of its numbers, or of its most frequent values. */
export function Histogram(props: { profile: ColumnProfile }): React.ReactElement | null {
  const { trans } = useSurroundings();
  const { profile } = props;
  const numeric = profile.histogram_counts?.length
    ? profile.histogram_counts.map(c => toNumber(c) ?? 0)
    : null;
  const edges = (profile.histogram_edges ?? []).map(e => toNumber(e) ?? 0);
  const top = (profile.top_values ?? []).slice(0, 12);
  if (numeric === null && top.length === 0) {
    return null;
  }
  const heights = numeric ?? top.map(([, n]) => toNumber(n) ?? 0);
  const labels = numeric
    ? heights.map((n, i) =>
        trans.__('%1 to %2: %3', metric(edges[i]), metric(edges[i + 1]), count(n))
      )
    : top.map(([value, n]) =>
        trans.__('%1: %2', value, percent((toNumber(n) ?? 0) / Math.max(1, profile.n_rows)))
      );
  const highest = Math.max(...heights, 1e-12);
  const step = WIDTH / heights.length;
  return (
    <svg
      className="jp-snapml-histogram"
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={trans.__('Distribution of %1: %2', profile.name, labels.join('; '))}
    >
      {heights.map((n, i) => {
        const height = n > 0 ? Math.max(1, (n / highest) * HEIGHT) : 0;
        return (
          <rect
            key={i}
            x={i * step}
            y={HEIGHT - height}
            width={Math.max(1, step - 1)}
            height={height}
            data-kind={numeric ? 'number' : 'value'}
          >
            <title>{labels[i]}</title>
          </rect>
        );
      })}
    </svg>
  );
}

/** A line of numbers over their order, a word high. */
export function Sparkline(props: { values: readonly number[]; label: string }): React.ReactElement {
  const finite = props.values.filter(Number.isFinite);
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low || 1;
  const points = finite
    .map((v, i) => {
      const x = finite.length > 1 ? (i / (finite.length - 1)) * (WIDTH - 2) + 1 : WIDTH / 2;
      return `${x.toFixed(1)},${(HEIGHT - 2 - ((v - low) / span) * (HEIGHT - 4)).toFixed(1)}`;
    })
    .join(' ');
  return (
    <svg
      className="jp-snapml-sparkline"
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={props.label}
    >
      <polyline points={points} fill="none" />
    </svg>
  );
}

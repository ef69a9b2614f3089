import React from 'react';
import type { Float } from '../api/types';
import { metric, toNumber } from '../format';
import { BigNumbers } from './page';
import { useSurroundings } from './surroundings';

type Metrics = Record<string, Float>;

/** Metrics as large figures; with a champion, how far each is from its. */
export function MetricNumbers(props: {
  metrics: Metrics;
  champion?: { ref: string; metrics: Metrics };
}): React.ReactElement {
  const { trans } = useSurroundings();
  const { champion } = props;
  const numbers = Object.entries(props.metrics).map(([name, value]) => {
    const before = champion && toNumber(champion.metrics[name]);
    const now = toNumber(value);
    const isComparable = typeof before === 'number' && now !== null;
    return {
      name,
      value: metric(value),
      beside: isComparable ? (
        <span title={trans.__('%1 has %2', champion!.ref, metric(before))}>
          {difference(now - before)} {trans.__('to champion')}
        </span>
      ) : undefined
    };
  });
  if (numbers.length === 0) {
    return <p className="jp-snapml-quiet">{trans.__('No metrics were recorded.')}</p>;
  }
  return <BigNumbers label={trans.__('Metrics')} numbers={numbers} />;
}

/** A difference with its sign: `+0.012`. */
export function difference(value: number): string {
  return value === 0 ? '±0' : `${value > 0 ? '+' : ''}${metric(value)}`;
}

import React, { lazy, Suspense, useState } from 'react';
import { metric } from '../format';
import { useSurroundings } from './surroundings';
import { Table } from './tables';

/** One line of a chart; gaps are null. Series keep their place in the colour order. */
export interface ISeries {
  label: string;
  values: readonly (number | null)[];
  /** Its place in the order of colours; else its place among the series. */
  place?: number;
}

export interface IChart {
  label: string;
  xLabel: string;
  yLabel: string;
  x: readonly number[];
  /** `x` is milliseconds since 1970 rather than a count. */
  isTime?: boolean;
  series: readonly ISeries[];
  /** `x` are seconds or others that need not be whole. */
  isMeasured?: boolean;
  /** In pixels; 200 unless given. */
  height?: number;
  /** Null is a place where nothing was measured, which no line crosses. */
  hasGaps?: boolean;
  /** Where the y axis must reach at least. */
  yRange?: readonly [number, number];
}

// The plotting library is loaded when a chart is first shown.
const Plot = lazy(() => import('./plot'));

/** A line chart with its numbers as a table for those who cannot or do not want to see it. */
export function Chart(props: IChart): React.ReactElement {
  const { trans } = useSurroundings();
  const [isTable, setTable] = useState(false);
  return (
    <figure className="jp-snapml-chart">
      <figcaption>
        <span>{props.label}</span>
        <button
          type="button"
          className="jp-snapml-link"
          aria-pressed={isTable}
          onClick={() => setTable(!isTable)}
        >
          {isTable ? trans.__('View as chart') : trans.__('View as table')}
        </button>
      </figcaption>
      {isTable ? (
        <Table
          label={props.label}
          columns={[
            { label: props.xLabel, isNumber: true },
            ...props.series.map(series => ({ label: series.label, isNumber: true }))
          ]}
          rows={props.x.map((x, i) => [
            props.isTime ? new Date(x).toISOString().slice(0, 19).replace('T', ' ') : String(x),
            ...props.series.map(series => metric(series.values[i]))
          ])}
        />
      ) : (
        <Suspense fallback={<div className="jp-snapml-chart-wait" />}>
          <Plot {...props} />
        </Suspense>
      )}
    </figure>
  );
}

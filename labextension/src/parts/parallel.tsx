import React, { useEffect, useRef, useState } from 'react';
import { metric } from '../format';
import { seriesColour, seriesDash, Swatch } from './series';
import { useSurroundings } from './surroundings';

/** One axis: a value for each run, null where it has none; with `words`, values are places among them. */
export interface IAxis {
  name: string;
  values: readonly (number | null)[];
  low: number;
  high: number;
  words?: readonly string[];
}

const HEIGHT = 340;
const TOP = 44;
const BOTTOM = 26;
const SIDE = 56;
/** Letters of an axis' name or word that have room. */
const LETTERS = 16;

/** How far up the axis a value stands, from 0 to 1; where all are the same, in the middle. */
export function heightOf(axis: IAxis, value: number): number {
  return axis.high === axis.low ? 0.5 : (value - axis.low) / (axis.high - axis.low);
}

/** A line a run over one axis for each param and metric that differs: which settings lead to which outcome. */
export function ParallelCoordinates(props: {
  axes: readonly IAxis[];
  labels: readonly string[];
}): React.ReactElement {
  const { axes, labels } = props;
  const { trans } = useSurroundings();
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(720);
  const [raised, setRaised] = useState<number | null>(null);
  const [pinned, setPinned] = useState<number | null>(null);
  useEffect(() => {
    const node = place.current;
    if (node === null || typeof ResizeObserver === 'undefined') {
      return;
    }
    const observer = new ResizeObserver(() => setWidth(Math.max(240, node.clientWidth)));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  if (axes.length < 2) {
    return (
      <p className="jp-snapml-quiet">
        {trans.__('Lines over axes need two params or metrics that differ between these runs.')}
      </p>
    );
  }
  const x = (axis: number) => SIDE + (axis * (width - 2 * SIDE)) / (axes.length - 1);
  const y = (axis: IAxis, value: number) =>
    HEIGHT - BOTTOM - heightOf(axis, value) * (HEIGHT - TOP - BOTTOM);
  const front = raised ?? pinned;
  // The one in front is drawn last.
  const order = labels
    .map((_, run) => run)
    .sort((a, b) => Number(a === front) - Number(b === front));
  return (
    <div className="jp-snapml-parallel">
      <div ref={place}>
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={trans.__(
            '%1 runs as lines over %2. The tab Values has the same numbers as a table.',
            labels.length,
            axes.map(axis => axis.name).join(', ')
          )}
        >
          {axes.map((axis, i) => (
            <line
              key={`${i} ${axis.name}`}
              className="jp-snapml-parallel-axis"
              x1={x(i)}
              x2={x(i)}
              y1={TOP}
              y2={HEIGHT - BOTTOM}
            />
          ))}
          {order.map(run => (
            <g
              key={run}
              className="jp-snapml-parallel-run"
              data-dim={(front !== null && front !== run) || undefined}
              data-front={front === run || undefined}
              onMouseEnter={() => setRaised(run)}
              onMouseLeave={() => setRaised(null)}
            >
              <title>{labels[run]}</title>
              {stretches(axes, run).map(stretch => (
                <polyline
                  key={stretch[0]}
                  points={stretch.map(i => `${x(i)},${y(axes[i], axes[i].values[run]!)}`).join(' ')}
                  stroke={seriesColour(run)}
                  strokeDasharray={seriesDash(run)?.join(' ')}
                />
              ))}
              {axes.map((axis, i) =>
                axis.values[run] === null ? null : (
                  <circle
                    key={i}
                    cx={x(i)}
                    cy={y(axis, axis.values[run]!)}
                    r={3}
                    fill={seriesColour(run)}
                  />
                )
              )}
            </g>
          ))}
          {axes.map((axis, i) => (
            <Labels key={`${i} ${axis.name}`} axis={axis} x={x(i)} y={value => y(axis, value)} />
          ))}
        </svg>
      </div>
      <div className="jp-snapml-parallel-runs" role="group" aria-label={trans.__('Runs')}>
        {labels.map((label, run) => (
          <button
            key={run}
            type="button"
            aria-pressed={pinned === run}
            title={trans.__('Bring this run to the front')}
            onClick={() => setPinned(pinned === run ? null : run)}
            onMouseEnter={() => setRaised(run)}
            onMouseLeave={() => setRaised(null)}
            onFocus={() => setRaised(run)}
            onBlur={() => setRaised(null)}
          >
            <Swatch place={run} />
            {label}
          </button>
        ))}
      </div>
    </div>
  );
}

/** Axes next to each other on which the run has values: its line is broken where one is missing. */
export function stretches(axes: readonly IAxis[], run: number): number[][] {
  const found: number[][] = [];
  let open: number[] = [];
  axes.forEach((axis, i) => {
    if (axis.values[run] === null) {
      open = [];
    } else {
      if (open.length === 0) {
        found.push(open);
      }
      open.push(i);
    }
  });
  return found.filter(stretch => stretch.length > 1);
}

/** An axis' name and its scale, above the lines. */
function Labels(props: {
  axis: IAxis;
  x: number;
  y: (value: number) => number;
}): React.ReactElement {
  const { axis, x, y } = props;
  const ticks: [number, string][] = axis.words
    ? axis.words.map((word, i) => [i, cut(word)])
    : axis.low === axis.high
      ? [[axis.low, metric(axis.low)]]
      : [axis.low, (axis.low + axis.high) / 2, axis.high].map(value => [value, metric(value)]);
  return (
    <g className="jp-snapml-parallel-labels">
      <text x={x} y={16} textAnchor="middle">
        <title>{axis.name}</title>
        {cut(axis.name)}
      </text>
      {ticks.map(([value, label]) => (
        <text key={label} className="jp-snapml-parallel-tick" x={x + 6} y={y(value) - 5}>
          {label}
        </text>
      ))}
    </g>
  );
}

function cut(text: string): string {
  return text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text;
}

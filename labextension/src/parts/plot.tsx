import React, { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { metric } from '../format';
import type { IChart } from './chart';
import { seriesColour, seriesDash, Swatch } from './series';
import { useSurroundings } from './surroundings';

const HEIGHT = 200;
const MIN_WIDTH = 160;
const WHOLE = [1, 2, 5]
  .flatMap(n => [n, 10 * n, 100 * n, 1000 * n, 10_000 * n])
  .sort((a, b) => a - b);

/** The chart on a canvas; drawn again when the theme or the width changes. */
export default function Plot(props: IChart): React.ReactElement {
  const { themeChanged } = useSurroundings();
  const place = useRef<HTMLDivElement>(null);
  const read = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | undefined>(undefined);
  const { x, series, xLabel, yLabel, isTime, isMeasured, hasGaps, yRange, height = HEIGHT } = props;
  const data = [
    isTime ? x.map(ms => ms / 1000) : [...x],
    ...series.map(s => [...s.values])
  ] as uPlot.AlignedData;
  // New values go into the chart there is, which keeps the pointer's place; another set of lines is another chart.
  const lines = JSON.stringify(series.map((s, i) => [s.label, s.place ?? i]));
  const isSparse = x.length < 60;
  const newest = useRef(data);
  newest.current = data;

  useEffect(() => {
    if (drawn.current?.series.length === newest.current.length) {
      drawn.current.setData(newest.current);
    }
  }, [x, series]);

  useEffect(() => {
    const node = place.current;
    if (node === null) {
      return;
    }
    let plot: uPlot | undefined;
    // While Lab changes its theme, nothing has a width for a moment: the last one is kept.
    let width = MIN_WIDTH;
    const measure = () => {
      width = node.clientWidth > 0 ? Math.max(MIN_WIDTH, node.clientWidth) : width;
      return width;
    };
    const fit = () => plot?.setSize({ width: measure(), height });
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(), newest.current, node);
      drawn.current = plot;
    };
    const options = (): uPlot.Options => {
      const css = getComputedStyle(node);
      const axis: uPlot.Axis = {
        stroke: css.getPropertyValue('--jp-ui-font-color2').trim(),
        grid: { stroke: css.getPropertyValue('--jp-border-color2').trim(), width: 1 },
        ticks: { stroke: css.getPropertyValue('--jp-border-color2').trim(), width: 1 },
        font: `11px ${css.getPropertyValue('--jp-ui-font-family')}`,
        labelFont: `11px ${css.getPropertyValue('--jp-ui-font-family')}`,
        labelSize: 18
      };
      return {
        width: measure(),
        height,
        legend: { show: false },
        cursor: { points: { size: 6 } },
        ...(isTime ? { tzDate: (at: number) => uPlot.tzDate(new Date(1000 * at), 'Etc/UTC') } : {}),
        scales: {
          x: {
            time: isTime === true,
            range: (u, low, high) => (isTime ? timeRange(u.data[0], low, high) : [low, high])
          },
          y: {
            range: (_, low, high) => {
              const bottom = Math.min(low ?? 0, yRange?.[0] ?? Infinity);
              const top = Math.max(high ?? 1, yRange?.[1] ?? -Infinity);
              // Nothing but zeros has no height of its own.
              return uPlot.rangeNum(bottom, bottom === 0 && top === 0 ? 1 : top, 0.1, false);
            }
          }
        },
        axes: [
          {
            ...axis,
            label: xLabel,
            size: 32,
            space: 60,
            // Steps and windows are counted: no ticks between whole numbers.
            ...(isTime || isMeasured ? {} : { incrs: WHOLE }),
            ...(isTime ? { values: clock } : {})
          },
          { ...axis, label: yLabel, size: 56, values: (_, ticks) => ticks.map(t => metric(t)) }
        ],
        series: [
          {},
          ...(JSON.parse(lines) as [string, number][]).map(([label, at]) => ({
            label,
            stroke: seriesColour(at),
            dash: seriesDash(at),
            width: 2,
            spanGaps: hasGaps !== true,
            points: {
              size: 5,
              fill: seriesColour(at),
              ...(hasGaps ? { show: true, filter: alone } : { show: isSparse })
            }
          }))
        ],
        hooks: {
          setCursor: [
            u => {
              const at = u.cursor.idx;
              if (read.current !== null) {
                read.current.textContent =
                  at === null || at === undefined ? '' : readout(u, at, isTime === true);
              }
            }
          ]
        }
      };
    };
    draw();
    const observer = new ResizeObserver(fit);
    observer.observe(node);
    // The theme's variables change after its style sheet is in.
    const onTheme = () =>
      void requestAnimationFrame(() => {
        draw();
        requestAnimationFrame(fit);
      });
    themeChanged?.connect(onTheme);
    return () => {
      themeChanged?.disconnect(onTheme);
      observer.disconnect();
      plot?.destroy();
      plot = undefined;
      drawn.current = undefined;
    };
  }, [lines, isSparse, xLabel, yLabel, isTime, isMeasured, hasGaps, yRange, height, themeChanged]);

  return (
    <div role="img" aria-label={props.label}>
      {series.length > 1 && (
        <div className="jp-snapml-series" aria-hidden="true">
          {series.map((s, i) => (
            <span key={s.label}>
              <Swatch place={s.place ?? i} />
              {s.label}
            </span>
          ))}
        </div>
      )}
      <div ref={place} className="jp-snapml-plot" />
      <div ref={read} className="jp-snapml-readout" aria-hidden="true" />
    </div>
  );
}

/** From when to when, in seconds, the axis goes: a single time stands in the middle of two minutes (uPlot gives it 2.7 years). */
export function timeRange(times: ArrayLike<number>, low: number, high: number): [number, number] {
  const isSingle = times.length > 0 && times[0] === times[times.length - 1];
  return isSingle ? [times[0] - 60, times[0] + 60] : [low, high];
}

/** Times as they are said everywhere else: UTC, 24 hours. */
function clock(_: uPlot, ticks: number[], __: number, ___: number, step: number): string[] {
  return ticks.map(at => {
    const said = new Date(1000 * at).toISOString();
    return step < 60 ? said.slice(11, 19) : step < 86_400 ? said.slice(11, 16) : said.slice(5, 10);
  });
}

/** Places of values without a neighbour, through which no line goes. */
function alone(plot: uPlot, line: number): number[] {
  const values = plot.data[line];
  return [...values.keys()].filter(
    i => values[i] !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null
  );
}

function readout(plot: uPlot, at: number, isTime: boolean): string {
  const x = plot.data[0][at];
  const where = isTime
    ? new Date(x * 1000).toISOString().slice(0, 19).replace('T', ' ')
    : String(x);
  const values = plot.series
    .slice(1)
    .map((s, i) => `${String(s.label)} ${metric(plot.data[i + 1][at] as number | null)}`);
  return [where, ...values].join('  ');
}

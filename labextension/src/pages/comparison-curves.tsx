import React, { useMemo, useState } from 'react';
import type { RunComparison } from '../api/types';
import { Chart } from '../parts/chart';
import { Empty } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import type { Over } from './comparison-figures';
import { overlays } from './comparison-figures';

/** Many lines need more room than one. */
const HEIGHT = 300;

/** Metrics measured more than once, those of all runs in one chart. */
export function ComparedCurves(props: {
  comparison: RunComparison;
  labels: readonly string[];
}): React.ReactElement {
  const { comparison, labels } = props;
  const { trans } = useSurroundings();
  const [over, setOver] = useState<Over>('steps');
  const charts = useMemo(
    () => overlays(comparison.curves, comparison.runs, labels, over),
    [comparison, labels, over]
  );
  if (charts.length === 0) {
    return (
      <Empty
        text={trans.__(
          'A metric that is logged more than once is a curve. None of these runs has one.'
        )}
      />
    );
  }
  return (
    <>
      <div className="jp-snapml-toolbar">
        <label className="jp-snapml-field">
          <span>{trans.__('Over')}</span>
          <select value={over} onChange={event => setOver(event.target.value as Over)}>
            <option value="steps">{trans.__('step')}</option>
            <option value="seconds">{trans.__('seconds since the start')}</option>
          </select>
        </label>
      </div>
      <div className="jp-snapml-charts jp-mod-wide">
        {charts.map(chart => (
          <Chart
            key={chart.name}
            label={chart.name}
            xLabel={over === 'steps' ? trans.__('step') : trans.__('seconds')}
            yLabel={chart.name}
            x={chart.x}
            series={chart.series}
            height={HEIGHT}
            isMeasured={over === 'seconds'}
          />
        ))}
      </div>
    </>
  );
}

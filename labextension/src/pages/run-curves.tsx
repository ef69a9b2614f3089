import React, { useMemo } from 'react';
import type { Run } from '../api/types';
import { toNumber } from '../format';
import { useOperation } from '../live/hooks';
import { Chart } from '../parts/chart';
import { Problem } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';

/** Points of a curve; more than a chart has pixels for. */
const MAX_POINTS = 500;

/** Metrics measured more than once, over their steps; they grow while the run goes on. */
export function Curves(props: { run: Run }): React.ReactElement | null {
  const { run } = props;
  const { trans } = useSurroundings();
  const hasMetrics = Object.keys(run.metrics).length > 0;
  const answer = useOperation(
    'runs.list_metric_curves',
    { refs: [run.run_id], max_points: MAX_POINTS },
    { enabled: hasMetrics, isLive: run.status === 'running' }
  );
  const curves = useMemo(
    () =>
      (answer.data ?? []).map(curve => ({
        name: curve.name,
        x: curve.steps,
        series: [{ label: curve.name, values: curve.values.map(toNumber) }]
      })),
    [answer.data]
  );
  return (
    <>
      {answer.error !== undefined && <Problem error={answer.error} onRetry={answer.retry} />}
      {curves.length > 0 && (
        <div className="jp-snapml-charts">
          {curves.map(curve => (
            <Chart
              key={curve.name}
              label={curve.name}
              xLabel={trans.__('step')}
              yLabel={curve.name}
              x={curve.x}
              series={curve.series}
            />
          ))}
        </div>
      )}
    </>
  );
}

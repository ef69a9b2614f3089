import React, { useMemo, useState } from 'react';
import type { TrafficHistory } from '../api/types';
import { useOperation } from '../live/hooks';
import { Chart } from '../parts/chart';
import { Part } from '../parts/page';
import { Answered, Empty } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { hasRequests, linesOf } from './endpoint-lines';

/** The host writes a bucket of counts this often. */
const LIVE_MILLISECONDS = 5000;
/** Where a point is minutes long. */
const SLOW_MILLISECONDS = 30_000;
const MAX_POINTS = 180;
const HEIGHT = 150;
const FROM_ZERO = [0, 0] as const;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Requests, errors and latencies of the last hour, a line for each version, while they happen. */
export function EndpointCharts(props: { name: string }): React.ReactElement {
  const { trans } = useSurroundings();
  const [seconds, setSeconds] = useState(HOUR);
  const answer = useOperation(
    'serving.get_traffic_history',
    { name: props.name, seconds, max_points: MAX_POINTS },
    { everyMilliseconds: seconds > HOUR ? SLOW_MILLISECONDS : LIVE_MILLISECONDS }
  );
  const span = (
    <label className="jp-snapml-span">
      <span className="jp-snapml-spoken">{trans.__('Time shown')}</span>
      <select value={seconds} onChange={event => setSeconds(Number(event.target.value))}>
        <option value={15 * MINUTE}>{trans.__('last 15 minutes')}</option>
        <option value={HOUR}>{trans.__('last hour')}</option>
        <option value={6 * HOUR}>{trans.__('last 6 hours')}</option>
      </select>
    </label>
  );
  return (
    <Part title={trans.__('By version')}>
      {span}
      <Answered answer={answer}>{history => <Charts history={history} />}</Answered>
    </Part>
  );
}

function Charts(props: { history: TrafficHistory }): React.ReactElement {
  const { history } = props;
  const { trans } = useSurroundings();
  const charts = useMemo(() => linesOf(history, trans), [history, trans]);
  if (!hasRequests(history)) {
    return (
      <Empty
        text={
          history.is_host_running
            ? trans.__('No requests yet. They show here some seconds after they were answered.')
            : trans.__('No requests in this time, and none can come: the host is stopped.')
        }
      />
    );
  }
  return (
    <>
      {!history.is_host_running && (
        <p className="jp-snapml-quiet">
          {trans.__('The host is stopped; this is what was counted before.')}
        </p>
      )}
      <div className="jp-snapml-charts">
        {charts.map(chart => (
          <Chart
            key={chart.id}
            label={chart.label}
            xLabel={trans.__('time (UTC)')}
            yLabel={chart.unit}
            x={history.times_ms}
            isTime
            hasGaps
            height={HEIGHT}
            yRange={FROM_ZERO}
            series={chart.series}
          />
        ))}
      </div>
    </>
  );
}

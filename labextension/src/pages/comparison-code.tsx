import React, { useState } from 'react';
import type { Run } from '../api/types';
import { useOperation } from '../live/hooks';
import { Diff } from '../parts/diff';
import { Answered } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';

/** How the code of one run differs from that of another; any two can be chosen. */
export function ComparedCode(props: {
  runs: readonly Run[];
  labels: readonly string[];
}): React.ReactElement {
  const { runs, labels } = props;
  const { trans } = useSurroundings();
  const [first, setFirst] = useState(runs[0].run_id);
  const [other, setOther] = useState(runs[1].run_id);
  const [captured, setCaptured] = useState(false);
  const answer = useOperation('runs.diff_run_code', { first, other, captured });
  const of = (id: string) => runs.find(run => run.run_id === id);
  const without = [of(first), of(other)].filter(run => run !== undefined && !run.source.code);
  const select = (label: string, value: string, onChange: (id: string) => void) => (
    <label className="jp-snapml-field">
      <span>{label}</span>
      <select value={value} onChange={event => onChange(event.target.value)}>
        {runs.map((run, place) => (
          <option key={run.run_id} value={run.run_id}>
            {labels[place]}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <div className="jp-snapml-toolbar">
        {select(trans.__('From'), first, setFirst)}
        {select(trans.__('To'), other, setOther)}
        {runs.some(run => run.has_program) && (
          <label className="jp-snapml-check">
            <input
              type="checkbox"
              checked={captured}
              onChange={event => setCaptured(event.target.checked)}
            />
            {trans.__('With the definitions that were captured')}
          </label>
        )}
      </div>
      {without.length > 0 && (
        <p className="jp-snapml-quiet">
          {trans.__('No code was recorded by %1.', without.map(run => run!.name).join(', '))}
        </p>
      )}
      <Answered answer={answer}>
        {diff => (
          <>
            <p aria-live="polite">
              {diff.lines.length === 0
                ? without.length < 2 && trans.__('The code is the same.')
                : [
                    trans._n('%1 line added', '%1 lines added', diff.n_added),
                    trans._n('%1 line removed', '%1 lines removed', diff.n_removed)
                  ].join(', ')}
            </p>
            {diff.lines.length > 0 && <Diff lines={diff.lines} />}
          </>
        )}
      </Answered>
    </>
  );
}

import React, { useId, useState } from 'react';
import { useOperation } from '../live/hooks';
import { useSurroundings } from '../parts/surroundings';
import type { IRunLook } from './run-order';
import { choices, partsOf, startsDescending } from './run-order';

/** Names offered at a time; more are found by typing. */
const OFFERED = 50;
const NO_ARGUMENTS = {};

/** How the runs are sorted and which of their values the rows show. */
export function RunTools(props: {
  look: IRunLook;
  onChange: (look: IRunLook) => void;
}): React.ReactElement {
  const { look, onChange } = props;
  const { trans } = useSurroundings();
  const [isChoosing, setChoosing] = useState(false);
  const answer = useOperation('runs.list_run_columns', NO_ARGUMENTS);
  const { metrics, params } = choices(answer.data);
  const { key, isDescending } = look.order;
  const panel = useId();
  // What is chosen stays in the list, though no run has it now.
  const isUnknown =
    key.includes('.') &&
    ![...keysOf('metrics', metrics), ...keysOf('params', params)].includes(key);
  return (
    <div className="jp-snapml-run-tools">
      <div className="jp-snapml-run-tools-line">
        <select
          value={key}
          aria-label={trans.__('Sort runs by')}
          title={trans.__('Sort runs by')}
          onChange={event => {
            const chosen = event.target.value;
            onChange({ ...look, order: { key: chosen, isDescending: startsDescending(chosen) } });
          }}
        >
          <option value="started_at">{trans.__('Time')}</option>
          <option value="name">{trans.__('Name')}</option>
          <option value="duration_seconds">{trans.__('Duration')}</option>
          {isUnknown && <option value={key}>{partsOf(key)[1]}</option>}
          <Options label={trans.__('Metrics')} group="metrics" names={metrics} />
          <Options label={trans.__('Params')} group="params" names={params} />
        </select>
        <button
          type="button"
          className="jp-snapml-small-button"
          title={trans.__('Turn the order around')}
          aria-label={
            isDescending
              ? trans.__('Newest or highest first. Turn the order around')
              : trans.__('Oldest or lowest first. Turn the order around')
          }
          onClick={() => onChange({ ...look, order: { key, isDescending: !isDescending } })}
        >
          {isDescending ? '↓' : '↑'}
        </button>
        <button
          type="button"
          className="jp-snapml-small-button"
          aria-expanded={isChoosing}
          aria-controls={panel}
          onClick={() => setChoosing(!isChoosing)}
        >
          {look.columns.length > 0
            ? trans.__('Columns (%1)', look.columns.length)
            : trans.__('Columns')}
        </button>
      </div>
      <div id={panel} hidden={!isChoosing}>
        {isChoosing && (
          <Columns
            metrics={metrics}
            params={params}
            chosen={look.columns}
            onChange={columns => onChange({ ...look, columns })}
          />
        )}
      </div>
    </div>
  );
}

const keysOf = (group: string, names: readonly string[]) => names.map(name => `${group}.${name}`);

function Options(props: {
  label: string;
  group: string;
  names: readonly string[];
}): React.ReactElement | null {
  return props.names.length === 0 ? null : (
    <optgroup label={props.label}>
      {props.names.map(name => (
        <option key={name} value={`${props.group}.${name}`}>
          {name}
        </option>
      ))}
    </optgroup>
  );
}

/** The values to show in the rows, in the order they were chosen. */
function Columns(props: {
  metrics: readonly string[];
  params: readonly string[];
  chosen: readonly string[];
  onChange: (columns: readonly string[]) => void;
}): React.ReactElement {
  const { chosen, onChange } = props;
  const { trans } = useSurroundings();
  const [typed, setTyped] = useState('');
  const all = [...keysOf('metrics', props.metrics), ...keysOf('params', props.params)];
  const gone = chosen.filter(key => !all.includes(key));
  const fitting = [...gone, ...all].filter(key =>
    partsOf(key)[1]!.toLowerCase().includes(typed.trim().toLowerCase())
  );
  return (
    <fieldset className="jp-snapml-columns">
      <legend>{trans.__('Shown in the rows')}</legend>
      {all.length > 10 && (
        <input
          type="search"
          value={typed}
          spellCheck={false}
          placeholder={trans.__('Find a metric or param')}
          aria-label={trans.__('Find a metric or param')}
          onChange={event => setTyped(event.target.value)}
        />
      )}
      {fitting.length === 0 && (
        <p className="jp-snapml-quiet">
          {typed ? trans.__('None is called so.') : trans.__('No run has metrics or params yet.')}
        </p>
      )}
      {fitting.slice(0, OFFERED).map(key => (
        <label key={key}>
          <input
            type="checkbox"
            checked={chosen.includes(key)}
            onChange={event =>
              onChange(
                event.target.checked ? [...chosen, key] : chosen.filter(other => other !== key)
              )
            }
          />
          <span>{partsOf(key)[1]}</span>
          <small>{key.startsWith('metrics.') ? trans.__('metric') : trans.__('param')}</small>
        </label>
      ))}
      {fitting.length > OFFERED && (
        <p className="jp-snapml-quiet">
          {trans.__('%1 more: type to find them.', fitting.length - OFFERED)}
        </p>
      )}
    </fieldset>
  );
}

import React, { useCallback, useEffect, useState } from 'react';
import type { EndpointInfo, EndpointSettings, EndpointUsage } from '../api/types';
import { useAction } from '../live/action';
import { TextField } from '../parts/field';
import { Problem } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { limitTextsOf, readLimits, usageWords, wrongOf } from './key-fields';
import type { ILimitTexts } from './key-fields';

const FIELDS = [
  'rate_per_second',
  'quota_per_day',
  'max_rows',
  'max_body_bytes',
  'timeout_seconds',
  'cors_origins'
] as const;

/** What the endpoint allows all its clients together. */
export function LimitsForm(props: {
  endpoint: EndpointInfo;
  usage: EndpointUsage | undefined;
}): React.ReactElement {
  const { name, settings } = props.endpoint;
  const { snapml, trans } = useSurroundings();
  const current = limitTextsOf(settings);
  const stored = JSON.stringify(current);
  const [texts, setTexts] = useState(current);
  const [isSaved, setSaved] = useState(false);
  // What somebody else changes shows here; the form is as it is stored again.
  useEffect(() => setTexts(JSON.parse(stored) as ILimitTexts), [stored]);
  const saving = useAction(
    useCallback(
      async (next: EndpointSettings) => {
        await snapml.client.call('serving.change_endpoint', { name, settings: next });
        setSaved(true);
      },
      [snapml, name]
    )
  );
  const { settings: next, wrong } = readLimits(settings, texts, trans);
  const told = wrongOf(saving.error, FIELDS);
  const isChanged = FIELDS.some(field => texts[field] !== current[field]);
  const field = (id: keyof ILimitTexts, label: string, hint: string, isNumber = true) => (
    <TextField
      label={label}
      hint={hint}
      isNumber={isNumber}
      value={texts[id]}
      error={wrong[id] ?? (isChanged ? told[id] : undefined)}
      onChange={text => {
        setSaved(false);
        setTexts({ ...texts, [id]: text });
      }}
    />
  );
  const none = trans.__('nothing: no limit');
  const today = props.usage?.n_today;
  return (
    <form
      className="jp-snapml-form"
      aria-label={trans.__('Limits of %1', name)}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        if (isChanged && Object.keys(wrong).length === 0) {
          void saving.run(next);
        }
      }}
    >
      {saving.error !== undefined && Object.keys(told).length === 0 && (
        <Problem error={saving.error} />
      )}
      <div className="jp-snapml-fields">
        {field('rate_per_second', trans.__('Most requests a second'), none)}
        {field(
          'quota_per_day',
          trans.__('Most requests a day (UTC)'),
          today === null || today === undefined
            ? none
            : trans.__('today %1', usageWords(today, settings.quota_per_day, trans))
        )}
        {field('max_rows', trans.__('Most rows in a request'), trans.__("nothing: the host's own"))}
        {field(
          'max_body_bytes',
          trans.__('Largest body, MiB'),
          trans.__("nothing: the host's own")
        )}
        {field('timeout_seconds', trans.__('Longest answer, seconds'), none)}
        {field(
          'cors_origins',
          trans.__('Web origins (CORS)'),
          trans.__('from which browsers may ask'),
          false
        )}
      </div>
      <div className="jp-snapml-actions">
        <button
          type="submit"
          className="jp-mod-styled"
          disabled={!isChanged || saving.isBusy || Object.keys(wrong).length > 0}
        >
          {trans.__('Save limits')}
        </button>
        <button
          type="button"
          className="jp-mod-styled"
          disabled={!isChanged}
          onClick={() => setTexts(current)}
        >
          {trans.__('Undo')}
        </button>
        <span className="jp-snapml-quiet" role="status">
          {isSaved && !isChanged ? trans.__('Saved; workers keep to it now.') : ''}
        </span>
      </div>
    </form>
  );
}

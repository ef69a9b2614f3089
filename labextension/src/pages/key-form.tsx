import React, { useEffect, useId, useRef, useState } from 'react';
import type { ApiKey, Scope } from '../api/types';
import { useAction } from '../live/action';
import { Below, ChoiceField, TextField } from '../parts/field';
import { Problem } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { expiries, KEEP, NEW_KEY, overlaps, readKey, textsOf, wrongOf } from './key-fields';
import type { IKeyLimits, IKeyTexts } from './key-fields';

const FIELDS = ['client', 'scopes', 'expires_in_seconds', 'rate_per_second', 'quota_per_day'];

/** A new key, or other limits of one there is. */
export function KeyForm(props: {
  title: string;
  label: string;
  /** The key that is changed; none for a new one. */
  apiKey?: ApiKey;
  save: (texts: IKeyTexts, limits: IKeyLimits) => Promise<unknown>;
  close: () => void;
}): React.ReactElement {
  const { apiKey } = props;
  const { trans } = useSurroundings();
  const [texts, setTexts] = useState(() => (apiKey === undefined ? NEW_KEY : textsOf(apiKey)));
  const [isTried, setTried] = useState(false);
  const saving = useAction(props.save);
  const { limits, wrong } = readKey(texts, apiKey?.expires_at ?? null, Date.now(), trans);
  const told = wrongOf(saving.error, FIELDS);
  // While somebody still types, a field that is empty is not wrong yet.
  const shown = isTried ? { ...told, ...wrong } : told;
  const change = (fields: Partial<IKeyTexts>) => setTexts({ ...texts, ...fields });
  const choices = expiries(trans);
  return (
    <InlineForm
      title={props.title}
      label={props.label}
      isBusy={saving.isBusy}
      close={props.close}
      submit={() => {
        setTried(true);
        if (Object.keys(wrong).length === 0) {
          void saving.run(texts, limits);
        }
      }}
    >
      {saving.error !== undefined && Object.keys(told).length === 0 && (
        <Problem error={saving.error} />
      )}
      <div className="jp-snapml-fields">
        {apiKey === undefined && (
          <>
            <TextField
              label={trans.__('Client')}
              hint={trans.__('who will use it')}
              value={texts.client}
              error={shown.client}
              onChange={client => change({ client })}
            />
            <Scopes
              chosen={texts.scopes}
              error={shown.scopes}
              onChange={scopes => change({ scopes })}
            />
          </>
        )}
        <ChoiceField
          label={trans.__('Expires')}
          value={texts.expiry}
          error={shown.expires_in_seconds}
          choices={
            apiKey?.expires_at ? [[KEEP, trans.__('as it is now')] as const, ...choices] : choices
          }
          onChange={expiry => change({ expiry })}
        />
        <TextField
          label={trans.__('Most requests a second')}
          hint={trans.__('nothing: no limit')}
          isNumber
          value={texts.rate_per_second}
          error={shown.rate_per_second}
          onChange={rate => change({ rate_per_second: rate })}
        />
        <TextField
          label={trans.__('Most requests a day (UTC)')}
          hint={trans.__('nothing: no limit')}
          isNumber
          value={texts.quota_per_day}
          error={shown.quota_per_day}
          onChange={quota => change({ quota_per_day: quota })}
        />
      </div>
    </InlineForm>
  );
}

/** Another key for the same client, while the old one goes on for a time. */
export function RotateForm(props: {
  apiKey: ApiKey;
  save: (overlapSeconds: number) => Promise<unknown>;
  close: () => void;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const choices = overlaps(trans);
  const [overlap, setOverlap] = useState(choices[1][0]);
  const saving = useAction(props.save);
  return (
    <InlineForm
      title={trans.__('Rotate the key of %1', props.apiKey.client)}
      label={trans.__('Make the new key')}
      isBusy={saving.isBusy}
      close={props.close}
      submit={() => void saving.run(Number(overlap))}
    >
      {saving.error !== undefined && <Problem error={saving.error} />}
      <p className="jp-snapml-quiet">
        {trans.__(
          'The client gets a new key with the same scopes and limits, shown once. The old one, %1, expires after the overlap.',
          props.apiKey.key_id
        )}
      </p>
      <div className="jp-snapml-fields">
        <ChoiceField
          label={trans.__('The old key works')}
          value={overlap}
          choices={choices}
          onChange={setOverlap}
        />
      </div>
    </InlineForm>
  );
}

/** What is asked below a table: its first field has the focus, Escape closes it. */
function InlineForm(props: {
  title: string;
  label: string;
  isBusy: boolean;
  submit: () => void;
  close: () => void;
  children: React.ReactNode;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input, select')?.focus();
    form.current?.scrollIntoView?.({ block: 'nearest' });
  }, []);
  return (
    <form
      ref={form}
      className="jp-snapml-inline-form"
      aria-label={props.title}
      noValidate
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.close();
        }
      }}
      onSubmit={event => {
        event.preventDefault();
        props.submit();
        requestAnimationFrame(() =>
          form.current?.querySelector<HTMLElement>("[aria-invalid='true']")?.focus()
        );
      }}
    >
      <h3>{props.title}</h3>
      {props.children}
      <div className="jp-snapml-actions">
        <button type="submit" className="jp-mod-styled jp-mod-accept" disabled={props.isBusy}>
          {props.label}
        </button>
        <button type="button" className="jp-mod-styled" onClick={props.close}>
          {trans.__('Cancel')}
        </button>
      </div>
    </form>
  );
}

function Scopes(props: {
  chosen: readonly Scope[];
  error?: string;
  onChange: (scopes: Scope[]) => void;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const below = useId();
  const all: [Scope, string][] = [
    ['predict', trans.__('predict')],
    ['feedback', trans.__('send labels')],
    ['admin', trans.__('all')]
  ];
  return (
    <fieldset className="jp-snapml-field jp-snapml-scopes" aria-describedby={below}>
      <legend>{trans.__('May')}</legend>
      <div>
        {all.map(([scope, name]) => (
          <label key={scope}>
            <input
              type="checkbox"
              checked={props.chosen.includes(scope)}
              onChange={event =>
                props.onChange(
                  all
                    .map(([each]) => each)
                    .filter(each =>
                      each === scope ? event.target.checked : props.chosen.includes(each)
                    )
                )
              }
            />
            {name}
          </label>
        ))}
      </div>
      <Below id={below} error={props.error} />
    </fieldset>
  );
}

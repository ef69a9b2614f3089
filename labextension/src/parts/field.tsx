import React, { useId } from 'react';

/** A labelled text field; what is wrong with it stands in the place of its hint, so that nothing moves. */
export function TextField(props: {
  label: string;
  value: string;
  onChange: (text: string) => void;
  hint?: string;
  error?: string;
  placeholder?: string;
  isNumber?: boolean;
  isDisabled?: boolean;
}): React.ReactElement {
  const id = useId();
  const below = `${id}-below`;
  return (
    <div className="jp-snapml-field">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        type="text"
        className="jp-mod-styled"
        inputMode={props.isNumber ? 'decimal' : 'text'}
        autoComplete="off"
        spellCheck={false}
        value={props.value}
        placeholder={props.placeholder}
        disabled={props.isDisabled}
        aria-invalid={props.error !== undefined || undefined}
        aria-describedby={below}
        onChange={event => props.onChange(event.target.value)}
      />
      <Below id={below} hint={props.hint} error={props.error} />
    </div>
  );
}

/** A choice of a few; each is a value and what it is called. */
export function ChoiceField(props: {
  label: string;
  value: string;
  choices: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
  hint?: string;
  error?: string;
}): React.ReactElement {
  const id = useId();
  const below = `${id}-below`;
  return (
    <div className="jp-snapml-field">
      <label htmlFor={id}>{props.label}</label>
      <select
        id={id}
        value={props.value}
        aria-invalid={props.error !== undefined || undefined}
        aria-describedby={below}
        onChange={event => props.onChange(event.target.value)}
      >
        {props.choices.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <Below id={below} hint={props.hint} error={props.error} />
    </div>
  );
}

/** The line below a field: what is wrong, else the hint. */
export function Below(props: { id: string; hint?: string; error?: string }): React.ReactElement {
  return (
    <small
      id={props.id}
      className="jp-snapml-field-below"
      data-wrong={props.error !== undefined || undefined}
      // What is wrong is spoken when it comes; a hint may count, and is read with its field.
      aria-live={props.error === undefined ? 'off' : 'polite'}
    >
      {props.error ?? props.hint ?? ''}
    </small>
  );
}
